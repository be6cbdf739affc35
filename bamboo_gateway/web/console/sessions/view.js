// The list of sessions, as they are now.
import { html } from "../html.js";
import { useEffect, useRef, useState } from "../../vendor/preact/hooks.js";
import { useDesk } from "../desk.js";
import { ViewHead } from "../shell/frame.js";
import { Icon } from "../shell/icons.js";
import { useNow, usePoll } from "../shell/poll.js";
import { Broken, Empty, Loading, Withheld } from "../shell/state_panel.js";
import { plural } from "../text/format.js";
import { CreateButton } from "./create_button.js";
import { DeleteDialog, RenameDialog } from "./session_dialogs.js";
import { extended, ordered, PAGE, refreshed } from "./session_list.js";
import { SessionRow } from "./session_row.js";

/** Milliseconds. */
const INTERVAL = 2000;

/** Milliseconds, while something is searched for: the gateway may have to look through all sessions that it keeps. */
const SEARCH_INTERVAL = 15_000;

/** Milliseconds after the last key, before a search is asked. */
const TYPING = 200;

/** @typedef {{sessions: readonly any[] | null, next: number | null, pages: number, error: unknown, search: string}} Shown */

/** @type {Shown} */
const NOTHING = { sessions: null, next: null, pages: 1, error: null, search: "" };

export function SessionsView() {
  const { gate } = useDesk();
  const lack = gate.permissions.value.lack("session.list");
  return html`<main class="view" id="main" tabindex="-1" data-view="sessions">${lack ? html`<${ViewHead} title="Sessions" />
    <${Withheld} what="The list is not for you to see" reason=${lack}><${CreateButton} hasKey />
    </${Withheld}>` : html`<${SessionList} />`}</main>`;
}

function SessionList() {
  const { search, field, setSearch } = useSearch();
  const { shown, loadOlder, ask } = useSessions(search);
  const { sessions, error } = shown;
  return html`<${ViewHead} title="Sessions" count=${sessions && shown.search === search ? countOf(shown) : undefined}>
      <label class="search"><span class="visually-hidden">Search sessions</span><${Icon} name="search" size=${16} />
        <input ref=${field} type="search" placeholder="Search" title="By name, id or owner (/)" value=${search}
        onInput=${(/** @type {any} */ event) => setSearch(event.target.value)} /></label>
      <${CreateButton} hasKey />
    </${ViewHead}>
    ${error && sessions === null ? html`<${Broken} error=${error} onRetry=${ask} />` : sessions === null ? html`<${Loading}
    what="Reading the sessions…" />` : sessions.length === 0 ? html`<${NoSessions} search=${search} />` : html`<${Rows}
      sessions=${ordered(sessions)} onChanged=${ask} />`}
    ${shown.next !== null && html`<p class="more">
    <button class="button" onClick=${() => void loadOlder()}>Show older sessions</button></p>`}`;
}

/** @param {Shown} shown */
function countOf({ sessions, next }) {
  return next === null ? plural(sessions?.length ?? 0, "session") : `the newest ${sessions?.length}`;
}

/** What is searched for: what was typed, a moment after it was. */
function useSearch() {
  const { shortcuts } = useDesk();
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  const [search, setSearch] = useState("");
  useEffect(() => shortcuts.add("/", () => field.current?.focus()), []);
  return { search, field, setSearch };
}

/** @param {string} typed */
function useSessions(typed) {
  const { gate, toasts } = useDesk();
  const search = useSettled(typed.trim(), TYPING);
  const [shown, setShown] = useState(NOTHING);
  const args = (/** @type {object} */ more) => ({ limit: PAGE, order: "newest", ...(search && { search }), ...more });
  const ask = usePoll(
    async () => {
      try {
        const page = await gate.command("session.list", args({}));
        setShown((now) =>
          now.search === search
            ? {
                ...now,
                sessions: refreshed(now.sessions ?? [], page, now.pages),
                next: now.pages > 1 ? now.next : page.next,
                error: null,
              }
            : { ...NOTHING, sessions: page.sessions, next: page.next, search },
        );
      } catch (error) {
        setShown((now) => ({ ...now, error }));
      }
    },
    search ? SEARCH_INTERVAL : INTERVAL,
    [search],
  );
  const loadOlder = async () => {
    try {
      const page = await gate.command("session.list", args({ after: shown.next }));
      setShown((now) => ({
        ...now,
        sessions: extended(now.sessions ?? [], page),
        next: page.next,
        pages: now.pages + 1,
      }));
    } catch (error) {
      toasts.failed("Older sessions could not be read", error);
    }
  };
  return { shown, loadOlder, ask };
}

/** *value*, once it has been the same for *delay* ms. @param {string} value @param {number} delay */
function useSettled(value, delay) {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), delay);
    return () => clearTimeout(timer);
  }, [value, delay]);
  return settled;
}

/** @param {{search: string}} props */
function NoSessions({ search }) {
  if (search)
    return html`<${Empty} icon="search" title="Nothing is found">
      <p class="muted">No session has “${search}” in its name, its id or its owner.</p></${Empty}>`;
  return html`<${Empty} icon="chat" title="No sessions yet">
    <p class="muted">A session is one conversation with the agent. It goes on when nobody looks, and anybody you share it with can watch.</p>
    <${CreateButton} label="Begin a session" />
    <p class="muted">Or from a terminal: <code>bamboo-gateway chat</code></p></${Empty}>`;
}

/** @param {{sessions: readonly any[], onChanged: () => void}} props */
function Rows({ sessions, onChanged }) {
  const now = useNow(5000);
  const [dialog, setDialog] = useState(/** @type {{kind: "rename" | "delete", session: any} | null} */ (null));
  const close = () => setDialog(null);
  return html`<div class="card table-card"><table class="sessions">
      <thead><tr><th scope="col">Session</th><th scope="col">State</th><th scope="col">Owner</th>
      <th scope="col" class="number">Watchers</th><th scope="col">Last activity</th><th scope="col">
      <span class="visually-hidden">Actions</span></th></tr></thead>
      <tbody>${sessions.map((session) => html`<${SessionRow} key=${session.session_id} session=${session} now=${now}
      onRename=${() => setDialog({ kind: "rename", session })}
        onDelete=${() => setDialog({ kind: "delete", session })} />`)}</tbody>
    </table></div>
    ${dialog?.kind === "rename" && html`<${RenameDialog} session=${dialog.session} onClose=${close} onDone=${onChanged} />`}
    ${dialog?.kind === "delete" && html`<${DeleteDialog} session=${dialog.session} onClose=${close} onDone=${onChanged} />`}`;
}
