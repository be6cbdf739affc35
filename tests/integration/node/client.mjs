// A client written with `ws`: the wire in a few lines, in either dialect.

import { once } from "node:events";
import WebSocket from "ws";

const camel = (kind) => kind.replace(/(?:^|_)(.)/g, (_, letter) => letter.toUpperCase());
const snake = (name) => name.replace(/(?!^)([A-Z])/g, "_$1").toLowerCase();

export class Client {
    #dialect;
    #events = [];
    #wake = () => {};

    constructor(url, dialect) {
        this.#dialect = dialect;
        this.socket = new WebSocket(url);
        this.closed = once(this.socket, "close").then(([code, reason]) => ({ code, reason: reason.toString() }));
        this.closed.then(() => this.#wake());
        this.socket.on("message", (data, isBinary) => {
            if (isBinary) throw new Error("a binary frame came");
            this.#events.push(this.#read(data.toString()));
            this.#wake();
        });
    }

    async open() {
        await once(this.socket, "open");
    }

    say(kind, fields = {}) {
        const message = this.#dialect === "tagged" ? { type: kind, ...fields } : { [camel(kind)]: fields };
        this.socket.send(JSON.stringify(message));
    }

    /** The next event, or the next of some kinds; the others are dropped. */
    async next(...kinds) {
        for (;;) {
            while (this.#events.length === 0) {
                if (this.socket.readyState === WebSocket.CLOSED) throw new Error("the gateway hung up");
                await new Promise((resolve) => (this.#wake = resolve));
            }
            const event = this.#events.shift();
            if (kinds.length === 0 || kinds.includes(event.type)) return event;
        }
    }

    /** Every event up to the next of this kind. */
    async until(kind) {
        const events = [await this.next()];
        while (events.at(-1).type !== kind) events.push(await this.next());
        return events;
    }

    async close() {
        this.socket.close(1000);
        return this.closed;
    }

    #read(text) {
        const message = JSON.parse(text);
        if (this.#dialect === "tagged") return message;
        const [[name, fields]] = Object.entries(message);
        return { type: snake(name), ...fields };
    }
}
