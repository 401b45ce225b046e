// When each chunk of a reply begins and ends, in whole frames of the reply's own rate. Pure arithmetic on the audio clock.

/** A sound that may end here without a follower is faded out over so long, and one that begins late is faded in. */
export const FADE_S = 0.005;

/**
 * @typedef {object} Placement
 * @property {number} startFrame
 * @property {number} endFrame exclusive
 * @property {number} fadeFrames how long the fade at its end is
 * @property {boolean} joins it begins in the very frame in which the one before it ends, whose fade is to be withdrawn
 * @property {number | null} gapFrames frames of silence before it that were not meant; null where there was no underrun
 */

/** One reply's chunks, end to end. */
export class Schedule {
  /** Where the last chunk ends; null before the first. @type {number | null} */
  endFrame = null;

  /** @param {number} rateHz frames a second */
  constructor(rateHz) {
    this.rateHz = rateHz;
  }

  /**
   * The next chunk's place: where the one before it ends, if that is still possible.
   * @param {number} frames its length, at least 1
   * @param {number} nowS the audio clock
   * @param {{ leadS: number, marginS: number }} limits `leadS`: how far ahead a sound is begun that has nothing to join;
   *   `marginS`: how far ahead a change is heard for sure
   * @returns {Placement}
   */
  place(frames, nowS, { leadS, marginS }) {
    const end = this.endFrame;
    const fadeFrames = Math.min(Math.round(FADE_S * this.rateHz), Math.floor(frames / 2));
    const joins = end !== null && this.#frame(nowS + marginS) <= end - this.#lastFade;
    const earliest = this.#frame(nowS + leadS);
    const startFrame = joins && end !== null ? end : Math.max(end ?? 0, earliest);
    const gapFrames = joins || end === null ? null : startFrame - end;
    this.endFrame = startFrame + frames;
    this.#lastFade = fadeFrames;
    return { startFrame, endFrame: this.endFrame, fadeFrames, joins, gapFrames };
  }

  /** Seconds of sound still to come. @param {number} nowS */
  aheadS(nowS) {
    return this.endFrame === null ? 0 : Math.max(0, this.endFrame / this.rateHz - nowS);
  }

  #lastFade = 0;

  /** The first whole frame at or after a time; a millionth of a frame is a rounding error. @param {number} timeS */
  #frame(timeS) {
    return Math.ceil(timeS * this.rateHz - 1e-6);
  }
}
