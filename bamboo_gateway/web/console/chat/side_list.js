// The newest sessions, beside the open one.
import { html } from "../html.js";
import { useState } from "../../vendor/preact/hooks.js";
import { useDesk } from "../desk.js";
import { useNow, usePoll } from "../shell/poll.js";
import { hashOf } from "../shell/route.js";
import { ago, sessionTitle } from "../text/format.js";
import { CreateButton } from "../sessions/create_button.js";
import { ordered } from "../sessions/session_list.js";

/** Milliseconds. */
const INTERVAL = 3000;

/** @param {{openId: string | null}} props */
export function SideList({ openId }) {
  const { gate } = useDesk();
  const now = useNow(5000);
  const [sessions, setSessions] = useState(/** @type {any[]} */ ([]));
  usePoll(
    async () => setSessions((await gate.command("session.list", { limit: 50, order: "newest" })).sessions),
    INTERVAL,
    [openId],
  );
  return html`<nav class="side-list" aria-label="Sessions">
    <div class="side-list-head"><h2>Sessions</h2><${CreateButton} isIcon /></div>
    <ul>${ordered(sessions).map(
      (
        session,
      ) => html`<li key=${session.session_id}>
        <a href=${hashOf("chat", session.session_id)} aria-current=${session.session_id === openId ? "page" : null}>
        <span class="dot" data-state=${session.state} aria-hidden="true"></span>
        <span class="side-name">${sessionTitle(session)}</span>
        <span class="side-when muted">${session.state === "running" ? "running" : ago(session.last_activity, now)}</span></a>
        </li>`,
    )}</ul>
  </nav>`;
}
