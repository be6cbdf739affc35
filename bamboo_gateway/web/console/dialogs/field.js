// A field of a form: its label, the control, and a hint that belongs to it.
import { html } from "../html.js";
import { useId } from "../../vendor/preact/hooks.js";

/**
 * @param {{label: string, hint?: string, isInline?: boolean, children?: any}} props
 *   *children* makes the control of what it must have: `id`, and `aria-describedby` where there is a hint.
 */
export function Field({ label, hint, isInline = false, children }) {
  const id = useId();
  const described = hint ? { id, "aria-describedby": `${id}-hint` } : { id };
  return html`<div class=${isInline ? "field-inline" : "field"}>
    <label class=${isInline ? null : "label"} for=${id}>${label}</label>${children(described)}
    ${hint && html`<span class="hint" id=${`${id}-hint`}>${hint}</span>`}
  </div>`;
}
