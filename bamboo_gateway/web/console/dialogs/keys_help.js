// The dialog that lists the shortcuts.
import { html } from "../html.js";
import { KEYS } from "../shell/shortcuts.js";
import { Dialog } from "./dialog.js";

/** @param {{onClose: () => void}} props */
export function KeysHelp({ onClose }) {
  return html`<${Dialog} title="Keyboard shortcuts" wide onClose=${onClose}>
    <div class="keys">
      ${KEYS.map(
        ({ title, rows }) => html`<section><h3>${title}</h3>
          <dl>${rows.map(([keys, does]) => html`<div><dt>${keys.split(" ").map((key) => html`<kbd>${key}</kbd>`)}</dt><dd>
          ${does}</dd></div>`)}</dl>
        </section>`,
      )}
    </div>
  </${Dialog}>`;
}
