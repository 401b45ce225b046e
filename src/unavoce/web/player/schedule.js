// When each chunk of a reply begins and ends, in whole frames of the reply's own rate. Pure arithmetic on the audio clock.

/** @import { Placement } from "./types.d.ts" */

/** A sound that may end without a follower is faded out over so long, and one that begins late is faded in. */
export const FADE_S = 0.005;

/** One reply's chunks, end to end. */
export class Schedule {
  /** The last chunk's place. @type {Placement | null} */
  #last = null;

  /** @param {number} rateHz frames a second */
  constructor(rateHz) {
    this.rateHz = rateHz;
  }

  /**
   * Where the next chunk could begin: where the one before it ends, while that can still be.
   * @param {number} frames its length, at least 1
   * @param {number} nowS the audio clock
   * @param {{ leadS: number, marginS: number }} limits `leadS`: how far ahead a sound is begun that joins nothing; `marginS`:
   *   how far ahead a change is sure to be heard
   * @returns {Placement}
   */
  place(frames, nowS, { leadS, marginS }) {
    const before = this.#last;
    const joins = before !== null && this.#frame(nowS + marginS) <= before.fadeFrame;
    const startFrame = joins ? before.endFrame : Math.max(before?.endFrame ?? 0, this.#frame(nowS + leadS));
    const endFrame = startFrame + frames;
    const fadeFrame = endFrame - Math.min(Math.round(FADE_S * this.rateHz), Math.floor(frames / 2));
    const gapFrames = joins || !before ? null : startFrame - before.endFrame;
    return { startFrame, endFrame, fadeFrame, joins, gapFrames };
  }

  /** The next chunk has this place. @param {Placement} place */
  take(place) {
    this.#last = place;
  }

  /** Seconds of sound still to come. @param {number} nowS */
  aheadS(nowS) {
    return this.#last ? Math.max(0, this.#last.endFrame / this.rateHz - nowS) : 0;
  }

  /** The first whole frame at or after a time; a millionth of a frame is a rounding error. @param {number} timeS */
  #frame(timeS) {
    return Math.ceil(timeS * this.rateHz - 1e-6);
  }
}
