// The frame around every view: navigation, the state of the connection, and where the view goes.
import { html } from "../html.js";
import { useDesk } from "../desk.js";
import { useNow } from "./poll.js";
import { Icon, Mark } from "./icons.js";
import { hashOf, VIEWS } from "./route.js";

/** @type {Record<import("./route.js").ViewName, string>} */
export const TITLES = {
  sessions: "Sessions",
  chat: "Chat",
  channels: "Channels",
  overview: "Overview",
  events: "Events",
};

/** @type {Record<import("./theme.js").Theme, {icon: string, label: string}>} */
const THEME_FACES = {
  system: { icon: "system", label: "Theme: as the system" },
  light: { icon: "sun", label: "Theme: light" },
  dark: { icon: "moon", label: "Theme: dark" },
};

/** @param {{children?: any, onHelp: () => void, lastChat: string | null}} props */
export function Frame({ children, onHelp, lastChat }) {
  const { route } = useDesk();
  const { view } = route.route.value;
  return html`<a class="skip" href="#main" onClick=${skip}>Skip to the content</a>
    <div class="frame" data-route=${view}>
      <header class="side">
        <a class="brand" href=${hashOf("sessions")} aria-label="Bamboo Gateway: sessions"><${Mark} size=${28} />
        <span class="brand-name">Bamboo <span>Gateway</span></span></a>
        <nav class="nav" aria-label="Views">
          ${VIEWS.map(
            (
              each,
            ) => html`<a key=${each} class="nav-item" href=${hashOf(each, each === "chat" ? lastChat : null)}
              aria-current=${each === view ? "page" : null}>
              <${Icon} name=${each} size=${20} /><span>${TITLES[each]}</span></a>`,
          )}
        </nav>
        <div class="side-foot"><${LinkState} /><${SideButtons} onHelp=${onHelp} /></div>
      </header>
      <div class="content"><${LinkBanner} />${children}</div>
    </div>`;
}

/** @param {Event} event A link to `#main` would be a route. */
function skip(event) {
  event.preventDefault();
  const main = document.getElementById("main");
  main?.focus();
}

function LinkState() {
  const { gate, network } = useDesk();
  const link = network.isOnline.value ? gate.link.value : "closed";
  const who = gate.userId.value;
  return html`<p class="link-state" data-state=${link}><span class="dot" aria-hidden="true"></span>
    <span class="link-text">
    ${link === "open" ? "Connected" : link === "reconnecting" ? "Reconnecting" : "Offline"}${who && html` <span
    class="muted">as ${who}</span>`}</span></p>`;
}

/** @param {{onHelp: () => void}} props */
function SideButtons({ onHelp }) {
  const { gate, theme } = useDesk();
  const face = THEME_FACES[theme.theme.value];
  return html`<div class="side-buttons">
    <button class="button button-icon button-quiet" aria-label=${face.label} title=${`${face.label} (t)`}
    onClick=${() => theme.next()}><${Icon} name=${face.icon} /></button>
    <button class="button button-icon button-quiet" aria-label="Keyboard shortcuts" title="Keyboard shortcuts (?)"
    onClick=${onHelp}><${Icon} name="keyboard" /></button>
    ${gate.isSignedIn && html`<button class="button button-icon button-quiet" aria-label="Sign out" title="Sign out"
    onClick=${() => void gate.signOut()}><${Icon} name="signout" /></button>`}
  </div>`;
}

function LinkBanner() {
  const { gate, network, route } = useDesk();
  if ((gate.link.value !== "reconnecting" && network.isOnline.value) || route.route.value.view === "chat") return null;
  return html`<${Reconnecting} text="The connection is lost. What you see may be old;" retryAt=${gate.retryAt.value}
    onNow=${() => gate.client?.reconnectNow()} />`;
}

/** @param {{text: string, retryAt: number | null, onNow: () => void}} props */
export function Reconnecting({ text, retryAt, onNow }) {
  const { network } = useDesk();
  return html`<div class="banner" data-state="reconnecting"><${Icon} name="offline" />
    <p><span role="status">
    ${text}</span> ${network.isOnline.value ? html`<${Countdown} to=${retryAt} />` : "waiting for the network."}</p>
    ${network.isOnline.value && html`<button class="button button-small" onClick=${onNow}>Reconnect now</button>`}</div>`;
}

/** @param {{to: number | null}} props */
function Countdown({ to }) {
  const now = useNow(250);
  const left = to === null ? 0 : Math.max(0, Math.ceil((to - now) / 1000));
  return left > 0 ? html`reconnecting in <span class="figures">${left}</span> s.` : "reconnecting…";
}

/** The heading of a view, and what can be done there. @param {{title: string, count?: any, children?: any}} props */
export function ViewHead({ title, count, children }) {
  return html`<div class="view-head"><h1>${title}</h1>${count !== undefined && html`<span class="view-count muted">
    ${count}</span>`}<div class="view-actions">${children}</div></div>`;
}
