/** Keeps a record of each reply, from the conversation's events. */
import { ReplyRecord } from "./reply-record.js";

/** More than a session's history holds: a reply that still runs is never let go for those of before. */
const MOST = 2000;

export class Records {
  /** @type {Map<string, ReplyRecord>} */
  #records = new Map();
  #changed;

  /**
   * @param {import("../player/unavoce-player.js").Conversation} conversation
   * @param {(replyId: string) => void} changed
   */
  constructor(conversation, changed) {
    this.#changed = changed;
    conversation.on("reply", (event) => this.#note(event, (record) => Object.assign(record, { own: event.own })));
    conversation.on("sentence", (event) => this.#note(event, (record) => record.sentence(event)));
    conversation.on("chunk", (event) => this.#note(event, (record) => record.chunk(event)));
    conversation.on("speaking", (event) => this.#note(event, (record) => record.speaking(event, performance.now())));
    conversation.on("heard", (event) => this.#note(event, (record) => record.hears(event)));
    conversation.on("underrun", (event) => this.#note(event, (record) => record.underrun(event, performance.now())));
    conversation.on("audioDone", (event) => this.#note(event, (record) => record.audioDone(event)));
    conversation.on("done", (event) => this.#note(event, (record) => record.done(event)));
  }

  /** @param {string} replyId */
  of(replyId) {
    const known = this.#records.get(replyId);
    if (known) return known;
    const record = new ReplyRecord(replyId);
    this.#records.set(replyId, record);
    if (this.#records.size > MOST) this.#records.delete(this.#records.keys().next().value ?? "");
    return record;
  }

  /**
   * @param {{ replyId: string }} event
   * @param {(record: ReplyRecord) => void} note
   */
  #note({ replyId }, note) {
    note(this.of(replyId));
    this.#changed(replyId);
  }
}
