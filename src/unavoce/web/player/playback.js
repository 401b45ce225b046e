// One reply's sound: its chunks decoded ahead, in order, and put on the audio clock end to end.

import { decode } from "./decoding.js";
import { FADE_S, Schedule } from "./schedule.js";

/** So much is decoded and scheduled ahead; the rest waits as it came. */
const AHEAD_S = 20;
/** A reply is silenced over so long. */
const SILENCE_S = 0.012;

/**
 * @typedef {object} Chunk one that waits
 * @property {number} index
 * @property {number} sentence
 * @property {string} contentType
 * @property {ArrayBuffer} data
 * @property {number} durationMs
 * @property {number} sampleRate
 *
 * @typedef {object} Placed one that is on the audio clock
 * @property {number} index
 * @property {number} sentence
 * @property {number} startFrame
 * @property {number} endFrame exclusive
 * @property {number} skippedFrames of its beginning, where a listener came back into the middle of it
 * @property {AudioBufferSourceNode} source
 * @property {GainNode} gain
 *
 * @typedef {object} PlaybackEvents
 * @property {() => void} placed a chunk has been put on the clock
 * @property {() => void} drained its turn is over: nothing follows, and the last source has ended
 * @property {(gapMs: number) => void} underrun
 * @property {(index: number, message: string) => void} broken a chunk cannot be played
 */

export class Playback {
  /** On the clock and not yet heard to the end, in order. @type {Placed[]} */
  placed = [];
  /** No chunk follows those that are here. */
  complete = false;
  silenced = false;
  /** Where the first chunk is entered. */
  entryMs = 0;

  /** @type {Chunk[]} */
  #waiting = [];
  /** @type {import("./output.js").Output | null} */
  #output = null;
  /** @type {Schedule | null} */
  #schedule = null;
  /** @type {GainNode | null} */
  #gain = null;
  #decoding = false;
  #sounding = 0;
  #events;

  /** @param {PlaybackEvents} events */
  constructor(events) {
    this.#events = events;
  }

  /** The chunk that decides the context's rate; null while there is none. */
  get first() {
    return this.#waiting[0] ?? null;
  }

  get output() {
    return this.#output;
  }

  /** Nothing of it sounds any more, and nothing will. */
  get drained() {
    return this.silenced || (this.complete && !this.#waiting.length && !this.#decoding && !this.#sounding);
  }

  /** @param {Chunk} chunk the next one */
  add(chunk) {
    if (this.silenced) return;
    this.#waiting.push(chunk);
    void this.#pump();
  }

  /** No chunk follows. */
  finish() {
    this.complete = true;
    if (this.drained) this.#events.drained();
  }

  /** Its turn has come. @param {import("./output.js").Output} output */
  begin(output) {
    this.#output = output;
    this.#schedule = new Schedule(output.rateHz);
    this.#gain = output.context.createGain();
    this.#gain.connect(output.analyser);
    void this.#pump();
  }

  /** Fade out at once and play nothing more. */
  silence() {
    if (this.silenced) return;
    this.silenced = true;
    this.#waiting = [];
    if (this.#output && this.#gain) {
      // From where a change is heard for sure: one planned in the past would begin in its middle, with a click.
      const fromS = this.#output.nowS + this.#output.limits.marginS;
      this.#gain.gain.setValueAtTime(1, fromS);
      this.#gain.gain.linearRampToValueAtTime(0, fromS + SILENCE_S);
      for (const { source } of this.placed) source.stop(fromS + SILENCE_S);
    }
    this.#events.drained();
  }

  /** Let go of chunks that have been heard. @param {number} count */
  forget(count) {
    this.placed.splice(0, count);
  }

  async #pump() {
    if (this.#decoding || !this.#output || !this.#schedule) return;
    this.#decoding = true;
    while (this.#waiting.length && this.#schedule.aheadS(this.#output.nowS) < AHEAD_S) {
      const chunk = /** @type {Chunk} */ (this.#waiting.shift());
      try {
        const buffer = await decode(this.#output.context, chunk);
        if (this.silenced) return;
        if (buffer) this.#place(chunk, buffer);
      } catch (error) {
        this.#events.broken(chunk.index, error instanceof Error ? error.message : String(error));
      }
    }
    this.#decoding = false;
    if (this.drained) this.#events.drained();
  }

  /** @param {Chunk} chunk @param {AudioBuffer} buffer */
  #place(chunk, buffer) {
    const [output, schedule] = [this.#output, this.#schedule];
    if (!output || !schedule) return;
    const { rateHz } = output;
    const entryS = Math.min(this.entryMs / 1000, buffer.duration);
    const skippedFrames = Math.round(entryS * rateHz);
    const entered = this.entryMs > 0;
    this.entryMs = 0;
    const frames = Math.round(buffer.duration * rateHz) - skippedFrames;
    if (frames < 1) return;
    const before = this.placed.at(-1);
    const place = schedule.place(frames, output.nowS, output.limits);
    if (place.joins && before) before.gain.gain.cancelScheduledValues(fadeAtS(before.endFrame, this.#fadeFrames, rateHz));
    if (place.gapFrames !== null) this.#events.underrun((place.gapFrames / rateHz) * 1000);
    const { source, gain } = this.#connect(output, buffer);
    const startS = place.startFrame / rateHz;
    if (entered || place.gapFrames !== null) fadeIn(gain.gain, startS);
    fadeOut(gain.gain, fadeAtS(place.endFrame, place.fadeFrames, rateHz), place.endFrame / rateHz);
    this.#fadeFrames = place.fadeFrames;
    source.start(startS, skippedFrames / rateHz);
    const { index, sentence } = chunk;
    this.placed.push({ index, sentence, ...place, skippedFrames, source, gain });
    this.#events.placed();
  }

  #fadeFrames = 0;

  /** @param {import("./output.js").Output} output @param {AudioBuffer} buffer */
  #connect(output, buffer) {
    const source = output.context.createBufferSource();
    const gain = output.context.createGain();
    source.buffer = buffer;
    source.connect(gain).connect(/** @type {GainNode} */ (this.#gain));
    this.#sounding += 1;
    source.addEventListener("ended", () => {
      source.disconnect();
      gain.disconnect();
      this.#sounding -= 1;
      if (!this.#sounding && this.silenced) this.#gain?.disconnect();
      if (this.drained) this.#events.drained();
      else void this.#pump();
    });
    return { source, gain };
  }
}

/** @param {number} endFrame @param {number} fadeFrames @param {number} rateHz */
function fadeAtS(endFrame, fadeFrames, rateHz) {
  return (endFrame - fadeFrames) / rateHz;
}

/** @param {AudioParam} gain @param {number} startS */
function fadeIn(gain, startS) {
  gain.setValueAtTime(0, startS);
  gain.linearRampToValueAtTime(1, startS + FADE_S);
}

/** @param {AudioParam} gain @param {number} fromS @param {number} toS */
function fadeOut(gain, fromS, toS) {
  gain.setValueAtTime(1, fromS);
  gain.linearRampToValueAtTime(0, toS);
}
