// The button that makes a session, and opens it.
import { html } from "../html.js";
import { useEffect, useState } from "../../vendor/preact/hooks.js";
import { useDesk } from "../desk.js";
import { Icon } from "../shell/icons.js";
import { CreateDialog } from "./session_dialogs.js";

/** @param {{isIcon?: boolean, hasKey?: boolean, label?: string}} props */
export function CreateButton({ isIcon = false, hasKey = false, label = "New session" }) {
  const { gate, route, shortcuts } = useDesk();
  const [isOpen, setOpen] = useState(false);
  const lack = gate.permissions.value.lack("session.create");
  useEffect(() => (hasKey && lack === null ? shortcuts.add("n", () => setOpen(true)) : undefined), [hasKey, lack]);
  const done = (/** @type {any} */ session) => {
    setOpen(false);
    route.go("chat", session.session_id);
  };
  return html`<button type="button" class=${isIcon ? "button button-icon button-quiet" : "button button-primary"} aria-label=${isIcon ? label : null}
      title=${lack ?? (hasKey ? `${label} (n)` : label)} disabled=${lack !== null} onClick=${() => setOpen(true)}><${Icon} name="plus" />${!isIcon && html`<span>${label}</span>`}</button>
    ${isOpen && html`<${CreateDialog} onClose=${() => setOpen(false)} onDone=${done} />`}`;
}
