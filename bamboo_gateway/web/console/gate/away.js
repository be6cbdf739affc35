// What is shown when there is no way to the gateway: why, how to mend it, and a button to try again.
import { html } from "../html.js";
import { Icon, Mark } from "../shell/icons.js";
import { sentence } from "../text/format.js";

/** @param {{gate: import("./gate.js").Gate, problem: import("./reach.js").Problem, detail: string}} props */
export function Away({ gate, problem, detail }) {
  return html`<main class="gate" id="main" data-view="away" data-state=${problem}>
    <div class="gate-card">
      <div class="gate-head"><${Mark} size=${40} /><h1>${TITLES[problem]}</h1></div>
      ${problem === "origin" && html`<${OriginRefused} />`}
      ${
        problem === "blocked" &&
        html`<p role="alert">Too many wrong tokens have come from this address, so the gateway lets nobody in from here for a while, whatever the token.</p>
        <p class="muted">That is five minutes, unless <code>failed_tokens_block</code> is set otherwise.</p>`
      }
      ${
        problem === "unready" &&
        html`<p>It answers, but is about to stop or restart, or in trouble with its storage. Try again in a moment; what was said is kept.</p>
        <p class="muted">On its machine, <code>bamboo-gateway status</code> tells more.</p>`
      }
      ${
        problem === "away" &&
        html`<p>Nothing answers at <strong>
          ${location.host}</strong>. The gateway may be stopped or restarting, or the network is gone.</p>
        <p class="muted">On its machine, <code>bamboo-gateway status</code> and <code>bamboo-gateway doctor</code> tell more. Sessions outlive a restart if their storage does.</p>`
      }
      ${problem === "refused" && html`<p>The gateway answered, but did not let this page in.</p>`}
      ${detail && problem !== "blocked" && html`<p class="note" role="alert"><${Icon} name="info" /><span>${sentence(detail)}</span></p>`}
      <div class="row"><button class="button button-primary" onClick=${() => void gate.enter()}>Try again</button>
        ${gate.isSignedIn && html`<button class="button" onClick=${() => void gate.signOut()}>Sign out</button>`}</div>
    </div>
  </main>`;
}

/** @type {Record<import("./reach.js").Problem, string>} */
const TITLES = {
  origin: "The gateway lets no WebSocket in from here",
  blocked: "Wait a few minutes",
  unready: "The gateway lets nobody in just now",
  away: "The gateway does not answer",
  refused: "The gateway refused the connection",
};

function OriginRefused() {
  return html`<p>The page comes from the gateway, but its WebSocket was refused. Most likely a proxy stands in between that
      changes the name of the host, or does not pass WebSockets on.</p>
    <p>Either let the proxy pass <code>Host</code> and <code>Upgrade</code> on, or allow this origin in the gateway's configuration:</p>
    <pre class="code"><code>allowed_origins = ["${location.origin}"]</code></pre>`;
}

/** What is shown while the first connection is being made. */
export function Connecting() {
  return html`<main class="gate" id="main" data-view="connecting">
    <p class="gate-wait" role="status"><${Mark} size=${40} /><span>Connecting to the gateway…</span></p>
  </main>`;
}
