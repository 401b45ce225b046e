// unavoce-player: a conversation with an unavoce server, and its sound. README.md is the manual.

import { Connection } from "./connection.js";
import { OPUS_RATE_HZ } from "./decoding.js";
import { Emitter } from "./events.js";
import { Session } from "./session.js";
import { Sound } from "./sound.js";

export { canPlayOpus } from "./decoding.js";
export { ConnectionRefused, Refused } from "./errors.js";

/** @import { Events, Options, SendOptions } from "./types.d.ts" */

export class Conversation {
  /** Shown to the server at the next `connect()`. @type {string | undefined} */
  apiKey;

  /** @type {Emitter<Events>} */
  #events = new Emitter();
  #connection;
  #sound;
  #session;

  /** @param {Options} options */
  constructor({ io, url, apiKey, sessionId = null, resume, createContext, clock }) {
    this.apiKey = apiKey;
    /** @type {import("./types.d.ts").Emit} */
    const emit = (name, payload) => this.#events.emit(name, payload);
    this.#connection = new Connection({
      io,
      url,
      auth: () => (this.apiKey ? { apiKey: this.apiKey } : {}),
      events: {
        state: (state, reason) => emit("connection", { state, ...reason }),
        event: (name, payload) => this.#session.take(name, payload),
        arrived: () => this.#session.join(),
      },
    });
    this.#sound = new Sound({
      clock,
      createContext,
      emit,
      tell: (name, payload) => this.#connection.tell(name, payload),
      over: (replyId) => this.#session.heard(replyId),
    });
    this.#session = new Session({ connection: this.#connection, sound: this.#sound, emit, sessionId, resume });
  }

  get sessionId() {
    return this.#session.id;
  }

  /** Underruns are counted since the page was loaded; the analyser hears the voice before the volume. */
  get sound() {
    const { state, underruns, underrunMs, analyser } = this.#sound;
    return { state, underruns, underrunMs, analyser };
  }

  /** 0 to 1 */
  get volume() {
    return this.#sound.volume;
  }

  set volume(volume) {
    this.#sound.volume = volume;
  }

  /**
   * @template {keyof Events} Name
   * @param {Name} name
   * @param {(payload: Events[Name]) => void} listener
   * @returns {() => void} takes the listener away again
   */
  on(name, listener) {
    return this.#events.on(name, listener);
  }

  /** Resolves once connected and attached to the session; keeps trying while there is no answer. Throws ConnectionRefused. */
  async connect() {
    await this.#connection.connect();
  }

  /**
   * Say something; within a gesture (a click, a key), which lets the browser play the answer. Throws Refused.
   * @param {string} message
   * @param {SendOptions} [options]
   */
  async send(message, options = {}) {
    if (options.speak !== false) this.#sound.unlock(options.format === "opus" ? OPUS_RATE_HZ : undefined);
    return this.#session.send(message, options);
  }

  /** Silence at once, then stop the session's replies; how many were stopped. Throws Refused. */
  async stop() {
    return this.#session.stop();
  }

  /** The session's messages, oldest first. Throws Refused. */
  async history() {
    return this.#session.history();
  }

  /** Within a gesture: take over the sound of the replies that are being heard elsewhere. Throws Refused. */
  async listen() {
    this.#sound.unlock();
    await this.#session.takeOver();
  }

  /** Within a gesture: let the browser play. */
  unlock() {
    this.#sound.unlock();
  }

  /** Where the listener is, to be kept over a reload and handed in as `resume`. */
  resumePoint() {
    return this.#session.resumePoint();
  }

  /** Silence, and let go of everything. */
  close() {
    this.#sound.close();
    this.#connection.close();
  }
}
