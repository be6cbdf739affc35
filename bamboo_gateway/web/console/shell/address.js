// The page's address bar: tells the route, and goes to another.
import { signal } from "../../vendor/signals/signals.js";
import { hashOf, parseRoute } from "./route.js";

/** Follows the address bar's hash. Invariant: `route` is what stands there. */
export class Address {
  /** @param {Window} page */
  constructor(page) {
    this.page = page;
    this.route = signal(parseRoute(page.location.hash));
    page.addEventListener("hashchange", () => {
      this.route.value = parseRoute(page.location.hash);
    });
  }

  /** @param {import("./route.js").ViewName} view @param {string | null} [id] */
  go(view, id = null) {
    this.page.location.hash = hashOf(view, id);
  }
}
