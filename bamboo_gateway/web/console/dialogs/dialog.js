// A modal dialog: the browser's own, which keeps the focus inside and closes at Esc; the focus goes back to where it was.
import { html } from "../html.js";
import { useEffect, useId, useRef } from "../../vendor/preact/hooks.js";
import { Icon } from "../shell/icons.js";

/** @param {{title: string, onClose: () => void, children?: any, wide?: boolean}} props */
export function Dialog({ title, onClose, children, wide = false }) {
  const element = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const heading = useId();
  useEffect(() => {
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    element.current?.showModal();
    return () => {
      const next = before?.isConnected ? before : document.getElementById("main");
      next?.focus({ preventScroll: true });
    };
  }, []);
  const onClick = (/** @type {MouseEvent} */ event) => {
    if (event.target === element.current) onClose(); // the backdrop
  };
  return html`<dialog ref=${element} class=${wide ? "dialog dialog-wide" : "dialog"} aria-labelledby=${heading}
    onCancel=${(/** @type {Event} */ event) => {
      event.preventDefault();
      onClose();
    }} onClick=${onClick}>
    <div class="dialog-body">
      <header class="dialog-head"><h2 id=${heading}>${title}</h2>
        <button type="button" class="button button-icon button-quiet" aria-label="Close" onClick=${onClose}>
        <${Icon} name="close" /></button>
      </header>
      ${children}
    </div>
  </dialog>`;
}
