/**
 * What this page has seen and heard of one reply, gathered from the conversation's events. Pure: times are handed in,
 * in milliseconds of the page's clock.
 *
 * @typedef {{ engine: string, voice: string, cache: string, durationMs: number }} Clip
 * @typedef {{ fromMs: number, toMs: number | null }} Heard
 * @typedef {{ atMs: number, gapMs: number }} Gap `atMs`: where the sound went on
 */
import { ReplyClock } from "./reply-clock.js";

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
