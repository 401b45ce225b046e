// What of one reply is heard, by the audio clock, whenever it is asked: a hidden tab's timers may come a second late.

/** @import { Emit, Placed } from "./types.d.ts" */
/** @import { Playback } from "./playback.js" */

const REPORT_MS = 500;
/** While a reply waits for its turn, or for the browser's leave, the server is told so now and then. */
const WAITING_REPORT_MS = 5_000;

export class Hearing {
  /** Everything of it has been heard, or it was silenced. */
  over = false;

  /** The sentence being heard, and from when to when it has been so far. */
  #sentence = { number: -1, fromMs: 0, toMs: 0 };
  #index = -1;
  #reportedMs = Number.NEGATIVE_INFINITY;

  /**
   * @param {string} replyId
   * @param {Playback} playback
   * @param {{ index: number, positionMs: number }} position how far the listener has come
   * @param {{ emit: Emit, tell: (name: string, payload: object) => void }} to the page and the server
   */
  constructor(replyId, playback, position, to) {
    this.replyId = replyId;
    this.playback = playback;
    this.position = position;
    this.to = to;
  }

  /**
   * Tell what has begun and ended since the last time.
   * @param {number} nowMs `performance.now()`
   * @returns {number} milliseconds until something will, or is to be reported
   */
  advance(nowMs) {
    const dueMs = this.#follow(nowMs);
    const { drained, placed, next, output } = this.playback;
    if (drained && !placed.length) {
      this.#end();
      return Number.POSITIVE_INFINITY;
    }
    const everyMs = output?.running ? REPORT_MS : WAITING_REPORT_MS;
    if (nowMs - this.#reportedMs >= everyMs && (placed.length || next)) this.#report(nowMs);
    return Math.min(dueMs, everyMs);
  }

  /** It is being silenced. @param {number} nowMs */
  stop(nowMs) {
    this.#follow(nowMs);
    this.#sentence.toMs = nowMs;
    this.#end();
  }

  /** @param {number} nowMs @returns {number} milliseconds until the next chunk begins or ends */
  #follow(nowMs) {
    const { placed, output } = this.playback;
    if (!output) return Number.POSITIVE_INFINITY;
    const audible = output.audibleS(nowMs) * output.rateHz;
    const inMs = (/** @type {number} */ frame) => ((frame - audible) / output.rateHz) * 1000;
    // Chunks that have ended are let go of.
    for (let chunk = placed[0]; chunk && chunk.startFrame <= audible; chunk = placed[0]) {
      if (chunk.index !== this.#index) this.#begin(chunk, nowMs + inMs(chunk.startFrame));
      const leftMs = inMs(chunk.endFrame);
      const lengthMs = leftMs - inMs(chunk.startFrame - chunk.skippedFrames);
      this.position = { index: chunk.index, positionMs: lengthMs - Math.max(0, leftMs) };
      this.#sentence.toMs = nowMs + Math.min(0, leftMs);
      if (leftMs > 0) return output.running ? leftMs : Number.POSITIVE_INFINITY;
      placed.shift();
    }
    return placed[0] && output.running ? inMs(placed[0].startFrame) : Number.POSITIVE_INFINITY;
  }

  /** @param {Placed} chunk @param {number} fromMs */
  #begin({ index, sentence }, fromMs) {
    this.#index = index;
    // A report is due at each chunk's beginning.
    this.#reportedMs = Number.NEGATIVE_INFINITY;
    if (sentence === this.#sentence.number) return;
    this.#endSentence();
    this.#sentence = { number: sentence, fromMs, toMs: fromMs };
    this.to.emit("speaking", { replyId: this.replyId, sentence });
  }

  #endSentence() {
    const { number, fromMs, toMs } = this.#sentence;
    if (number >= 0) this.to.emit("heard", { replyId: this.replyId, sentence: number, fromMs, toMs });
  }

  #end() {
    if (this.over) return;
    this.over = true;
    this.#endSentence();
    this.#report(0);
    if (this.#sentence.number >= 0) this.to.emit("speaking", { replyId: this.replyId, sentence: null });
  }

  /** @param {number} nowMs */
  #report(nowMs) {
    this.#reportedMs = nowMs;
    this.to.tell("chat:played", { replyId: this.replyId, ...this.position });
  }
}
