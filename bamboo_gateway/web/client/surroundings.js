// What a page learns of itself and of its network: is it online, was it put aside and shown again?

/**
 * @typedef {object} Surroundings
 * @property {() => boolean} isOnline As far as is known.
 * @property {(change: (kind: "online" | "offline" | "shown") => void) => () => void} watch Tell of changes; what it
 *   returns ends that. *shown*: the page was hidden, frozen or in the cache for "back", and no longer is.
 */

/** @type {Surroundings} */
export const SURROUNDINGS = {
  isOnline: () => globalThis.navigator?.onLine !== false, // where nobody knows, there is nothing to wait for
  watch: (change) => {
    const ending = new AbortController();
    const { signal } = ending;
    if (typeof globalThis.addEventListener === "function") {
      addEventListener("online", () => change("online"), { signal });
      addEventListener("offline", () => change("offline"), { signal });
      addEventListener("pageshow", (event) => event.persisted && change("shown"), { signal });
    }
    if (typeof globalThis.document?.addEventListener === "function") {
      const shown = () => document.visibilityState === "visible" && change("shown");
      document.addEventListener("visibilitychange", shown, { signal });
      document.addEventListener("resume", () => change("shown"), { signal });
    }
    return () => ending.abort();
  },
};

/**
 * Is *url* on this machine, and so in reach whatever the network does?
 *
 * @param {string} url
 */
export function isLocal(url) {
  const { hostname } = new URL(url);
  return hostname === "localhost" || hostname.endsWith(".localhost") || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
}
