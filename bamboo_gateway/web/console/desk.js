// What every view of the console needs at hand, put together once and handed down by context.
import { createContext } from "../vendor/preact/preact.js";
import { useContext } from "../vendor/preact/hooks.js";

/**
 * @typedef {{
 *   gate: import("./gate/gate.js").Gate,
 *   route: import("./shell/address.js").Address,
 *   network: import("./shell/network.js").Network,
 *   theme: import("./shell/theme.js").ThemeSwitch,
 *   shelf: import("./shell/shelf.js").Shelf,
 *   announcer: import("./shell/announcer.js").Announcer,
 *   toasts: import("./shell/toasts.js").Toasts,
 *   shortcuts: import("./shell/shortcuts.js").Shortcuts,
 *   frames: import("./events/recorder.js").Recorder,
 *   stats: import("./overview/stats.js").Stats,
 * }} Desk
 */

export const DeskContext = createContext(/** @type {Desk | null} */ (null));

/** @returns {Desk} */
export function useDesk() {
  const desk = useContext(DeskContext);
  if (!desk) throw new Error("a view stands outside of the console");
  return desk;
}
