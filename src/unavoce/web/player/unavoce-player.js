// unavoce-player: a conversation with an unavoce server, and its sound. README.md is the manual.

import { Connection } from "./connection.js";
import { OPUS_RATE_HZ } from "./decoding.js";
import { Emitter } from "./events.js";
import { list, record } from "./incoming.js";
import { Listener } from "./listener.js";
import { resumable } from "./resume.js";
import { Sound } from "./sound.js";

export { canPlayOpus } from "./decoding.js";
export { ConnectionRefused, Refused } from "./errors.js";

/**
 * @typedef {object} Options
 * @property {(url: string | undefined, options: object) => any} io socket.io-client's `io`
 * @property {string} [url] the server; the page's own origin without it
 * @property {string} [apiKey]
 * @property {string | null} [sessionId] a session to attach to on connecting
 * @property {unknown} [resume] what `resumePoint()` gave before a reload
 * @property {(rateHz: number) => BaseAudioContext} [createContext]
 * @property {import("./sound.js").Clock} [clock] for tests
 *
 * @typedef {object} SendOptions
 * @property {string | null} [voice]
 * @property {number | null} [speed] 0.5 to 2
 * @property {boolean} [speak] false: text only
 * @property {"wav" | "opus" | null} [format] of the sound; the server's default without it
 * @property {boolean} [interrupt] first stop the session's other replies
 *
 * @typedef {{ role: string, text: string, heardText?: string, replyId?: string, at: number }} Message
 */

export class Conversation {
  /** Used from the next `connect()` on. @type {string | undefined} */
  apiKey;

  #events = /** @type {Emitter<import("./listener.js").Events>} */ (new Emitter());
  #connection;
  #sound;
  #listener;

  /** @param {Options} options */
  constructor({ io, url, apiKey, sessionId, resume, createContext, clock }) {
    this.apiKey = apiKey;
    const emit = /** @type {import("./listener.js").Emit} */ ((name, payload) => this.#events.emit(name, payload));
    this.#connection = new Connection({
      io,
      url,
      auth: () => (this.apiKey ? { apiKey: this.apiKey } : {}),
      events: {
        state: (state, reason) => emit("connection", { state, ...reason }),
        event: (name, payload) => this.#listener.take(name, payload),
        arrived: () => this.#listener.join(),
      },
    });
    this.#sound = new Sound({
      clock,
      createContext,
      events: {
        state: (state) => emit("sound", { state }),
        speaking: (replyId, sentence) => emit("speaking", { replyId, sentence }),
        heard: (replyId, sentence, fromMs, toMs) => emit("heard", { replyId, sentence, fromMs, toMs }),
        played: (replyId, index, positionMs) => this.#connection.tell("chat:played", { replyId, index, positionMs }),
        underrun: (replyId, gapMs) => emit("underrun", { replyId, gapMs, count: this.#sound.underruns }),
        error: (replyId, code, message) => emit("error", { replyId, code, message }),
        over: (replyId) => this.#listener.heard(replyId),
      },
    });
    this.#listener = new Listener({ connection: this.#connection, sound: this.#sound, emit });
    const point = resumable(resume);
    this.#listener.sessionId = point?.sessionId ?? sessionId ?? null;
    this.#listener.resume = point;
  }

  /** @returns {string | null} */
  get sessionId() {
    return this.#listener.sessionId;
  }

  /** `state` · `underruns` and `underrunMs` since the page was loaded · `analyser` of what is heard, before the volume */
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
   * @template {keyof import("./listener.js").Events} Name
   * @param {Name} name
   * @param {(payload: import("./listener.js").Events[Name]) => void} listener
   * @returns {() => void} takes the listener away again
   */
  on(name, listener) {
    return this.#events.on(name, listener);
  }

  /**
   * Resolves once connected and attached to the session; keeps trying while the server cannot be reached.
   * @throws {import("./errors.js").ConnectionRefused} when the server would not have it
   */
  async connect() {
    await this.#connection.connect();
  }

  /**
   * Say something. Call it within a gesture (a click, a key): that lets the browser play the answer.
   * @param {string} message
   * @param {SendOptions} [options]
   * @returns {Promise<{ sessionId: string, replyId: string }>}
   * @throws {Refused}
   */
  async send(message, options = {}) {
    if (options.speak !== false) this.#sound.unlock(options.format === "opus" ? OPUS_RATE_HZ : undefined);
    return this.#listener.send(message, options);
  }

  /** Silence at once, then stop the session's replies. @returns {Promise<number>} how many were stopped @throws {Refused} */
  async stop() {
    return this.#listener.stop();
  }

  /** @returns {Promise<Message[]>} oldest first @throws {Refused} */
  async history() {
    if (!this.sessionId) return [];
    const answer = await this.#connection.ask("chat:history", { sessionId: this.sessionId });
    const messages = list(answer.messages).map(record);
    return /** @type {Message[]} */ (messages.filter(({ text }) => typeof text === "string"));
  }

  /** Take over the sound of the session's replies that are being heard elsewhere. @throws {Refused} */
  async listen() {
    this.#sound.unlock();
    await this.#listener.takeOver();
  }

  /** Within a gesture: let the browser play. */
  unlock() {
    this.#sound.unlock();
  }

  /** Where the listener is, for `resume` after a reload. @returns {import("./resume.js").ResumePoint | null} */
  resumePoint() {
    return this.#listener.resumePoint();
  }

  /** Silence, disconnect, and let go of everything. */
  close() {
    this.#listener.close();
    this.#sound.close();
    this.#connection.close();
    this.#events.clear();
  }
}
