// The button that makes a session, and opens it.
import { html } from "../html.js";
import { useEffect, useState } from "../../vendor/preact/hooks.js";
import { useDesk } from "../desk.js";
import { Icon } from "../shell/icons.js";
import { CreateDialog } from "./session_dialogs.js";

/** @param {{isIcon?: boolean, hasKey?: boolean, label?: string}} props */
export function CreateButton({ isIcon = false, hasKey = false, label = "New session" }) {
  const { gate, route, shortcuts, toasts } = useDesk();
  const [isOpen, setOpen] = useState(false);
  const permissions = gate.permissions.value;
  const mayCreate = permissions.may("session.create");
  const lack = mayCreate || permissions.may("session.abort") ? null : permissions.lack("session.create");
  const open = () => {
    if (mayCreate) return setOpen(true);
    // Whoever may chat is given a session by `connect`; only a name is for others to give.
    gate.openSession().then(
      (id) => route.go("chat", id),
      (error) => toasts.failed("No session could be opened", error),
    );
  };
  useEffect(() => (hasKey && lack === null ? shortcuts.add("n", open) : undefined), [hasKey, lack, mayCreate]);
  const done = (/** @type {any} */ session) => {
    setOpen(false);
    route.go("chat", session.session_id);
  };
  return html`<button type="button" class=${isIcon ? "button button-icon button-quiet" : "button button-primary"}
    aria-label=${isIcon ? label : null}
      title=${lack ?? (hasKey ? `${label} (n)` : label)} disabled=${lack !== null} onClick=${open}><${Icon} name="plus" />
        ${!isIcon && html`<span>${label}</span>`}</button>
    ${isOpen && html`<${CreateDialog} onClose=${() => setOpen(false)} onDone=${done} />`}`;
}
