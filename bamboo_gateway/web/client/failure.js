// Why no WebSocket came about, as far as a page can find out.
import { ConnectError } from "./errors.js";

/** Milliseconds that the gateway has to answer the question whether it is there. */
const ASK_TIMEOUT = 3000;

/**
 * Say what may be wrong with *url*: where something answers HTTP there, it is not the network.
 *
 * @param {string} url
 * @param {string | undefined} origin The page's.
 * @returns {Promise<ConnectError>}
 */
export async function explain(url, origin) {
  const http = new URL("/version", url.replace(/^ws/, "http"));
  if (!(await answers(http))) {
    return new ConnectError(
      `nothing answers at ${url}: is the gateway running, and is the address right?`,
    );
  }
  const refused = `there is a server at ${http.host}, but it refused a WebSocket`;
  if (!origin || origin === "null" || origin === http.origin) {
    return new ConnectError(`${refused}: the gateway is full or about to stop, or a proxy before it does not pass WebSockets on`);
  }
  return new ConnectError(
    `${refused}: most likely its setting allowed_origins does not list this page's origin, ${origin}; ` +
      `or it is full or about to stop, or a proxy before it does not pass WebSockets on`,
  );
}

/** @param {URL} url */
async function answers(url) {
  try {
    // What it answers may not be read from another origin; that it does is enough.
    await fetch(url, { mode: "no-cors", cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(ASK_TIMEOUT) });
    return true;
  } catch {
    return false;
  }
}
