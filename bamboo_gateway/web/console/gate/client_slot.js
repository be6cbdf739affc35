// A place for one connection beside the control connection, as a view opens and leaves it.

/** @typedef {import("../../client/bamboo.js").Client} Client */

/**
 * Holds one client at most. Invariant: whoever is replaced is closed, also who was still being opened: a client that
 * nobody holds would come back for ever.
 */
export class ClientSlot {
  constructor() {
    this.client = /** @type {Client | null} */ (null);
    this.turn = 0;
  }

  /**
   * Open another one in place of this one.
   *
   * @param {() => Promise<Client>} opening
   * @returns {Promise<Client | null>} Null: it was given up meanwhile, and whatever went wrong with it is of no interest.
   */
  async open(opening) {
    this.close();
    const { turn } = this;
    try {
      const client = await opening();
      if (turn === this.turn) return (this.client = client);
      void client.close();
    } catch (error) {
      if (turn === this.turn) throw error;
    }
    return null;
  }

  close() {
    this.turn += 1;
    void this.client?.close();
    this.client = null;
  }
}
