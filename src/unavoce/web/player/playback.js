// One reply's sound: its chunks decoded ahead, in order, and put on the audio clock end to end.

import { decode } from "./decoding.js";
import { FADE_S, Schedule } from "./schedule.js";

/** @import { Chunk, Placed } from "./types.d.ts" */
/** @import { Output } from "./output.js" */

/** So much is decoded and scheduled ahead; the rest waits as it came. */
const AHEAD_S = 20;
/** What waits is no more than this: a server sends 30 s ahead, 1.5 MB of WAV. */
const MAX_WAITING_BYTES = 32_000_000;
/** A chunk is given another place so often, when the machine was too busy for the first. */
const MAX_TRIES = 3;
/** A reply is silenced over so long. */
const SILENCE_S = 0.012;

export class Playback {
  /** On the clock and not yet heard to the end, in order. @type {Placed[]} */
  placed = [];
  /** @type {Output | null} */
  output = null;

  /** @type {Chunk[]} */
  #waiting = [];
  #waitingBytes = 0;
  #from;
  #complete = false;
  #silenced = false;
  #decoding = false;
  #sounding = 0;
  #events;

  /**
   * @param {{ index: number, positionMs: number }} from where the listener enters it
   * @param {object} events
   * @param {() => void} events.changed something is on the clock, or has ended
   * @param {(gapMs: number) => void} events.underrun
   * @param {(index: number, why: string) => void} events.broken a chunk cannot be played
   */
  constructor(from, events) {
    this.#from = from;
    this.#events = events;
  }

  /** The next chunk that waits. */
  get next() {
    return this.#waiting[0];
  }

  /** Nothing of it sounds any more, and nothing will. */
  get drained() {
    return this.#silenced || (this.#complete && !this.next && !this.#decoding && !this.#sounding);
  }

  /** @param {Chunk} chunk */
  add(chunk) {
    if (this.#silenced) return;
    if (this.#waitingBytes > MAX_WAITING_BYTES) return this.#events.broken(chunk.index, "too much of it waits already");
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.audio.byteLength;
  }

  /** No chunk follows. */
  finish() {
    this.#complete = true;
    this.#events.changed();
  }

  /** Its turn has come. @param {Output} output */
  begin(output) {
    this.output = output;
    this.#schedule = new Schedule(output.rateHz);
    this.#gain = output.context.createGain();
    this.#gain.connect(output.analyser);
  }

  /** @type {Schedule | undefined} */
  #schedule;
  /** @type {GainNode | undefined} */
  #gain;

  /** Fade out at once and play nothing more. */
  silence() {
    this.#silenced = true;
    this.#waiting = [];
    if (!this.output || !this.#gain) return;
    // From where a change is sure to be heard: one planned in the past would begin in its middle, with a click.
    const fromS = this.output.nowS + this.output.limits.marginS;
    this.#gain.gain.setValueAtTime(1, fromS).linearRampToValueAtTime(0, fromS + SILENCE_S);
    for (const { source } of this.placed) source.stop(fromS + SILENCE_S);
    this.placed = [];
  }

  /** Decode the next chunk and put it on the clock, unless there is enough: one at a time, so that none overtakes another. */
  async decodeAhead() {
    const [output, schedule, chunk] = [this.output, this.#schedule, this.next];
    if (this.#decoding || !output || !schedule || !chunk || schedule.aheadS(output.nowS) >= AHEAD_S) return;
    this.#waiting.shift();
    this.#waitingBytes -= chunk.audio.byteLength;
    this.#decoding = true;
    try {
      const buffer = await decode(output.context, chunk);
      if (!this.#silenced) this.#place(chunk, buffer, output, schedule);
    } catch (error) {
      this.#events.broken(chunk.index, error instanceof Error ? error.message : String(error));
    }
    this.#decoding = false;
    this.#events.changed();
  }

  /** @param {Chunk} chunk @param {AudioBuffer} buffer @param {Output} output @param {Schedule} schedule */
  #place({ index, sentence }, buffer, output, schedule) {
    const { rateHz } = output;
    const entryMs = index === this.#from.index ? this.#from.positionMs : 0;
    const skippedFrames = Math.round((entryMs * rateHz) / 1000);
    const frames = Math.round(buffer.duration * rateHz) - skippedFrames;
    if (frames < 1) return;
    const before = this.placed.at(-1);
    for (let tries = MAX_TRIES; ; tries -= 1) {
      const { source, gain } = this.#connect(buffer, output.context);
      const place = schedule.place(frames, output.nowS, output.limits);
      const startS = place.startFrame / rateHz;
      if (place.joins) before?.gain.cancelScheduledValues(before.fadeFrame / rateHz);
      const soft = skippedFrames > 0 || place.gapFrames !== null;
      // Silent from now on: at the very frame of its start Chromium may still use the value from before.
      if (soft)
        gain
          .setValueAtTime(0, output.nowS)
          .setValueAtTime(0, startS)
          .linearRampToValueAtTime(1, startS + FADE_S);
      // Withdrawn when a follower comes in time.
      gain.setValueAtTime(1, place.fadeFrame / rateHz).linearRampToValueAtTime(0, place.endFrame / rateHz);
      source.start(startS, skippedFrames / rateHz);
      if (output.nowS <= startS || !tries) {
        schedule.take(place);
        this.placed.push({ index, sentence, ...place, skippedFrames, source, gain });
        if (place.gapFrames !== null) this.#events.underrun((place.gapFrames / rateHz) * 1000);
        return;
      }
      // The machine was so busy that the moment has passed: it would begin late, and run into its follower.
      source.stop();
      source.disconnect();
    }
  }

  /** @param {AudioBuffer} buffer @param {BaseAudioContext} context */
  #connect(buffer, context) {
    const [source, node] = [context.createBufferSource(), context.createGain()];
    source.buffer = buffer;
    source.connect(node).connect(/** @type {GainNode} */ (this.#gain));
    this.#sounding += 1;
    source.onended = () => {
      node.disconnect();
      this.#sounding -= 1;
      if (this.drained && !this.#sounding) this.#gain?.disconnect();
      this.#events.changed();
    };
    return { source, gain: node.gain };
  }
}
