// What one's token allows, as the gateway's `help` tells it.

/** What a command takes, for the words that explain why it is not there. @type {Record<string, string>} */
const NEEDS = {
  "session.list": "sessions:read",
  "session.get": "sessions:read or chat",
  "session.history": "sessions:read or chat",
  "session.create": "sessions:write",
  "session.rename": "sessions:write",
  "session.delete": "sessions:write",
  "session.share": "sessions:write",
  "session.abort": "chat or sessions:write",
  "presence.list": "sessions:read or chat",
  "channel.list": "channels",
  "channel.create": "channels",
  "channel.delete": "channels",
  "channel.join": "channels",
  "channel.leave": "channels",
  "channel.send": "channels",
  "gateway.stats": "metrics",
  "connection.list": "admin",
};

/** The commands that one may run. */
export class Permissions {
  /** @param {Set<string> | null} names Null: nobody knows, so nothing is withheld. */
  constructor(names) {
    this.names = names;
  }

  static unknown() {
    return new Permissions(null);
  }

  /** @param {{command: (name: string) => Promise<any>}} client @returns {Promise<Permissions>} */
  static async ask(client) {
    try {
      const help = await client.command("help");
      return new Permissions(new Set(help.commands.map((/** @type {{name: string}} */ each) => each.name)));
    } catch {
      return Permissions.unknown();
    }
  }

  /** @param {string} command @returns {boolean} */
  may(command) {
    return this.names === null || this.names.has(command);
  }

  /** Why one may not run *command*; null: one may. @param {string} command @returns {string | null} */
  lack(command) {
    if (this.may(command)) return null;
    const scope = NEEDS[command];
    return scope ? `Your token lacks the scope ${scope}.` : `Your token does not allow ${command}.`;
  }
}
