// A block of code, and a button that copies it.
import { html } from "../html.js";
import { useEffect, useState } from "../../vendor/preact/hooks.js";
import { copyText } from "../shell/clipboard.js";
import { Icon } from "../shell/icons.js";

/** Milliseconds that the button says so. */
const SAID = 2000;

/** @param {{text: string, language?: string}} props */
export function CodeBlock({ text, language = "" }) {
  const name = language.split(/\s/)[0] ?? "";
  return html`<div class="code-block">
    <div class="code-head"><span class="code-language">${name || "text"}</span><${CopyButton} text=${text} what="code" /></div>
    <pre class="code" tabindex="0" role="group" aria-label=${name ? `Code, ${name}` : "Code"}><code>${text}</code></pre>
  </div>`;
}

/** @param {{text: string, what: string}} props */
export function CopyButton({ text, what }) {
  const [outcome, setOutcome] = useState(/** @type {"" | "copied" | "failed"} */ (""));
  useEffect(() => {
    if (!outcome) return;
    const timer = setTimeout(() => setOutcome(""), SAID);
    return () => clearTimeout(timer);
  }, [outcome]);
  const copy = () =>
    copyText(text).then(
      () => setOutcome("copied"),
      () => setOutcome("failed"),
    );
  return html`<button type="button" class="button button-quiet button-small"
    aria-label=${outcome === "copied" ? "Copied" : `Copy ${what}`} onClick=${copy}>
    <${Icon} name=${outcome === "copied" ? "check" : "copy"} size=${15} /><span>
    ${outcome === "copied" ? "Copied" : outcome === "failed" ? "Not allowed here" : "Copy"}</span></button>`;
}
