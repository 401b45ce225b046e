// One Socket.IO connection: it comes back by itself, asks with a time limit, and says how it is.

import { ConnectionRefused, Refused } from "./errors.js";
import { record, string } from "./incoming.js";

/** @import { ConnectionEvents, ConnectionState, Io, Payload } from "./types.d.ts" */

const ANSWER_LIMIT_MS = 10_000;
/** Socket.IO does not come back by itself when it was the server that closed the connection. */
const COME_BACK_MS = 1_000;

export class Connection {
  /** @type {ConnectionState | null} */
  #state = null;
  /** @type {ReturnType<Io>} */
  #socket = null;
  /** Who waits until it is online. @type {Set<(error?: Refused) => void>} */
  #waiting = new Set();
  #shown = "";
  #options;

  /** @param {{ io: Io, url: string | undefined, auth: () => object, events: ConnectionEvents }} options */
  constructor(options) {
    this.#options = options;
  }

  /** Connect; or connect anew, should there be another key to show. Throws ConnectionRefused. */
  async connect() {
    const shown = JSON.stringify(this.#options.auth());
    if (this.#state === "online" && shown === this.#shown) return;
    this.#shown = shown;
    this.#socket ??= this.#open();
    this.#socket.disconnect();
    this.#tell("connecting");
    const online = this.#online();
    this.#socket.connect();
    await online;
  }

  /**
   * Ask the server; while the connection is lost, wait for it.
   * @param {string} name
   * @param {object} payload
   * @param {(answer: Payload) => void} [seen] called with the answer before any event that comes after it
   * @param {boolean} [arriving] part of `arrived`, which all others wait for
   * @returns {Promise<Payload>} the acknowledgement
   * @throws {Refused} as the server says, or `timeout` or `offline`
   */
  async ask(name, payload, seen, arriving = false) {
    if (this.#state === null || this.#state === "refused") throw new Refused("offline", "There is no connection.");
    if (!arriving) await this.#online(ANSWER_LIMIT_MS);
    return new Promise((resolve, reject) => {
      const answered = (/** @type {unknown} */ fault, /** @type {unknown} */ data) => {
        const answer = record(data);
        if (fault || answer.ok !== true) return reject(this.#refusal(fault, record(answer.error)));
        seen?.(answer);
        resolve(answer);
      };
      this.#socket.timeout(ANSWER_LIMIT_MS).emit(name, payload, answered);
    });
  }

  /** Tell the server something that may be lost. @param {string} name @param {object} payload */
  tell(name, payload) {
    if (this.#state === "online") this.#socket.emit(name, payload);
  }

  close() {
    this.#socket?.disconnect();
    this.#state = null;
    this.#settle(new Refused("closed", "The conversation was closed."));
  }

  #open() {
    const { io, url, auth, events } = this.#options;
    const socket = io(url, {
      autoConnect: false,
      forceNew: true,
      transports: ["websocket", "polling"],
      tryAllTransports: true,
      auth: (/** @type {(data: object) => void} */ show) => show(auth()),
    });
    socket.on("connect", () => this.#arrive(socket.id));
    socket.on("connect_error", (/** @type {unknown} */ error) => this.#failed(record(error)));
    socket.on("disconnect", (/** @type {string} */ reason) => this.#lost(reason));
    socket.onAny((/** @type {string} */ name, /** @type {unknown} */ payload) => events.event(name, record(payload)));
    return socket;
  }

  /** @param {string} id of this connection: it may be lost again meanwhile */
  async #arrive(id) {
    const arrived = await this.#options.events.arrived().then(
      () => true,
      () => false,
    );
    if (this.#socket.id !== id) return;
    if (!arrived) return this.#socket.disconnect().connect();
    this.#tell("online");
    this.#settle();
  }

  /** @param {Payload} error */
  #failed({ data, message }) {
    if (this.#socket.active) return this.#tell("offline", { message: "The server cannot be reached; trying again." });
    // It answered, and would not have us: trying again would not help.
    const refused = new ConnectionRefused(string(record(data).code) || "refused", string(message));
    this.#tell("refused", { code: refused.code, message: refused.message });
    this.#settle(refused);
  }

  /** @param {string} reason */
  #lost(reason) {
    if (reason === "io client disconnect") return;
    this.#tell("offline", { message: "The connection is lost; trying again." });
    if (reason === "io server disconnect") setTimeout(() => this.#socket.connect(), COME_BACK_MS);
  }

  /** @param {ConnectionState} state @param {{ code?: string, message?: string }} [reason] */
  #tell(state, reason) {
    if (state === this.#state) return;
    this.#state = state;
    this.#options.events.state(state, reason);
  }

  /** Until it is online. @param {number} [limitMs] @returns {Promise<void>} */
  async #online(limitMs) {
    if (this.#state === "online") return;
    return new Promise((resolve, reject) => {
      const settled = (/** @type {Refused | undefined} */ error) => (error ? reject(error) : resolve());
      this.#waiting.add(settled);
      const late = () => this.#waiting.delete(settled) && reject(new Refused("offline", "There is no connection."));
      if (limitMs) setTimeout(late, limitMs);
    });
  }

  /** @param {Refused} [error] */
  #settle(error) {
    for (const settled of this.#waiting) settled(error);
    this.#waiting.clear();
  }

  /** @param {unknown} fault there was no answer @param {Payload} error what it says */
  #refusal(fault, { code, message }) {
    if (!fault) return new Refused(string(code) || "internal", string(message));
    if (!this.#socket.connected) return new Refused("offline", "The connection was lost before the server answered.");
    return new Refused("timeout", `The server did not answer within ${ANSWER_LIMIT_MS / 1000} seconds.`);
  }
}
