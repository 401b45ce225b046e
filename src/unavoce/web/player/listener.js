// Takes what the server sends, and keeps each reply's text and sound in step. What comes back to a session builds on it
// (session.js).

import { is, read, shapes } from "./incoming.js";
import { Reply } from "./reply.js";

/** @import { Emit, Events, Payload } from "./types.d.ts" */
/** @import { Sound } from "./sound.js" */

/** @template {keyof typeof shapes} Name @typedef {NonNullable<ReturnType<typeof read<(typeof shapes)[Name]>>>} Event */

export class Listener {
  /** Those that still go on, in the order in which they began. @type {Map<string, Reply>} */
  replies = new Map();

  /** @param {Sound} sound @param {Emit} emit */
  constructor(sound, emit) {
    this.sound = sound;
    this.emit = emit;
  }

  /** @param {string} name @param {Payload} payload an event, as it came */
  take(name, payload) {
    const known = this.#handlers[name]?.(payload) ?? true;
    if (!known) this.emit("error", { code: "odd_event", message: `The server sent a ${name} that cannot be read.` });
  }

  /** @type {{ [name: string]: (payload: Payload) => boolean }} each says whether it could read the event */
  #handlers = {
    "chat:token": (payload) => this.#of(read(shapes.token, payload), this.#token),
    "chat:sentence": (payload) => this.#of(read(shapes.sentence, payload), this.#sentence),
    "chat:audio_chunk": (payload) => this.#of(read(shapes.chunk, payload), this.#chunk),
    "chat:text_done": (payload) => this.#of(read(shapes.textDone, payload), this.#textDone),
    "chat:audio_done": (payload) => this.#of(read(shapes.audioDone, payload), this.#audioDone),
    "chat:done": (payload) => this.#of(read(shapes.done, payload), this.ended),
    "chat:error": (payload) => this.#pass("error", read(shapes.error, payload), { replyId: is.id(payload.replyId) }),
    "engine:status": (payload) => this.#pass("engine", read(shapes.engine, payload)),
    "chat:sound_taken": (payload) => {
      for (const replyId of read(shapes.soundTaken, payload)?.replies ?? []) this.#soundTaken(replyId);
      return true;
    },
  };

  /** @param {string} replyId @param {boolean} own */
  met(replyId, own) {
    const reply = new Reply(replyId, own);
    this.replies.set(replyId, reply);
    this.emit("reply", { replyId, own });
    return reply;
  }

  /** @param {Reply} reply @param {Events["done"]} event */
  ended(reply, event) {
    if (reply.done) return;
    reply.done = true;
    this.#allSent(reply);
    this.emit("done", event);
    this.#letGo(reply);
  }

  /** Chunks are gone for good: it goes on with `index`. @param {Reply} reply @param {number} index */
  lost(reply, index) {
    const message = `${index - reply.nextIndex} pieces of the sound came too late to be kept for you.`;
    reply.nextIndex = index;
    this.emit("error", { replyId: reply.id, code: "sound_lost", message });
  }

  /** Its sound has been heard to the end, or silenced. @param {string} replyId */
  heard(replyId) {
    const reply = this.replies.get(replyId);
    if (!reply) return;
    reply.silent = true;
    this.#letGo(reply);
  }

  /** Silence all, and drop what comes of them later. */
  silence() {
    for (const reply of this.replies.values()) reply.silent = true;
    this.sound.silence();
  }

  /**
   * @template {{ replyId: string }} E
   * @param {E | null} event
   * @param {(this: Listener, reply: Reply, event: E) => void} handle
   */
  #of(event, handle) {
    const reply = event && (this.replies.get(event.replyId) ?? this.met(event.replyId, false));
    if (reply) handle.call(this, reply, event);
    return event !== null;
  }

  /** @template {keyof Events} Name @param {Name} name @param {Events[Name] | null} event @param {object} [more] */
  #pass(name, event, more) {
    if (event) this.emit(name, { ...event, ...more });
    return event !== null;
  }

  /** @param {Reply} reply @param {Event<"token">} event */
  #token({ words }, { replyId, text, start }) {
    const from = words.put(text, start);
    this.emit("token", { replyId, text, start: from, whole: words.text });
  }

  /** @param {Reply} reply @param {Event<"sentence">} event */
  #sentence({ words, sentences }, { replyId, sentence, start, end, text }) {
    const [from, to] = [words.unitAt(start), words.unitAt(end)];
    sentences.set(sentence, [from, to]);
    this.emit("sentence", { replyId, sentence, from, to, text });
  }

  /** @param {Reply} reply @param {Event<"chunk">} event */
  #chunk(reply, event) {
    if (!reply.own || event.index < reply.nextIndex) return;
    if (event.index > reply.nextIndex) this.lost(reply, event.index);
    reply.nextIndex = event.index + 1;
    const { audio, text, sampleRate, ...told } = event;
    this.emit("chunk", { ...told, bytes: audio.byteLength, atMs: performance.now() });
    if (!reply.silent && !reply.wasHeard(event)) this.sound.add(reply.id, event);
    if (reply.total === reply.nextIndex) this.#allSent(reply);
  }

  /** @param {Reply} reply @param {Event<"textDone">} event */
  #textDone({ words }, event) {
    words.replace(event.text);
    this.emit("textDone", event);
  }

  /** @param {Reply} reply @param {Event<"audioDone">} event */
  #audioDone(reply, event) {
    if (reply.allSent) return;
    if (event.reason === "aborted") this.#silence(reply);
    this.#allSent(reply);
    this.emit("audioDone", event);
  }

  /** @param {Reply} reply */
  #allSent(reply) {
    reply.allSent = true;
    this.sound.finish(reply.id);
  }

  /** @param {Reply} reply */
  #silence(reply) {
    reply.silent = true;
    this.sound.silence(reply.id);
  }

  /** Another socket has taken its sound over. @param {string} replyId */
  #soundTaken(replyId) {
    const reply = this.replies.get(replyId);
    if (!reply?.own) return;
    this.#silence(reply);
    reply.own = false;
    this.emit("reply", { replyId, own: false });
    this.#letGo(reply);
  }

  /** Of a reply that is over and heard nothing is kept. @param {Reply} reply */
  #letGo(reply) {
    if (reply.done && (reply.silent || !reply.own)) this.replies.delete(reply.id);
  }
}
