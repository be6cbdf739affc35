// The chat view: the sessions beside the open one, where there is room for both.
import { html } from "../html.js";
import { useDesk } from "../desk.js";
import { hashOf } from "../shell/route.js";
import { Empty } from "../shell/state_panel.js";
import { CreateButton } from "../sessions/create_button.js";
import { SideList } from "./side_list.js";
import { Pane } from "./pane.js";

/** @param {{id: string | null}} props */
export function ChatView({ id }) {
  const { gate } = useDesk();
  const canList = gate.permissions.value.may("session.list");
  return html`<main class="chat" id="main" tabindex="-1" data-view="chat" data-state=${id ? "session" : "none"}>
    ${canList && html`<${SideList} openId=${id} />`}
    ${
      id
        ? html`<${Pane} id=${id} />`
        : html`<div class="pane pane-none"><h1 class="visually-hidden">Chat</h1><${Empty} icon="chat" title="No session is open">
          <p class="muted">Choose one, or begin a new one.</p>
          <div class="row row-center"><${CreateButton} /><a class="button narrow-only" href=${hashOf("sessions")}>All sessions</a>
          </div></${Empty}></div>`
    }
  </main>`;
}
