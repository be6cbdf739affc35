// Whether the browser thinks that it has a network.
import { signal } from "../../vendor/signals/signals.js";

/** Follows the browser's word. It is no promise: online may be a network without the gateway. */
export class Network {
  /** @param {Window} page */
  constructor(page) {
    this.isOnline = signal(page.navigator.onLine);
    page.addEventListener("online", () => (this.isOnline.value = true));
    page.addEventListener("offline", () => (this.isOnline.value = false));
  }
}
