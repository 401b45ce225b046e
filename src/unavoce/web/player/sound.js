// All the sound of a conversation: one voice, so one reply after another, in the order in which they began.

import { rateOf } from "./decoding.js";
import { Hearing } from "./hearing.js";
import { newAudioContext, Output } from "./output.js";
import { Playback } from "./playback.js";

/** @import { Chunk, Clock, CreateContext, Emit, SoundState } from "./types.d.ts" */

/** What the server sends unless it is set up otherwise. */
const DEFAULT_RATE_HZ = 24_000;
/** One for WAV, one for Opus. */
const MAX_OUTPUTS = 2;

/** @type {Clock} */
const browserClock = {
  now: () => performance.now(),
  set: (call, delayMs) => setTimeout(call, delayMs),
  clear: (timer) => clearTimeout(/** @type {number} */ (timer)),
};

export class Sound {
  underruns = 0;
  underrunMs = 0;
  /** @type {SoundState} */
  state = "locked";

  /** By id, in the order in which they began; the first has the turn. @type {Map<string, Hearing>} */
  #replies = new Map();
  /** By rate; the one used last comes last. @type {Map<number, Output>} */
  #outputs = new Map();
  #volume = 1;
  /** @type {unknown} */
  #timer;
  #options;

  /**
   * @param {object} options
   * @param {Emit} options.emit
   * @param {(name: string, payload: object) => void} options.tell the server
   * @param {(replyId: string) => void} options.over called when all of a reply has been heard, or it was silenced
   * @param {Clock} [options.clock]
   * @param {CreateContext} [options.createContext]
   */
  constructor({ clock = browserClock, createContext = newAudioContext, ...options }) {
    this.#options = { clock, createContext, ...options };
    globalThis.document?.addEventListener("visibilitychange", this.#comeBack);
  }

  get analyser() {
    return this.#latest?.analyser ?? null;
  }

  get volume() {
    return this.#volume;
  }

  set volume(volume) {
    this.#volume = Math.min(1, Math.max(0, volume));
    for (const output of this.#outputs.values()) output.setVolume(this.#volume);
  }

  /** Within a gesture: have a context for a sound of `rateHz`, and let all play. */
  unlock(rateHz = this.#latest?.rateHz ?? DEFAULT_RATE_HZ) {
    this.#output(rateHz);
    for (const output of this.#outputs.values()) output.unlock();
    this.#changed();
  }

  /** A reply began whose sound comes here. @param {string} replyId @param {{ index: number, positionMs: number }} [from] */
  expect(replyId, from = { index: 0, positionMs: 0 }) {
    const playback = new Playback(from, {
      changed: () => this.#changed(),
      underrun: (gapMs) => this.#underrun(replyId, gapMs),
      broken: (index, why) => {
        const message = `Chunk ${index} cannot be played: ${why}.`;
        this.#options.emit("error", { replyId, code: "sound_broken", message });
      },
    });
    this.#replies.set(replyId, new Hearing(replyId, playback, from, this.#options));
  }

  /** @param {string} replyId @param {Chunk} chunk the next of that reply */
  add(replyId, chunk) {
    this.#replies.get(replyId)?.playback.add(chunk);
    this.#changed();
  }

  /** Nothing follows of that reply. @param {string} replyId */
  finish(replyId) {
    this.#replies.get(replyId)?.playback.finish();
  }

  /** Silence one reply, or all, at once. @param {string} [replyId] */
  silence(replyId) {
    for (const [id, hearing] of this.#replies) {
      if (replyId !== undefined && replyId !== id) continue;
      hearing.stop(this.#options.clock.now());
      hearing.playback.silence();
    }
    this.#changed();
  }

  /** How far each reply has been heard that still has sound. */
  positions() {
    this.#changed();
    return [...this.#replies].map(([replyId, { position }]) => ({ replyId, ...position }));
  }

  close() {
    this.silence();
    globalThis.document?.removeEventListener("visibilitychange", this.#comeBack);
    for (const output of this.#outputs.values()) output.close();
    this.#outputs.clear();
  }

  get #latest() {
    return [...this.#outputs.values()].at(-1);
  }

  /** Safari takes the device away during a phone call, and gives it back when the page is looked at again and asks. */
  #comeBack = () => {
    if (!document.hidden) for (const output of this.#outputs.values()) output.unlock();
  };

  #changed() {
    this.#takeTurns();
    this.#follow();
    this.#tellState();
  }

  #takeTurns() {
    const turn = [...this.#replies].find(([, { playback }]) => !playback.drained);
    const [replyId, playback] = [turn?.[0], turn?.[1].playback];
    if (!playback?.next) return;
    const output = playback.output ?? this.#output(rateOf(playback.next), replyId);
    if (!output) return this.silence(replyId);
    if (!playback.output) playback.begin(output);
    void playback.decodeAhead();
  }

  /** @param {number} rateHz @param {string} [replyId] @returns {Output | undefined} */
  #output(rateHz, replyId) {
    try {
      const output = this.#outputs.get(rateHz) ?? this.#newOutput(rateHz);
      this.#outputs.delete(rateHz);
      this.#outputs.set(rateHz, output);
      return output;
    } catch (error) {
      this.#options.emit("error", { replyId, code: "no_sound", message: `The browser gives no sound: ${error}` });
    }
  }

  /** @param {number} rateHz */
  #newOutput(rateHz) {
    const used = [...this.#replies.values()].map(({ playback }) => playback.output);
    for (const [rate, other] of this.#outputs) {
      if (this.#outputs.size < MAX_OUTPUTS || used.includes(other)) continue;
      other.close();
      this.#outputs.delete(rate);
    }
    const output = new Output(this.#options.createContext(rateHz), rateHz, this.#volume, () => this.#changed());
    output.unlock();
    return output;
  }

  /** Tell what is heard, let go of what has been, and come back when there is more to tell. */
  #follow() {
    let dueMs = Number.POSITIVE_INFINITY;
    for (const [replyId, hearing] of this.#replies) {
      dueMs = Math.min(dueMs, hearing.advance(this.#options.clock.now()));
      if (hearing.over && this.#replies.delete(replyId)) this.#options.over(replyId);
    }
    this.#options.clock.clear(this.#timer);
    if (dueMs < Number.POSITIVE_INFINITY)
      this.#timer = this.#options.clock.set(() => this.#changed(), Math.ceil(dueMs));
  }

  #tellState() {
    const sounding = [...this.#replies.values()].map(({ playback }) => playback.output).find(Boolean);
    const state = !(sounding ?? this.#latest)?.running ? "locked" : sounding ? "playing" : "idle";
    if (state === this.state) return;
    this.state = state;
    this.#options.emit("sound", { state });
  }

  /** @param {string} replyId @param {number} gapMs */
  #underrun(replyId, gapMs) {
    this.underruns += 1;
    this.underrunMs += gapMs;
    this.#options.emit("underrun", { replyId, gapMs, count: this.underruns });
  }
}
