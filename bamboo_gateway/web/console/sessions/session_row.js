// One session in the list.
import { html } from "../html.js";
import { useDesk } from "../desk.js";
import { hashOf } from "../shell/route.js";
import { Icon } from "../shell/icons.js";
import { ago, moment, plural, sessionTitle, shortId } from "../text/format.js";
import { sharedWith } from "./session_list.js";

/** @param {{session: any, now: number, onRename: () => void, onDelete: () => void}} props */
export function SessionRow({ session, now, onRename, onDelete }) {
  const title = sessionTitle(session);
  const shared = sharedWith(session);
  return html`<tr data-session=${session.session_id} data-state=${session.state}>
    <th scope="row" class="session-name"><a href=${hashOf("chat", session.session_id)}>${title}</a>
      <span class="session-sub muted">${session.name && html`<code title=${session.session_id}>
      ${shortId(session.session_id)}</code>`}${shared && html`<span class="tag"><${Icon} name="people" size=${13} />
      ${shared}</span>`}</span></th>
    <td class="session-state"><${State} session=${session} /></td>
    <td class="session-owner" data-label="Owner">${session.user_id}</td>
    <td class="number session-watchers" data-label="Watchers" title=${plural(session.watchers, "watcher")}>
    ${session.watchers || html`<span class="muted">0</span>`}</td>
    <td class="session-when" data-label="Last activity">
    <time datetime=${new Date(session.last_activity).toISOString()} title=${moment(session.last_activity)}>
    ${ago(session.last_activity, now)}</time></td>
    <td class="session-actions"><${Actions} session=${session} title=${title} onRename=${onRename} onDelete=${onDelete} /></td>
  </tr>`;
}

/** @param {{session: any}} props */
function State({ session }) {
  return html`<span class="state" data-state=${session.state}><span class="dot" aria-hidden="true"></span>
    ${session.state === "running" ? "Running" : "Idle"}</span>
    ${session.queued > 0 && html` <span class="tag">${session.queued} queued</span>`}`;
}

/** @param {{session: any, title: string, onRename: () => void, onDelete: () => void}} props */
function Actions({ session, title, onRename, onDelete }) {
  const permissions = useDesk().gate.permissions.value;
  const why = (/** @type {string} */ command) =>
    session.access === "own" ? permissions.lack(command) : "Only its owner may do that.";
  const noRename = why("session.rename");
  const noDelete = why("session.delete");
  return html`<button class="button button-icon button-quiet" aria-label=${`Rename ${title}`} title=${noRename ?? "Rename"}
    disabled=${noRename !== null} onClick=${onRename}><${Icon} name="edit" /></button>
    <button class="button button-icon button-quiet" aria-label=${`Delete ${title}`} title=${noDelete ?? "Delete"}
    disabled=${noDelete !== null} onClick=${onDelete}><${Icon} name="trash" /></button>`;
}
