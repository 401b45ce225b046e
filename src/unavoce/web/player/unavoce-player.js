// unavoce-player: a conversation with an unavoce server, and its sound. README.md is the manual.

import { Connection } from "./connection.js";
import { OPUS_RATE_HZ } from "./decoding.js";
import { Emitter } from "./events.js";
import { is } from "./incoming.js";
import { Session } from "./session.js";
import { Sound } from "./sound.js";

export { canPlayOpus } from "./decoding.js";
export { ConnectionRefused, Refused } from "./errors.js";

/** @import { Emit, Message, Options } from "./types.d.ts" */
/** @typedef {import("./types.d.ts").Events} Events */
/** @typedef {import("./types.d.ts").SendOptions} SendOptions */

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
    /** @type {Emit} */
    const emit = (name, payload) => this.#events.emit(name, payload);
    this.#connection = new Connection(io, url, {
      auth: () => (this.apiKey ? { apiKey: this.apiKey } : {}),
      state: (state, reason) => emit("connection", { state, ...reason }),
      event: (name, payload) => this.#session.take(name, payload),
      arrived: () => this.#session.join(),
    });
    this.#sound = new Sound({
      clock,
      createContext,
      emit,
      tell: (name, payload) => this.#connection.tell(name, payload),
      over: (replyId) => this.#session.heard(replyId),
    });
    this.#session = new Session(this.#connection, this.#sound, emit, sessionId, resume);
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
  async send(message, { speak = true, interrupt = false, ...manner } = {}) {
    if (speak) this.#sound.unlock(manner.format === "opus" ? OPUS_RATE_HZ : undefined);
    if (interrupt) this.#session.silence();
    const payload = { message, sessionId: this.sessionId ?? undefined, speak, interrupt, ...manner };
    try {
      const answer = await this.#connection.ask("chat:send", payload, (begun) => this.#session.begun(begun, speak));
      return { sessionId: is.string(answer.sessionId), replyId: is.string(answer.replyId) };
    } catch (error) {
      // The others are silent here, whether or not the message that was to stop them was taken.
      if (interrupt) this.stop().catch(() => {});
      throw error;
    }
  }

  /** Silence at once, then stop the session's replies; how many were stopped. Throws Refused. */
  async stop() {
    this.#session.silence();
    if (!this.sessionId) return 0;
    return is.count((await this.#connection.ask("chat:abort", { sessionId: this.sessionId })).aborted) ?? 0;
  }

  /** Silence at once, then have the server forget the session; how many messages it had. Throws Refused. */
  async forget() {
    this.#session.silence();
    if (!this.sessionId) return 0;
    const { messages } = await this.#connection.ask("chat:forget", { sessionId: this.sessionId });
    this.#session.leave();
    return is.count(messages) ?? 0;
  }

  /** The session's messages, oldest first. Throws Refused. @returns {Promise<Message[]>} */
  async history() {
    if (!this.sessionId) return [];
    const { messages } = await this.#connection.ask("chat:history", { sessionId: this.sessionId });
    return /** @type {any[]} */ (is.list(messages).filter((message) => typeof is.record(message).text === "string"));
  }

  /** Within a gesture: take over the sound of the replies that are being heard elsewhere. Throws Refused. */
  async listen() {
    this.#sound.unlock();
    const messages = await this.history();
    await this.#session.takeOver(
      new Map(messages.map(({ replyId, heardText }) => [is.string(replyId), is.string(heardText)])),
    );
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
