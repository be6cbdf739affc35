// The page as a whole: the way in, or the view that the address names.
import { html } from "./html.js";
import { useEffect, useRef, useState } from "../vendor/preact/hooks.js";
import { DeskContext, useDesk } from "./desk.js";
import { Away, Connecting } from "./gate/away.js";
import { SignIn } from "./gate/sign_in.js";
import { KeysHelp } from "./dialogs/keys_help.js";
import { Frame, TITLES } from "./shell/frame.js";
import { LiveRegion } from "./shell/announcer.js";
import { ToastStack } from "./shell/toasts.js";
import { SessionsView } from "./sessions/view.js";
import { ChatView } from "./chat/view.js";
import { ChannelsView } from "./channels/view.js";
import { OverviewView } from "./overview/view.js";
import { EventsView } from "./events/view.js";

/** @param {{desk: import("./desk.js").Desk}} props */
export function App({ desk }) {
  return html`<${DeskContext.Provider} value=${desk}>
    <${Door} />
    <${LiveRegion} announcer=${desk.announcer} />
    <${ToastStack} toasts=${desk.toasts} />
  </${DeskContext.Provider}>`;
}

function Door() {
  const { gate } = useDesk();
  const state = gate.state.value;
  if (state.phase === "connecting") return html`<${Connecting} />`;
  if (state.phase === "sign-in") return html`<${SignIn} gate=${gate} ...${state} />`;
  if (state.phase === "away") return html`<${Away} gate=${gate} ...${state} />`;
  return html`<${Rooms} />`;
}

/** @type {Record<import("./shell/route.js").ViewName, any>} */
const ROOMS = {
  sessions: SessionsView,
  chat: ChatView,
  channels: ChannelsView,
  overview: OverviewView,
  events: EventsView,
};

function Rooms() {
  const { route, shelf } = useDesk();
  const { view, id } = route.route.value;
  const [isHelpOpen, setHelpOpen] = useState(false);
  const help = () => setHelpOpen(true);
  useKeys(help);
  useArrival(view);
  useEffect(() => {
    document.title = `${TITLES[view]} · Bamboo Gateway`;
    if (view === "chat" && id) shelf.set("chat", id);
  }, [view, id]);
  const lastChat = view === "chat" && id ? id : shelf.get("chat");
  return html`<${Frame} onHelp=${help} lastChat=${lastChat}><${ROOMS[view]} key=${view} id=${id} /></${Frame}>
    ${isHelpOpen && html`<${KeysHelp} onClose=${() => setHelpOpen(false)} />`}`;
}

/** Who goes to another view is put at its beginning; who has just come to the page is left alone. @param {string} view */
function useArrival(view) {
  const isFirst = useRef(true);
  useEffect(() => {
    const main = document.getElementById("main");
    if (!isFirst.current) window.scrollTo(0, 0);
    if (!isFirst.current && !main?.contains(document.activeElement)) main?.focus({ preventScroll: true });
    isFirst.current = false;
  }, [view]);
}

/** The keys that hold everywhere. @param {() => void} help */
function useKeys(help) {
  const { route, shelf, shortcuts, theme } = useDesk();
  useEffect(() => {
    const keys = /** @type {[string, () => void][]} */ ([
      ["?", help],
      ["t", () => theme.next()],
      ["g s", () => route.go("sessions")],
      ["g c", () => route.go("chat", shelf.get("chat"))],
      ["g h", () => route.go("channels")],
      ["g o", () => route.go("overview")],
      ["g e", () => route.go("events")],
    ]);
    const removers = keys.map(([key, run]) => shortcuts.add(key, run));
    return () => removers.forEach((remove) => remove());
  }, []);
}
