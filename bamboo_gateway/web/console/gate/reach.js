// Why the WebSocket could not be opened: a browser does not say, so the gateway's HTTP side is asked.

/** `origin`: HTTP answers and the WebSocket does not; `blocked`: the same, after wrong tokens; `unready`: it takes in
 * nobody now; `away`: nothing answers; `refused`: it said why.
 * @typedef {"origin" | "blocked" | "unready" | "away" | "refused"} Problem */

/** Milliseconds. */
const PATIENCE = 4000;

/** What `/readyz` answers while the gateway takes in nobody. */
const UNREADY = 503;

/** @param {typeof fetch} ask @param {string} address Of `/readyz`. @returns {Promise<Problem>} */
export async function diagnose(ask, address) {
  try {
    const answer = await ask(address, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
    if (answer.status === UNREADY) return "unready";
    return answer.ok ? "origin" : "away";
  } catch {
    return "away";
  }
}

/** Where the WebSocket of the page at *location* is: the same host and folder. @param {{protocol: string, host: string, pathname: string}} location */
export function socketAddress({ protocol, host, pathname }) {
  return `${protocol === "https:" ? "wss" : "ws"}://${host}${pathname.replace(/[^/]*$/, "")}`;
}
