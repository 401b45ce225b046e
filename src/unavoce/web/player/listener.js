// The session's listener: takes what the server sends, keeps each reply's text and sound in step, and comes back to both
// after a lost connection or a reload.

import * as check from "./incoming.js";
import { Refused } from "./errors.js";
import { Replies } from "./replies.js";
import { otherTabs } from "./tabs.js";

/**
 * @typedef {{ sentence: number, reason: string, partial: boolean }} Skipped
 *
 * @typedef {object} Events
 * @property {{ state: import("./connection.js").State, code?: string, message?: string }} connection
 * @property {{ sessionId: string }} session
 * @property {{}} sessionLost
 * @property {{ replyId: string, own: boolean }} reply
 * @property {{ replyId: string, text: string, start: number, whole: string }} token
 * @property {{ replyId: string, sentence: number, from: number, to: number, text: string }} sentence
 * @property {{ replyId: string, index: number, sentence: number, durationMs: number, contentType: string, bytes: number,
 *   engine: string, voice: string, cache: string, atMs: number }} chunk
 * @property {{ replyId: string, sentence: number | null }} speaking
 * @property {{ replyId: string, sentence: number, fromMs: number, toMs: number }} heard
 * @property {{ replyId: string, gapMs: number, count: number }} underrun
 * @property {{ state: import("./sound.js").State }} sound
 * @property {{ replyId: string, text: string }} textDone
 * @property {{ replyId: string, reason: string, engines: string[], skipped: Skipped[], totalChunks: number }} audioDone
 * @property {{ replyId: string, reason: string, text: string, timings: { [name: string]: number | null } }} done
 * @property {{ replyId?: string, code: string, message: string }} error
 * @property {{ engine: string, status: string, reason: string, since: number }} engine
 *
 * @typedef {<Name extends keyof Events>(name: Name, payload: Events[Name]) => void} Emit
 *
 * @typedef {import("./replies.js").Reply} Reply
 */

export class Listener {
  /** @type {string | null} */
  sessionId = null;
  /** Replies of before a reload that are still to be taken up. @type {import("./resume.js").ResumePoint | null} */
  resume = null;

  #replies = new Replies();
  #connection;
  #sound;
  #emit;
  #tabs;

  /** @param {{ connection: import("./connection.js").Connection, sound: import("./sound.js").Sound, emit: Emit }} parts */
  constructor({ connection, sound, emit }) {
    this.#connection = connection;
    this.#sound = sound;
    this.#emit = emit;
    this.#tabs = otherTabs((replyId) => this.#givenAway(replyId));
  }

  close() {
    this.#tabs.close();
  }

  // -- what the page asks for

