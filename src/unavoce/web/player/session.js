// The session, and coming back to it: after a lost connection, after a reload, or from a second tab.

import { Refused } from "./errors.js";
import { is, read, shapes } from "./incoming.js";
import { Listener } from "./listener.js";

/** @import { Emit, Payload, ReplyPoint, ResumePoint } from "./types.d.ts" */
/** @import { Connection } from "./connection.js" */
/** @import { Reply } from "./reply.js" */
/** @import { Sound } from "./sound.js" */

export class Session extends Listener {
  /** The one that the page was told of. @type {string | null} */
  #told = null;
  /** Replies of before a reload that are still to be taken up. @type {Map<string, ReplyPoint>} */
  #resume = new Map();

  /** @param {Connection} connection @param {Sound} sound @param {Emit} emit @param {string | null} id @param {unknown} resume */
  constructor(connection, sound, emit, id, resume) {
    super(sound, emit);
    this.connection = connection;
    const point = read(shapes.resumePoint, is.record(resume));
    this.id = point?.sessionId ?? id;
    for (const [replyId, fields] of Object.entries(point?.replies ?? {})) {
      const reply = read(shapes.replyPoint, is.record(fields));
      if (reply) this.#resume.set(replyId, reply);
    }
  }

  /** What `chat:send` was answered. @param {Payload} answer @param {boolean} speaks */
  begun({ sessionId, replyId }, speaks) {
    this.#attached(is.string(sessionId));
    const reply = this.met(is.string(replyId), true);
    if (speaks) this.sound.expect(reply.id);
    else reply.silent = true;
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
    const wanted = this.#wanted();
    while (this.id) {
      try {
        await this.#join(wanted, (answer) => this.#joined(wanted, answer), true);
        return;
      } catch (error) {
        const code = error instanceof Refused ? error.code : "";
        if (code === "timeout" || code === "offline") throw error;
        const [oldest] = wanted.keys();
        // When one of the replies is gone the server does not say which: the oldest is the likeliest.
        if (oldest && code !== "unknown_session") wanted.delete(oldest);
        else this.#forgotten();
      }
    }
  }

  /** Hear what others hear. @param {Map<string, string>} heard by reply, what they have heard of its text */
  async takeOver(heard) {
    const there = read(shapes.joined, await this.#join(new Map()));
    for (const { replyId, nextIndex } of there?.replies ?? []) {
      if (this.replies.get(replyId)?.own) continue;
      await this.#join(new Map([[replyId, -1]]), (answer) => {
        const first = read(shapes.joined, answer)?.replies.find((reply) => reply.replyId === replyId)?.nextIndex ?? 0;
        // Of one that was stopped no chunk comes any more: waiting for it would keep the others from being heard.
        if (first < nextIndex || this.replies.has(replyId))
          this.#tookOver(replyId, nextIndex, heard.get(replyId) ?? "");
      });
    }
  }

  /**
   * @param {Map<string, number>} wanted by reply whose sound is to come here, the last chunk that is not needed again
   * @param {(answer: Payload) => void} [seen]
   * @param {boolean} [arriving]
   */
  #join(wanted, seen, arriving) {
    return this.connection.ask("chat:join", { sessionId: this.id, after: Object.fromEntries(wanted) }, seen, arriving);
  }

  #wanted() {
    /** @type {Map<string, number>} */
    const wanted = new Map();
    for (const [replyId, { index }] of this.#resume) wanted.set(replyId, index - 1);
    for (const { id, own, done, nextIndex } of this.replies.values()) if (own && !done) wanted.set(id, nextIndex - 1);
    return wanted;
  }

  /** @param {Map<string, number>} wanted @param {Payload} answer */
  #joined(wanted, answer) {
    this.#attached(/** @type {string} */ (this.id));
    for (const [replyId, point] of this.#resume) if (wanted.has(replyId)) this.#takeUp(replyId, point);
    this.#resume.clear();
    const there = new Map(read(shapes.joined, answer)?.replies.map(({ replyId, nextIndex }) => [replyId, nextIndex]));
    for (const reply of [...this.replies.values()]) {
      const next = there.get(reply.id);
      if (next === undefined) this.#gone(reply);
      else if (wanted.has(reply.id) && next > reply.nextIndex) this.lost(reply, next);
    }
  }

  /** After a reload: a reply as the page knew it. @param {string} replyId @param {ReplyPoint} point */
  #takeUp(replyId, { text, sentences, ...place }) {
    const reply = this.met(replyId, true);
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
    const reply = known ?? this.met(replyId, true);
    // One that is not known here has ended. No end event comes then: its chunks are those that there are.
    const total = known && !known.allSent ? null : nextIndex;
    Object.assign(reply, { own: true, silent: false, done: !known, nextIndex: 0, total, heardText });
    this.sound.expect(replyId);
    if (total === 0) this.sound.finish(replyId);
  }

  /** @param {string} sessionId */
  #attached(sessionId) {
    if (sessionId === this.#told) return;
    this.id = this.#told = sessionId;
    this.emit("session", { sessionId });
  }

  /** The server was restarted, or the time is over. */
  #forgotten() {
    this.leave();
    this.emit("sessionLost", {});
  }

  /** There is none any more; what is said next begins another. */
  leave() {
    this.id = this.#told = null;
    this.#resume.clear();
    for (const reply of [...this.replies.values()]) this.#gone(reply);
  }

  /** The server knows it no longer; what has arrived of it is still played. @param {Reply} reply */
  #gone(reply) {
    this.ended(reply, { replyId: reply.id, reason: "failed", text: reply.words.text, timings: {} });
  }
}
