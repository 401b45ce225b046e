// The session: what the page asks of it, and coming back to it after a lost connection, after a reload, or from a second tab.

import { Refused } from "./errors.js";
import { count, list, read, record, shapes, string } from "./incoming.js";
import { Listener } from "./listener.js";

/** @import { Emit, Message, Payload, ReplyPoint, ResumePoint, SendOptions } from "./types.d.ts" */
/** @import { Connection } from "./connection.js" */
/** @import { Reply } from "./replies.js" */
/** @import { Sound } from "./sound.js" */

export class Session extends Listener {
  /** @type {string | null} */
  id = null;

  /** Replies of before a reload that are still to be taken up. @type {Map<string, ReplyPoint>} */
  #resume = new Map();
  #connection;

  /** @param {{ connection: Connection, sound: Sound, emit: Emit, sessionId: string | null, resume: unknown }} options */
  constructor({ connection, sound, emit, sessionId, resume }) {
    super(sound, emit);
    this.#connection = connection;
    const point = read(shapes.resumePoint, record(resume));
    this.id = point?.sessionId ?? sessionId;
    for (const [replyId, fields] of Object.entries(point?.replies ?? {})) {
      const reply = read(shapes.replyPoint, record(fields));
      if (reply) this.#resume.set(replyId, reply);
    }
  }

  /** @param {string} message @param {SendOptions} options */
  async send(message, { voice, speed, speak = true, format, interrupt }) {
    if (interrupt) this.silence();
    const payload = { message, sessionId: this.id ?? undefined, voice, speed, speak, format, interrupt };
    try {
      const begun = (/** @type {Payload} */ { sessionId, replyId }) =>
        this.#begun(string(sessionId), string(replyId), speak);
      const { sessionId, replyId } = await this.#connection.ask("chat:send", payload, begun);
      return { sessionId: string(sessionId), replyId: string(replyId) };
    } catch (error) {
      // The others are silent here, whether or not the message that was to stop them was taken.
      if (interrupt) this.stop().catch(() => {});
      throw error;
    }
  }

  /** @returns {Promise<number>} */
  async stop() {
    this.silence();
    if (!this.id) return 0;
    const { aborted } = await this.#connection.ask("chat:abort", { sessionId: this.id });
    return count(aborted) ?? 0;
  }

  /** @returns {Promise<Message[]>} */
  async history() {
    if (!this.id) return [];
    const { messages } = await this.#connection.ask("chat:history", { sessionId: this.id });
    const known = list(messages)
      .map(record)
      .filter(({ role, text }) => string(role) && typeof text === "string");
    return /** @type {any[]} */ (known);
  }

