// What of one reply is heard at this moment, by the audio clock, whenever it is asked.

/**
 * @typedef {object} HearingEvents
 * @property {(sentence: number | null) => void} speaking
 * @property {(sentence: number, fromMs: number, toMs: number) => void} heard
 * @property {(index: number, positionMs: number) => void} played
 */

const REPORT_MS = 500;
/** While a reply waits for its turn, or for the browser's leave, the server is told so now and then. */
const WAITING_REPORT_MS = 5_000;

export class Hearing {
  /** How far the listener has come; null while there is no chunk. @type {{ index: number, positionMs: number } | null} */
  #position = null;
  /** The sentence being heard, and from when to when it has been so far. */
  #sentence = { number: -1, fromMs: 0, toMs: 0 };
  #begun = -1;
  #reportedMs = Number.NEGATIVE_INFINITY;
  #over = false;
  #events;

  /** @param {import("./playback.js").Playback} playback @param {HearingEvents} events */
  constructor(playback, events) {
    this.playback = playback;
    this.#events = events;
  }

  /** @returns {{ index: number, positionMs: number }} the place to come back to */
  get position() {
    const { first, entryMs } = this.playback;
    return this.#position ?? { index: first?.index ?? 0, positionMs: first ? entryMs : 0 };
  }

  /** Everything of it has been heard, or it was silenced. */
  get over() {
    return this.#over;
  }

  /**
   * Tell what has begun and ended since the last time.
   * @param {number} nowMs `performance.now()`
   * @returns {number} milliseconds until the next time that something will, or is to be reported
   */
  advance(nowMs) {
    const dueMs = this.#follow(nowMs);
    if (this.playback.drained && !this.playback.placed.length) {
      this.#end();
      return Number.POSITIVE_INFINITY;
    }
    const everyMs = this.playback.output?.running ? REPORT_MS : WAITING_REPORT_MS;
    if (nowMs - this.#reportedMs >= everyMs) this.#report(nowMs);
    return Math.min(dueMs, everyMs);
  }

  /** It has just been silenced. @param {number} nowMs */
  stop(nowMs) {
    this.#follow(nowMs);
    this.#sentence.toMs = nowMs;
    this.#end();
  }

  /** @param {number} nowMs */
  #follow(nowMs) {
    const { placed, output } = this.playback;
    if (!output || this.#over) return Number.POSITIVE_INFINITY;
    const audible = output.audibleS(nowMs) * output.rateHz;
    const atMs = (/** @type {number} */ frame) => nowMs + ((frame - audible) / output.rateHz) * 1000;
    let heard = 0;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const chunk of placed) {
      if (audible < chunk.startFrame) nextMs = atMs(chunk.startFrame);
      if (audible < chunk.startFrame) break;
      if (chunk.index !== this.#begun) this.#begin(chunk, atMs(chunk.startFrame));
      const end = Math.min(audible, chunk.endFrame);
      const positionMs = ((end - chunk.startFrame + chunk.skippedFrames) / output.rateHz) * 1000;
      this.#position = { index: chunk.index, positionMs };
      this.#sentence.toMs = atMs(end);
      if (this.#reportedMs === Number.NEGATIVE_INFINITY) this.#report(nowMs);
      if (audible < chunk.endFrame) nextMs = atMs(chunk.endFrame);
      if (audible < chunk.endFrame) break;
      heard += 1;
    }
    this.playback.forget(heard);
    return output.running ? Math.max(0, nextMs - nowMs) : Number.POSITIVE_INFINITY;
  }

  /** @param {import("./playback.js").Placed} chunk @param {number} fromMs */
  #begin(chunk, fromMs) {
    this.#begun = chunk.index;
    // A report is due at each chunk's beginning.
    this.#reportedMs = Number.NEGATIVE_INFINITY;
    if (chunk.sentence === this.#sentence.number) return;
    this.#endSentence();
    this.#sentence = { number: chunk.sentence, fromMs, toMs: fromMs };
    this.#events.speaking(chunk.sentence);
  }

  #endSentence() {
    const { number, fromMs, toMs } = this.#sentence;
    if (number >= 0) this.#events.heard(number, fromMs, toMs);
    this.#sentence = { number: -1, fromMs: 0, toMs: 0 };
  }

  #end() {
    if (this.#over) return;
    this.#over = true;
    const spoke = this.#sentence.number >= 0;
    this.#endSentence();
    if (this.#position) this.#events.played(this.#position.index, this.#position.positionMs);
    if (spoke) this.#events.speaking(null);
  }

  /** @param {number} nowMs */
  #report(nowMs) {
    if (!this.#position && !this.playback.first && !this.playback.placed.length) return;
    this.#reportedMs = nowMs;
    const { index, positionMs } = this.position;
    this.#events.played(index, positionMs);
  }
}
