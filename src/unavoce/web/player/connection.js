// One Socket.IO connection: it comes back by itself, asks with a time limit, and says how it is.

import { ConnectionRefused, Refused } from "./errors.js";
import { is } from "./incoming.js";

/** @import { ConnectionOptions, ConnectionState, Io, Payload } from "./types.d.ts" */

const ANSWER_LIMIT_MS = 10_000;
/** Socket.IO does not come back by itself when it was the server that closed the connection, or would not have it. */
const COME_BACK_MS = 1_000;

export class Connection {
  /** @type {ConnectionState | null} */
  #state = null;
  /** What was shown to the server. */
  #shown = "";
  /** Who waits until it is online. @type {Set<(error?: Refused) => void>} */
  #waiting = new Set();
  #socket;
  #options;

  /** @param {Io} io @param {string | undefined} url @param {ConnectionOptions} options */
  constructor(io, url, options) {
    this.#options = options;
    const socket = io(url, {
      autoConnect: false,
      forceNew: true,
      transports: ["websocket", "polling"],
      tryAllTransports: true,
      auth: (/** @type {(shown: object) => void} */ show) => show(options.auth()),
    });
    socket.on("connect", () => this.#arrive(socket.id));
    socket.on("connect_error", (error) => this.#failed(is.record(error)));
    socket.on("disconnect", (reason) => this.#lost(reason));
    socket.onAny((name, payload) => options.event(name, is.record(payload)));
    this.#socket = socket;
  }

  /** Connect; or connect anew, should there be another key to show. Throws ConnectionRefused. */
  async connect() {
    const shown = JSON.stringify(this.#options.auth());
    if (this.#state === "online" && shown === this.#shown) return;
    this.#shown = shown;
    this.#tell("connecting");
    this.#socket.disconnect().connect();
    await this.#online();
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
    if (!arriving) await this.#online(ANSWER_LIMIT_MS);
    return new Promise((resolve, reject) => {
      this.#socket.timeout(ANSWER_LIMIT_MS).emit(name, payload, (fault, data) => {
        const answer = is.record(data);
        if (fault || answer.ok !== true) {
          reject(this.#refusal(fault, is.record(answer.error)));
          return;
        }
        seen?.(answer);
        resolve(answer);
      });
    });
  }

  /** Tell the server something that may be lost. @param {string} name @param {object} payload */
  tell(name, payload) {
    if (this.#state === "online") this.#socket.emit(name, payload);
  }

  close() {
    this.#state = null;
    this.#socket.disconnect();
    this.#settle(new Refused("offline", "The conversation was closed."));
  }

  /** @param {string | undefined} id of this connection: it may be lost again meanwhile */
  async #arrive(id) {
    const arrived = await this.#options.arrived().then(
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
    const code = is.string(is.record(data).code) || "refused";
    if (code === "stopping") {
      this.#tell("offline", { message: "The server is stopping; trying again." });
      this.#comeBack();
      return;
    }
    // It answered, and would not have us: trying again would not help.
    const refused = new ConnectionRefused(code, is.string(message));
    this.#tell("refused", { code: refused.code, message: refused.message });
    this.#settle(refused);
  }

  /** @param {string} reason */
  #lost(reason) {
    if (reason === "io client disconnect") return;
    this.#tell("offline", { message: "The connection is lost; trying again." });
    if (reason === "io server disconnect") this.#comeBack();
  }

  #comeBack() {
    setTimeout(() => this.#state && this.#socket.connect(), COME_BACK_MS);
  }

  /** @param {ConnectionState} state @param {{ code?: string, message?: string }} [reason] */
  #tell(state, reason) {
    if (state === this.#state) return;
    this.#state = state;
    this.#options.state(state, reason);
  }

  /** Until it is online. @param {number} [limitMs] @returns {Promise<void>} */
  async #online(limitMs) {
    if (this.#state === "online") return;
    if (this.#state === "refused") throw new Refused("refused", "The server refused the connection.");
    await new Promise((resolve, reject) => {
      const settle = (/** @type {Refused | undefined} */ error) => {
        this.#waiting.delete(settle);
        clearTimeout(timer);
        error ? reject(error) : resolve(undefined);
      };
      const late = new Refused("offline", "There is no connection.");
      const timer = limitMs && setTimeout(settle, limitMs, late);
      this.#waiting.add(settle);
    });
  }

  /** @param {Refused} [error] */
  #settle(error) {
    for (const settle of this.#waiting) settle(error);
  }

  /** @param {unknown} fault there was no answer @param {Payload} error what it says */
  #refusal(fault, { code, message }) {
    if (!fault) return new Refused(is.string(code) || "internal", is.string(message));
    if (!this.#socket.connected) return new Refused("offline", "The connection was lost before the server answered.");
    return new Refused("timeout", `The server did not answer within ${ANSWER_LIMIT_MS / 1000} seconds.`);
  }
}