  /** Hear what others hear, from the sentence on that they are in. */
  async takeOver() {
    const sessionId = this.id;
    if (!sessionId) return;
    const there = read(shapes.joined, await this.#connection.ask("chat:join", { sessionId }));
    const heard = new Map((await this.history()).map(({ replyId, heardText }) => [replyId, string(heardText)]));
    for (const { replyId, nextIndex } of there?.replies ?? []) {
      if (this.replies.get(replyId)?.own) continue;
      const begun = () => this.#tookOver(replyId, nextIndex, heard.get(replyId) ?? "");
      await this.#connection.ask("chat:join", { sessionId, after: { [replyId]: -1 } }, begun);
    }
  }

  /** @returns {ResumePoint | null} */
  resumePoint() {
    if (!this.id) return null;
    /** @type {ResumePoint["replies"]} */
    const replies = {};
    for (const { replyId, ...place } of this.sound.positions()) {
      const reply = this.replies.get(replyId);
      if (reply) replies[replyId] = { ...place, text: reply.words.text, sentences: [...reply.sentences.values()] };
    }
    return { sessionId: this.id, replies };
  }

  /** Connected (again): attach to the session, and go on with what was being heard. */
  async join() {
    if (!this.id) return;
    const [sessionId, wanted] = [this.id, this.#wanted()];
    for (;;) {
      try {
        const joined = (/** @type {Payload} */ answer) => this.#joined(sessionId, wanted, answer);
        await this.#connection.ask("chat:join", { sessionId, after: Object.fromEntries(wanted) }, joined, true);
        return;
      } catch (error) {
        const code = error instanceof Refused && error.code;
        if (code === "unknown_session") return this.#forgotten();
        const [oldest] = wanted.keys();
        if (code !== "unknown_reply" || !oldest) throw error;
        // One is gone, and the server does not say which: the oldest is the likeliest.
        wanted.delete(oldest);
      }
    }
  }

  /** By reply whose sound is to come here, the last chunk that is not needed again. @returns {Map<string, number>} */
  #wanted() {
    const own = this.replies.all().filter((reply) => reply.own && !reply.done);
    return new Map([
      ...[...this.#resume].map(([replyId, { index }]) => /** @type {const} */ ([replyId, index - 1])),
      ...own.map((reply) => /** @type {const} */ ([reply.id, reply.nextIndex - 1])),
    ]);
  }

  /** @param {string} sessionId @param {Map<string, number>} wanted @param {Payload} answer */
  #joined(sessionId, wanted, answer) {
    this.#attached(sessionId);
    for (const [replyId, point] of this.#resume) if (wanted.has(replyId)) this.#takeUp(replyId, point);
    this.#resume.clear();
    const there = new Map(read(shapes.joined, answer)?.replies.map(({ replyId, nextIndex }) => [replyId, nextIndex]));
    for (const reply of this.replies.all()) {
      const next = there.get(reply.id);
      if (next === undefined) this.#gone(reply);
      else if (wanted.has(reply.id) && next > reply.nextIndex) this.lost(reply, next);
    }
  }

  /** After a reload: a reply as the page knew it. @param {string} replyId @param {ReplyPoint} point */
  #takeUp(replyId, { text, sentences, ...place }) {
    const reply = this.met(replyId, true);
    if (!reply) return;
    reply.nextIndex = place.index;
    reply.words.replace(text);
    this.sound.expect(replyId, place);
    this.emit("token", { replyId, text, start: 0, whole: text });
    for (const [sentence, [from, to]] of sentences.entries()) {
      reply.sentences.set(sentence, [from, to]);
      this.emit("sentence", { replyId, sentence, from, to, text: text.slice(from, to) });
    }
  }

  /** @param {string} replyId @param {number} nextIndex @param {string} heardText */
  #tookOver(replyId, nextIndex, heardText) {
    const known = this.replies.get(replyId);
    if (known) this.emit("reply", { replyId, own: true });
    else this.replies.revive(replyId);
    const reply = known ?? this.met(replyId, true);
    if (!reply) return;
    this.sound.expect(replyId);
    Object.assign(reply, { own: true, silent: false, nextIndex: 0, heardText });
    // One that is not known here has ended: the chunks are those that there are, and no end event comes.
    if (!known) Object.assign(reply, { done: true, total: nextIndex });
  }

  /** @param {string} sessionId @param {string} replyId @param {boolean} speaks */
  #begun(sessionId, replyId, speaks) {
    this.#attached(sessionId);
    const reply = this.met(replyId, true);
    if (speaks) this.sound.expect(replyId);
    else if (reply) reply.silent = true;
  }

  /** The session that the page was told of. @type {string | null} */
  #told = null;

  /** @param {string} sessionId */
  #attached(sessionId) {
    if (sessionId === this.#told) return;
    this.id = this.#told = sessionId;
    this.emit("session", { sessionId });
  }

  /** The server was restarted, or the time is over. */
  #forgotten() {
    this.id = this.#told = null;
    this.#resume.clear();
    for (const reply of this.replies.all()) this.#gone(reply);
    this.emit("sessionLost", {});
  }

  /** The server knows it no longer; what has arrived of it is still played. @param {Reply} reply */
  #gone(reply) {
    this.ended(reply, { replyId: reply.id, reason: "failed", text: reply.words.text, timings: {} });
  }
}
