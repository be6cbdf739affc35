// The form that asks for the token, once the gateway has asked for it.
import { html } from "../html.js";
import { useEffect, useRef, useState } from "../../vendor/preact/hooks.js";
import { Field } from "../dialogs/field.js";
import { Icon, Mark } from "../shell/icons.js";
import { duration } from "../text/format.js";

/** @param {{gate: import("./gate.js").Gate, reason: string | null, retryAfter: number | null, busy: boolean}} props */
export function SignIn({ gate, reason, retryAfter, busy }) {
  const [token, setToken] = useState("");
  const left = useCountdown(retryAfter);
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  useEffect(() => {
    document.title = "Sign in · Bamboo Gateway"; // it still names the session that was open
  }, []);
  useEffect(() => {
    if (busy) return;
    setToken(""); // it was wrong, and nobody can read what to mend
    field.current?.focus();
  }, [busy]);
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (token.trim() && !busy && left === 0) void gate.signIn(token.trim());
  };
  return html`<main class="gate" id="main" data-view="sign-in">
    <form class="gate-card" onSubmit=${submit}>
      <div class="gate-head"><${Mark} size=${40} /><h1>Sign in to the gateway</h1></div>
      <p class="muted">This gateway asks for a token. Whoever runs it can make one with <code>bamboo-gateway token create</code>.</p>
      ${reason && html`<p class="note note-warning" role="alert"><${Icon} name="warning" /><span>
      ${reason}${left > 0 && html` Try again in ${duration(left)}.`}</span></p>`}
      <${Field} label="Token" hint="Kept in this tab only, and forgotten when you close it.">${(
        /** @type {object} */ own,
      ) => html`<input ref=${field} class="input" ...${own} type="password"
        name="token" autocomplete="off" spellcheck=${false} required value=${token}
          onInput=${(/** @type {any} */ event) => setToken(event.target.value)} />`}</${Field}>
      <button class="button button-primary" type="submit" disabled=${busy || left > 0}>
      ${busy ? "Signing in…" : "Sign in"}</button>
    </form>
  </main>`;
}

/** Whole seconds that are left of *seconds*. @param {number | null} seconds @returns {number} */
export function useCountdown(seconds) {
  const [left, setLeft] = useState(0);
  useEffect(() => {
    if (!seconds) return setLeft(0);
    const end = Date.now() + seconds * 1000;
    const tick = () => setLeft(Math.max(0, Math.ceil((end - Date.now()) / 1000)));
    tick();
    const timer = setInterval(tick, 250);
    return () => clearInterval(timer);
  }, [seconds]);
  return left;
}
