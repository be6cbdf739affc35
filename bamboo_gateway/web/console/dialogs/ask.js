// Dialogs that ask one thing: a name, or whether to go through with it.
import { html } from "../html.js";
import { useState } from "../../vendor/preact/hooks.js";
import { trouble } from "../text/advice.js";
import { sentence } from "../text/format.js";
import { Icon } from "../shell/icons.js";
import { Dialog } from "./dialog.js";
import { Field } from "./field.js";

/** What an attempt needs: whether it runs, what went wrong, and a way to try. @param {() => Promise<void>} attempt */
function useAttempt(attempt) {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState(/** @type {unknown} */ (null));
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setFailure(null);
    try {
      await attempt();
    } catch (error) {
      setFailure(error);
      setBusy(false);
    }
  };
  return { busy, failure, submit };
}

/** @param {{error: unknown}} props */
export function Failure({ error }) {
  if (!error) return null;
  const { title, message, todo } = trouble(error);
  return html`<p class="note note-danger" role="alert"><${Icon} name="warning" /><span><strong>
    ${title}.</strong> ${sentence(message)} ${todo}</span></p>`;
}

/**
 * @param {{
 *   title: string, label: string, hint?: string, value?: string, action: string, isRequired?: boolean,
 *   onClose: () => void, onSubmit: (name: string) => Promise<void>,
 * }} props *onSubmit* closes the dialog by what it changes; what it throws is shown.
 */
export function AskName({ title, label, hint, value = "", action, isRequired = false, onClose, onSubmit }) {
  const [name, setName] = useState(value);
  const { busy, failure, submit } = useAttempt(() => onSubmit(name.trim()));
  return html`<${Dialog} title=${title} onClose=${onClose}>
    <form class="stack" onSubmit=${submit}>
      <${Field} label=${label} hint=${hint}>${(
        /** @type {object} */ own,
      ) => html`<input class="input" ...${own} name="name" maxlength="256" autocomplete="off" autofocus
        required=${isRequired} value=${name} onInput=${(/** @type {any} */ event) => setName(event.target.value)} />`}</${Field}>
      <${Failure} error=${failure} />
      <div class="row row-end">
        <button type="button" class="button" onClick=${onClose}>Cancel</button>
        <button class="button button-primary" type="submit" disabled=${busy}>${action}</button>
      </div>
    </form>
  </${Dialog}>`;
}

/** @param {{title: string, action: string, onClose: () => void, onConfirm: () => Promise<void>, children?: any}} props */
export function Confirm({ title, action, onClose, onConfirm, children }) {
  const { busy, failure, submit } = useAttempt(onConfirm);
  return html`<${Dialog} title=${title} onClose=${onClose}>
    <form class="stack" onSubmit=${submit}>
      <div>${children}</div>
      <${Failure} error=${failure} />
      <div class="row row-end">
        <button type="button" class="button" autofocus onClick=${onClose}>Cancel</button>
        <button class="button button-danger" type="submit" disabled=${busy}>${action}</button>
      </div>
    </form>
  </${Dialog}>`;
}