  /** @param {string} message @param {import("./unavoce-player.js").SendOptions} options */
  async send(message, { voice, speed, speak, format, interrupt }) {
    if (interrupt) this.#silenceAll();
    const payload = { message, sessionId: this.sessionId ?? undefined, voice, speed, speak, format, interrupt };
    try {
      const answer = await this.#connection.ask("chat:send", payload, {
        seen: ({ sessionId, replyId }) => this.#begun(sessionId, replyId, speak !== false),
      });
      return { sessionId: String(answer.sessionId), replyId: String(answer.replyId) };
    } catch (error) {
      // The older replies were silenced here, whether the message that was to do so was taken or not.
      if (interrupt) this.#abort().catch(() => {});
      throw error;
    }
  }

  async stop() {
    this.#silenceAll();
    return this.#abort();
  }

  async takeOver() {
    if (!this.sessionId) return;
    const sessionId = this.sessionId;
    const running = check.joined(await this.#connection.ask("chat:join", { sessionId }));
    const { messages } = await this.#connection.ask("chat:history", { sessionId });
    const heard = new Map(check.list(messages).map(check.record).map((one) => [one.replyId, check.string(one.heardText)]));
    for (const [replyId, nextIndex] of running) {
      if (!this.#replies.get(replyId)?.own) await this.#takeOverOne(replyId, nextIndex, heard.get(replyId) ?? "");
    }
  }

  /** @returns {import("./resume.js").ResumePoint | null} */
  resumePoint() {
    if (!this.sessionId) return null;
    const replies = this.#sound.positions().flatMap(({ replyId, index, positionMs }) => {
      const reply = this.#replies.get(replyId);
      if (!reply) return [];
      const sentences = [...reply.sentences.values()].map(({ from, to }) => [from, to]);
      return [[replyId, { index, positionMs, text: reply.words.text, sentences }]];
    });
    return { sessionId: this.sessionId, replies: Object.fromEntries(replies) };
  }

  // -- what the server sends

  /** @param {string} name @param {check.Payload} payload */
  take(name, payload) {
    const handle = this.#handlers[name];
    if (handle && !handle(payload)) {
      this.#emit("error", { code: "odd_event", message: `The server sent a ${name} that cannot be read.` });
    }
  }

  /** Each tells whether it could make sense of the event. @type {{ [name: string]: (payload: check.Payload) => boolean }} */
  #handlers = {
    "chat:token": (payload) => this.#with(check.token(payload), (reply, event) => this.#token(reply, event)),
    "chat:sentence": (payload) => this.#with(check.sentence(payload), (reply, event) => this.#sentence(reply, event)),
    "chat:audio_chunk": (payload) => this.#with(check.chunk(payload), (reply, event) => this.#chunk(reply, event)),
    "chat:text_done": (payload) => this.#with(check.textDone(payload), (reply, event) => this.#textDone(reply, event)),
    "chat:audio_done": (payload) => this.#with(check.audioDone(payload), (reply, event) => this.#audioDone(reply, event)),
    "chat:done": (payload) => this.#with(check.done(payload), (reply, event) => this.#done(reply, event)),
    "chat:error": (payload) => {
      this.#emit("error", check.error(payload));
      return true;
    },
    "engine:status": (payload) => {
      const event = check.engine(payload);
      if (event) this.#emit("engine", event);
      return event !== null;
    },
  };

  /**
   * @template {{ replyId: string }} Event
   * @param {Event | null} event
   * @param {(reply: Reply, event: Event) => void} handle not called for a reply that is over
   */
  #with(event, handle) {
    const reply = event && (this.#replies.get(event.replyId) ?? this.#met(event.replyId, false));
    if (reply && event) handle(reply, event);
    return event !== null;
  }

  /** @param {Reply} reply @param {{ replyId: string, text: string, start: number }} event */
  #token({ words }, { replyId, text, start }) {
    const from = words.put(text, start);
    this.#emit("token", { replyId, text, start: from, whole: words.text });
  }

  /** @param {Reply} reply @param {NonNullable<ReturnType<typeof check.sentence>>} event */
  #sentence(reply, { replyId, sentence, start, end, text }) {
    const [from, to] = [reply.words.unitAt(start), reply.words.unitAt(end)];
    reply.sentences.set(sentence, { from, to });
    this.#emit("sentence", { replyId, sentence, from, to, text });
  }

  /** @param {Reply} reply @param {NonNullable<ReturnType<typeof check.chunk>>} event */
  #chunk(reply, event) {
    const { data, text, sampleRate, ...told } = event;
    if (event.index < reply.nextIndex || !reply.own) return;
    if (event.index > reply.nextIndex) this.#lost(reply, event.index);
    reply.nextIndex = event.index + 1;
    this.#emit("chunk", { ...told, bytes: data.byteLength, atMs: performance.now() });
    if (!reply.silenced && !reply.wasHeard({ sentence: event.sentence, text })) this.#sound.add(reply.id, event);
    if (reply.total === reply.nextIndex) this.#noMoreSound(reply);
  }

  /** @param {Reply} reply @param {{ replyId: string, text: string }} event */
  #textDone(reply, event) {
    reply.words.replace(event.text);
    this.#emit("textDone", event);
  }

  /** @param {Reply} reply @param {NonNullable<ReturnType<typeof check.audioDone>>} event */
  #audioDone(reply, event) {
    if (reply.audioDone) return;
    if (event.reason === "aborted") this.#silence(reply.id);
    this.#noMoreSound(reply);
    this.#emit("audioDone", event);
  }

  /** @param {Reply} reply @param {NonNullable<ReturnType<typeof check.done>>} event */
  #done(reply, event) {
    if (reply.done) return;
    reply.done = true;
    this.#noMoreSound(reply);
    this.#emit("done", event);
    this.#endIfOver(reply);
  }

  // -- replies come and go

  /** @param {string} id @param {boolean} own @returns {Reply | null} */
  #met(id, own) {
    const reply = this.#replies.begin(id);
    if (!reply) return null;
    reply.own = own;
    this.#emit("reply", { replyId: id, own });
    return reply;
  }

  /** @param {unknown} sessionId @param {unknown} replyId @param {boolean} speaks */
  #begun(sessionId, replyId, speaks) {
    if (!check.isId(sessionId) || !check.isId(replyId)) return;
    this.#attached(sessionId);
    const reply = this.#met(replyId, true);
    if (reply && speaks) this.#sound.expect(replyId);
    else if (reply) reply.silenced = true;
  }

  /** @param {string} sessionId */
  #attached(sessionId) {
    if (sessionId === this.sessionId && this.#told === sessionId) return;
    this.sessionId = this.#told = sessionId;
    this.#emit("session", { sessionId });
  }

  /** The session that the page was told of. @type {string | null} */
  #told = null;

  /** Its sound has been heard to the end, or silenced. @param {string} replyId */
  heard(replyId) {
    const reply = this.#replies.get(replyId);
    if (!reply) return;
    reply.silenced = true;
    this.#endIfOver(reply);
  }

  /** @param {Reply} reply */
  #noMoreSound(reply) {
    reply.audioDone = true;
    this.#sound.finish(reply.id);
  }

  /** @param {Reply} reply */
  #endIfOver(reply) {
    if (reply.done && (reply.silenced || !reply.own)) this.#replies.end(reply.id);
  }

  /** @param {Reply} reply @param {number} index the chunk it goes on with */
  #lost(reply, index) {
    const count = index - reply.nextIndex;
    const what = count === 1 ? "One piece" : `${count} pieces`;
    this.#emit("error", { replyId: reply.id, code: "sound_lost", message: `${what} of the sound could not be had again.` });
    reply.nextIndex = index;
  }

  #silenceAll() {
    for (const reply of this.#replies.all()) if (reply.own) reply.silenced = true;
    this.#sound.silence();
  }

  /** @param {string} replyId */
  #silence(replyId) {
    const reply = this.#replies.get(replyId);
    if (reply) reply.silenced = true;
    this.#sound.silence(replyId);
  }

  async #abort() {
    if (!this.sessionId) return 0;
    const { aborted } = await this.#connection.ask("chat:abort", { sessionId: this.sessionId });
    return check.isCount(aborted) ? aborted : 0;
  }

  // -- coming back

  /** The connection is there (again): attach to the session, and go on with what was being heard. */
  async join() {
    if (!this.sessionId) return;
    const sessionId = this.sessionId;
    const wanted = new Map(this.#wanted());
    for (;;) {
      try {
        await this.#connection.ask("chat:join", { sessionId, after: Object.fromEntries(wanted) }, { arriving: true, seen: (answer) => this.#joined(sessionId, wanted, answer) });
        return;
      } catch (error) {
        const code = error instanceof Refused ? error.code : "";
        if (code === "unknown_session") return this.#forgotten();
        if (code !== "unknown_reply" || !wanted.size) throw error;
        // One of them is gone, and the server does not say which: the oldest is the likeliest.
        wanted.delete(/** @type {string} */ (wanted.keys().next().value));
      }
    }
  }

  /** The replies whose sound is to come here, with the last chunk that is not needed again. @returns {[string, number][]} */
  #wanted() {
    /** @type {[string, number][]} */
    const own = this.#replies.all().filter(({ own, done }) => own && !done).map(({ id, nextIndex }) => [id, nextIndex - 1]);
    const resumed = Object.entries(this.resume?.replies ?? {});
    return [...resumed.map(([id, { index }]) => /** @type {[string, number]} */ ([id, index - 1])), ...own];
  }

  /** @param {string} sessionId @param {Map<string, number>} wanted @param {check.Payload} answer */
  #joined(sessionId, wanted, answer) {
    this.#attached(sessionId);
    const there = check.joined(answer);
    this.#takeUp(wanted);
    for (const reply of this.#replies.all()) {
      const next = there.get(reply.id);
      if (next === undefined && !reply.done) this.#gone(reply);
      else if (next !== undefined && wanted.has(reply.id) && next > reply.nextIndex) this.#lost(reply, next);
    }
  }

  /** After a reload: the replies as the page knew them. @param {Map<string, number>} wanted */
  #takeUp(wanted) {
    for (const [id, point] of Object.entries(this.resume?.replies ?? {})) {
      const reply = wanted.has(id) ? this.#met(id, true) : null;
      if (!reply) continue;
      reply.nextIndex = point.index;
      reply.words.replace(point.text);
      this.#sound.expect(id, point.positionMs);
      if (point.text) this.#emit("token", { replyId: id, text: point.text, start: 0, whole: point.text });
      for (const [number, [from, to]] of point.sentences.entries()) {
        reply.sentences.set(number, { from, to });
        this.#emit("sentence", { replyId: id, sentence: number, from, to, text: point.text.slice(from, to) });
      }
    }
    this.resume = null;
  }

  /** The server knows the session no longer: it was restarted, or the time is over. */
  #forgotten() {
    this.sessionId = this.#told = this.resume = null;
    for (const reply of this.#replies.all()) this.#gone(reply);
    this.#emit("sessionLost", {});
  }

  /** The server knows the reply no longer; what has arrived of it is still played. @param {Reply} reply */
  #gone(reply) {
    if (reply.done) return;
    this.#done(reply, { replyId: reply.id, reason: "failed", text: reply.words.text, timings: {} });
  }

  /** @param {string} replyId @param {number} nextIndex @param {string} heardText */
  async #takeOverOne(replyId, nextIndex, heardText) {
    const known = this.#replies.get(replyId);
    if (!known) this.#replies.revive(replyId);
    const begin = () => {
      const reply = known ?? this.#met(replyId, true);
      if (!reply) return;
      if (known) this.#emit("reply", { replyId, own: true });
      // One that this page has not met has ended: its chunks are those that there are, and no end event comes.
      Object.assign(reply, { own: true, silenced: false, nextIndex: 0, heardText });
      if (!known) Object.assign(reply, { total: nextIndex, done: true });
      this.#sound.expect(replyId);
      this.#tabs.tell(replyId);
    };
    await this.#connection.ask("chat:join", { sessionId: this.sessionId, after: { [replyId]: -1 } }, { seen: begin });
  }

  /** Another tab has taken the sound over. @param {string} replyId */
  #givenAway(replyId) {
    const reply = this.#replies.get(replyId);
    if (!reply?.own) return;
    this.#silence(replyId);
    reply.own = false;
    this.#emit("reply", { replyId, own: false });
    this.#endIfOver(reply);
  }
}
