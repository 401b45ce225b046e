/** What the conversation tells of its replies, brought to their messages. */

/** @typedef {import("../../player/unavoce-player.js").Conversation} Conversation */
/** @typedef {import("../../player/types.d.ts").Events} Events */

export class Replies {
  #messages;
  #announce;
  #follower;
  /** Replies that speak, as their end tells. @type {Set<string>} */
  #speaks = new Set();
  /** The one that is heard now. @type {string | null} */
  #heard = null;
  /** @type {(() => void) | null} */
  #foreign = null;

  /**
   * @param {object} with_
   * @param {Conversation} with_.conversation
   * @param {import("./messages.js").Messages} with_.messages
   * @param {import("./follower.js").Follower} with_.follower
   * @param {(words: string) => void} with_.announce tells screen readers, once
   */
  constructor({ conversation, messages, follower, announce }) {
    this.#messages = messages;
    this.#announce = announce;
    this.#follower = follower;
    conversation.on("reply", (event) => this.#begun(event));
    conversation.on("token", ({ replyId, whole }) => messages.reply(replyId).update(whole));
    conversation.on("sentence", ({ replyId, sentence, from, to }) =>
      messages.reply(replyId).sentence(sentence, from, to),
    );
    conversation.on("chunk", ({ replyId, sentence, durationMs }) =>
      messages.reply(replyId).chunk(sentence, durationMs),
    );
    conversation.on("speaking", (event) => this.#speaking(event));
    conversation.on("heard", ({ replyId, sentence, fromMs, toMs }) =>
      messages.reply(replyId).heard(sentence, toMs - fromMs),
    );
    conversation.on("textDone", (event) => this.#textDone(event));
    conversation.on("audioDone", (event) => this.#audioDone(event));
    conversation.on("done", (event) => this.#done(event));
    conversation.on("error", (event) => this.#failed(event));
  }

  /** @param {() => void} listener a reply has begun in another tab, or was stopped there */
  onForeign(listener) {
    this.#foreign = listener;
  }

  /**
   * Silences, and has the reply that was being heard say where.
   * @template T
   * @param {() => T} silence makes the player silent before it returns
   * @returns {T}
   */
  silencing(silence) {
    const heard = this.#heard === null ? undefined : this.#messages.get(this.#heard);
    const silenced = silence();
    // Of one that still runs the end is still to come, and says so itself.
    if (heard?.ended && this.#heard === null) heard.stopped();
    return silenced;
  }

  /** @param {Events["reply"]} event */
  #begun({ replyId, own }) {
    const isNew = !this.#messages.get(replyId);
    this.#messages.reply(replyId).begin(own);
    if (isNew && !own) this.#foreign?.();
  }

  /** @param {Events["speaking"]} event */
  #speaking({ replyId, sentence }) {
    if (sentence !== null) this.#heard = replyId;
    else if (this.#heard === replyId) this.#heard = null;
    const message = this.#messages.reply(replyId);
    message.speaking(sentence);
    this.#follower.voice(sentence === null ? null : () => message.marked);
  }

  /** @param {Events["textDone"]} event */
  #textDone({ replyId, text }) {
    this.#messages.reply(replyId).update(text);
    if (text.trim()) this.#announce(text);
  }

  /** @param {Events["audioDone"]} event */
  #audioDone({ replyId, skipped }) {
    this.#speaks.add(replyId);
    if (!skipped.length) return;
    const [{ reason }] = skipped;
    const what = skipped.length === 1 ? "One sentence was" : `${skipped.length} sentences were`;
    this.#messages.reply(replyId).note("skipped", `${what} not spoken${reason ? `: ${reason}` : ""}.`);
  }

  /** @param {Events["done"]} event */
  #done({ replyId, reason, text }) {
    const message = this.#messages.reply(replyId);
    message.end(reason, text, this.#speaks.delete(replyId));
    if (reason === "aborted" && !message.own) this.#foreign?.();
  }

  /** @param {Events["error"]} event */
  #failed({ replyId, code, message }) {
    if (!replyId) return;
    const words = message ? message[0].toUpperCase() + message.slice(1) : code;
    this.#messages.reply(replyId).note(code, words);
    this.#announce(words);
  }
}
