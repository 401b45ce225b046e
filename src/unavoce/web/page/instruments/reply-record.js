/**
 * What this page has seen and heard of each reply, gathered from the conversation's events. Pure: times are handed in, in
 * milliseconds of the page's clock.
 *
 * @typedef {{ engine: string, voice: string, cache: string, durationMs: number }} Clip
 * @typedef {{ fromMs: number, toMs: number | null }} Heard
 * @typedef {{ atMs: number, gapMs: number }} Gap `atMs`: where the sound went on
 */

export class ReplyRecord {
  /** @param {string} replyId */
  constructor(replyId) {
    this.replyId = replyId;
    this.clock = new ReplyClock();
    /** @type {number | null} */
    this.sentMs = null;
    /** @type {Map<number, string>} by sentence, as displayed */
    this.texts = new Map();
    /** @type {Map<number, Clip>} by sentence, as it arrived */
    this.clips = new Map();
    /** @type {Map<number, Heard>} */
    this.heard = new Map();
    /** @type {Gap[]} */
    this.gaps = [];
    /** @type {{ sentence: number, reason: string }[]} */
    this.skipped = [];
    /** @type {string | null} why it ended; null while it runs */
    this.ended = null;
    /** Its sound comes to this page. */
    this.own = false;
    /** Its sound has been heard to the end, or was silenced. */
    this.silent = false;
    this.speaks = true;
  }

  /**
   * @param {number} sentMs
   * @param {number} acknowledgedMs
   * @param {boolean} speaks
   */
  sent(sentMs, acknowledgedMs, speaks) {
    this.sentMs = sentMs;
    this.speaks = speaks;
    this.clock.observe(sentMs, acknowledgedMs, 0);
  }

  /** @param {{ sentence: number, text: string }} event */
  sentence({ sentence, text }) {
    this.texts.set(sentence, text);
  }

  /** @param {{ sentence: number, engine: string, voice: string, cache: string, durationMs: number }} event */
  chunk({ sentence, engine, voice, cache, durationMs }) {
    const before = this.clips.get(sentence);
    this.clips.set(sentence, { engine, voice, cache, durationMs: durationMs + (before ? before.durationMs : 0) });
  }

  /**
   * A sentence begins to be heard now; null: nothing of the reply is heard any more.
   * @param {{ sentence: number | null }} event
   * @param {number} nowMs
   */
  speaking({ sentence }, nowMs) {
    this.silent = sentence === null;
    if (sentence !== null && !this.heard.has(sentence)) this.heard.set(sentence, { fromMs: nowMs, toMs: null });
  }

  /**
   * A sentence has been heard: from when to when, by the audio clock. More than once where it was interrupted.
   * @param {{ sentence: number, fromMs: number, toMs: number }} event
   */
  hears({ sentence, fromMs, toMs }) {
    const before = this.heard.get(sentence);
    const again = before !== undefined && before.toMs !== null;
    this.heard.set(sentence, { fromMs: again ? Math.min(before.fromMs, fromMs) : fromMs, toMs });
  }

  /**
   * @param {{ gapMs: number }} event
   * @param {number} nowMs
   */
  underrun({ gapMs }, nowMs) {
    this.gaps.push({ atMs: nowMs, gapMs });
  }

  /** @param {{ skipped: { sentence: number, reason: string }[] }} event */
  audioDone({ skipped }) {
    this.skipped = skipped;
  }

  /** @param {{ reason: string }} event */
  done({ reason }) {
    this.ended = reason;
  }

  /** Milliseconds from sending the message to the first sound on this page; null where there was none, or no sending. */
  get firstSoundMs() {
    if (this.sentMs === null || !this.heard.size) return null;
    return Math.min(...[...this.heard.values()].map((heard) => heard.fromMs)) - this.sentMs;
  }

  get gapMs() {
    return this.gaps.reduce((sum, gap) => sum + gap.gapMs, 0);
  }
}

/**
 * When a reply's message reached the server, by the page's own clock. The server counts from that moment; the page from
 * its own start (`performance.now()`). Neither's clock is set by the other, so the offset is measured as NTP does: the
 * server read `serverMs` at some moment between question and answer, and half-way is the best guess. It is wrong by at
 * most half the round trip, so the shortest round trip seen is believed.
 */
export class ReplyClock {
  constructor() {
    /** @type {number | null} */
    this.zeroMs = null;
    /** How far off it may be. */
    this.uncertaintyMs = Number.POSITIVE_INFINITY;
  }

  /**
   * @param {number} askedMs by the page's clock: a message was sent, a trace asked for
   * @param {number} answeredMs by the page's clock: its acknowledgement, its answer
   * @param {number} serverMs by the reply's clock: 0 for the message itself, a trace's `nowMs`
   */
  observe(askedMs, answeredMs, serverMs) {
    const uncertaintyMs = (answeredMs - askedMs) / 2;
    if (uncertaintyMs < 0 || uncertaintyMs >= this.uncertaintyMs) return;
    this.uncertaintyMs = uncertaintyMs;
    this.zeroMs = askedMs + uncertaintyMs - serverMs;
  }

  /**
   * A moment of the page's clock, since the message reached the server; null while nothing is known.
   * @param {number} pageMs
   */
  sinceMessage(pageMs) {
    return this.zeroMs === null ? null : pageMs - this.zeroMs;
  }
}

/** More than a session's history holds: a reply that still runs is never let go for those of before. */
const MOST = 2000;

/** A record of each reply. */
export class Records {
  /** @type {Map<string, ReplyRecord>} */
  #records = new Map();
  #changed;

  /**
   * @param {import("../../player/unavoce-player.js").Conversation} conversation
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
