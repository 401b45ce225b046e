// One Socket.IO connection: it comes back by itself, asks with a time limit, and says how it is.

import { ConnectionRefused, Refused } from "./errors.js";
import { record, string } from "./incoming.js";

const ANSWER_LIMIT_MS = 10_000;
/** Socket.IO does not come back by itself when it was the server that closed the connection. */
const COME_BACK_MS = 1_000;

/**
 * @typedef {"connecting" | "online" | "offline" | "refused"} State
 * @typedef {{ code?: string, message?: string }} Reason
 *
 * @typedef {object} ConnectionEvents
 * @property {(state: State, reason?: Reason) => void} state
 * @property {(name: string, payload: import("./incoming.js").Payload) => void} event
 * @property {() => Promise<void>} arrived connected anew: take up what there was, before anything else is asked
 *
 * @typedef {{ resolve: () => void, reject: (error: Refused) => void }} Waiter
 */

export class Connection {
  /** @type {State | null} */
  #state = null;
  /** @type {any} Socket.IO's own type, which only its package knows. */
  #socket = null;
  /** @type {Set<Waiter>} */
  #waiters = new Set();
  #shown = "";
  #io;
  #url;
  #auth;
  #events;

  /**
   * @param {object} options
   * @param {(url: string | undefined, options: object) => any} options.io
   * @param {string | undefined} options.url
   * @param {() => object} options.auth what to show the server, asked for at each attempt
   * @param {ConnectionEvents} options.events
   */
  constructor({ io, url, auth, events }) {
    this.#io = io;
    this.#url = url;
    this.#auth = auth;
    this.#events = events;
  }

  get online() {
    return this.#state === "online";
  }

  /** Connect; or connect anew, should there be another thing to show the server. @returns {Promise<void>} */
  async connect() {
    const shown = JSON.stringify(this.#auth());
    if (this.online && shown === this.#shown) return;
    this.#shown = shown;
    this.#socket ??= this.#open();
    this.#socket.disconnect();
    this.#tell("connecting");
    const connected = this.#wait();
    this.#socket.connect();
    await connected;
  }

  /**
   * Ask the server; while the connection is lost, wait for it.
   * @param {string} name
   * @param {object} payload
   * @param {object} [options]
   * @param {(answer: import("./incoming.js").Payload) => void} [options.seen] called with the answer before any later event
   * @param {boolean} [options.arriving] part of `arrived`, which the others wait for
   * @returns {Promise<import("./incoming.js").Payload>} the acknowledgement
   * @throws {Refused} as the server says, or `timeout`, `offline`
   */
  async ask(name, payload, { seen, arriving = false } = {}) {
    if (!this.#socket) throw new Refused("offline", "There is no connection to the server; connect() makes one.");
    if (this.#state === "refused") throw new Refused("refused", "The server refused the connection.");
    if (!arriving && !this.online) await this.#wait(ANSWER_LIMIT_MS);
    return new Promise((resolve, reject) => {
      this.#socket.timeout(ANSWER_LIMIT_MS).emit(name, payload, (/** @type {unknown} */ fault, /** @type {unknown} */ data) => {
        const answer = record(data);
        if (fault) return reject(this.#unanswered());
        if (answer.ok !== true) return reject(refusal(answer.error));
        seen?.(answer);
        resolve(answer);
      });
    });
  }

  /** Tell the server something that does not matter when it is lost. @param {string} name @param {object} payload */
  tell(name, payload) {
    if (this.online) this.#socket.emit(name, payload);
  }

  close() {
    this.#socket?.disconnect();
    this.#socket = null;
    this.#settle(new Refused("closed", "The conversation was closed."));
  }

  #open() {
    const socket = this.#io(this.#url, {
      autoConnect: false,
      forceNew: true,
      transports: ["websocket", "polling"],
      tryAllTransports: true,
      auth: (/** @type {(data: object) => void} */ show) => show(this.#auth()),
    });
    socket.on("connect", () => void this.#arrive(socket.id));
    socket.on("connect_error", (/** @type {unknown} */ error) => this.#failed(record(error)));
    socket.on("disconnect", (/** @type {string} */ reason) => this.#lost(reason));
    socket.onAny((/** @type {string} */ name, /** @type {unknown} */ payload) => this.#events.event(name, record(payload)));
    return socket;
  }

  /** @param {string} id of this connection */
  async #arrive(id) {
    try {
      await this.#events.arrived();
    } catch {
      // Lost again, or no answer: try once more from the beginning.
      if (this.#socket?.id === id) this.#again();
      return;
    }
    if (this.#socket?.id !== id) return;
    this.#tell("online");
    this.#settle();
  }

  #again() {
    this.#socket?.disconnect().connect();
  }

  /** @param {import("./incoming.js").Payload} error */
  #failed({ data, message }) {
    if (this.#socket?.active) return this.#tell("offline", { message: "The server cannot be reached; trying again." });
    // The server answered, and would not have us. Trying again would not help.
    const code = string(record(data).code) || "refused";
    const refused = new ConnectionRefused(code, string(message) || "The server refused the connection.");
    this.#tell("refused", { code, message: refused.message });
    this.#settle(refused);
  }

  /** @param {string} reason */
  #lost(reason) {
    if (reason === "io client disconnect") return;
    this.#tell("offline", { message: "The connection is lost; trying again." });
    if (reason === "io server disconnect") setTimeout(() => this.#socket?.connect(), COME_BACK_MS);
  }

  /** @param {State} state @param {Reason} [reason] */
  #tell(state, reason) {
    if (state === this.#state) return;
    this.#state = state;
    this.#events.state(state, reason);
  }

  /** Until online. @param {number} [limitMs] @returns {Promise<void>} */
  #wait(limitMs) {
    return new Promise((resolve, reject) => {
      const waiter = { resolve, reject };
      this.#waiters.add(waiter);
      if (limitMs === undefined) return;
      setTimeout(() => {
        if (this.#waiters.delete(waiter)) reject(new Refused("offline", "There is no connection to the server."));
      }, limitMs);
    });
  }

  /** @param {Refused} [error] */
  #settle(error) {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const { resolve, reject } of waiters) error ? reject(error) : resolve();
  }

  #unanswered() {
    if (!this.#socket?.connected) return new Refused("offline", "The connection was lost before the server answered.");
    return new Refused("timeout", `The server did not answer within ${ANSWER_LIMIT_MS / 1000} seconds.`);
  }
}

/** @param {unknown} error as it stands in an acknowledgement */
function refusal(error) {
  const { code, message } = record(error);
  return new Refused(string(code) || "internal", string(message) || "The server refused without saying why.");
}
