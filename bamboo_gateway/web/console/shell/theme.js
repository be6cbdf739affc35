// The colour theme: the system's, unless somebody has chosen one in this browser.
import { effect, signal } from "../../vendor/signals/signals.js";
import { Shelf } from "./shelf.js";

/** @typedef {"system" | "light" | "dark"} Theme */

/** What the switch goes through. @type {readonly Theme[]} */
export const THEMES = ["system", "light", "dark"];

/** @param {string | null} text @returns {Theme} */
export function themeFrom(text) {
  return text === "light" || text === "dark" ? text : "system";
}

/** Holds the theme, and keeps the document and the browser's storage in step with it. */
export class ThemeSwitch {
  /** @param {Shelf} shelf @param {HTMLElement} root */
  constructor(shelf, root) {
    this.theme = signal(themeFrom(shelf.get("theme")));
    effect(() => {
      const theme = this.theme.value;
      if (theme === "system") delete root.dataset.theme;
      else root.dataset.theme = theme;
      shelf.set("theme", theme === "system" ? null : theme);
    });
  }

  /** Go on to the next theme. */
  next() {
    this.theme.value = THEMES[(THEMES.indexOf(this.theme.value) + 1) % THEMES.length] ?? "system";
  }
}
