// All the sound of a conversation: one voice, so one reply after another, in the order in which they began.

import { isOpus, OPUS_RATE_HZ } from "./decoding.js";
import { Hearing } from "./hearing.js";
import { newAudioContext, Output } from "./output.js";
import { Playback } from "./playback.js";

export const DEFAULT_RATE_HZ = 24_000;
/** Contexts kept: one for WAV, one for Opus. */
const MAX_OUTPUTS = 2;

/**
 * @typedef {"locked" | "idle" | "playing"} State
 *
 * @typedef {object} Clock
 * @property {() => number} now milliseconds, as `performance.now()`
 * @property {(call: () => void, delayMs: number) => unknown} set
 * @property {(timer: any) => void} clear
 *
 * @typedef {object} SoundEvents
 * @property {(state: State) => void} state
 * @property {(replyId: string, sentence: number | null) => void} speaking
 * @property {(replyId: string, sentence: number, fromMs: number, toMs: number) => void} heard
 * @property {(replyId: string, index: number, positionMs: number) => void} played
 * @property {(replyId: string, gapMs: number) => void} underrun
 * @property {(replyId: string, code: string, message: string) => void} error
 * @property {(replyId: string) => void} over everything of a reply has been heard, or it was silenced
 */

/** @type {Clock} */
export const browserClock = {
  now: () => performance.now(),
  set: (call, delayMs) => setTimeout(call, delayMs),
  clear: (timer) => clearTimeout(timer),
};

export class Sound {
  underruns = 0;
  underrunMs = 0;

  /** In the order in which they began; the first one has the turn. @type {Map<string, Hearing>} */
  #replies = new Map();
  /** By rate; the one used last comes last. @type {Map<number, Output>} */
  #outputs = new Map();
  /** @type {State} */
  #state = "locked";
  #volume = 1;
  /** @type {unknown} */
  #timer = null;
  #events;
  #clock;
  #createContext;

  /** @param {{ events: SoundEvents, clock?: Clock, createContext?: (rateHz: number) => BaseAudioContext }} options */
  constructor({ events, clock = browserClock, createContext = newAudioContext }) {
    this.#events = events;
    this.#clock = clock;
    this.#createContext = createContext;
    globalThis.document?.addEventListener("visibilitychange", this.#comeBack);
  }

  get state() {
    return this.#state;
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

  /** Within a gesture: have a context for a sound of `rateHz`, and let all play. @param {number} [rateHz] */
  unlock(rateHz = this.#latest?.rateHz ?? DEFAULT_RATE_HZ) {
    this.#output(rateHz);
    for (const output of this.#outputs.values()) output.unlock();
    this.#changed();
  }

  /**
   * A reply began, whose sound comes here.
   * @param {string} replyId
   * @param {number} [entryMs] where in its first chunk it is entered
   */
  expect(replyId, entryMs = 0) {
    if (this.#replies.has(replyId)) return;
    const playback = new Playback({
      placed: () => this.#changed(),
      drained: () => this.#changed(),
      underrun: (gapMs) => this.#underrun(replyId, gapMs),
      broken: (index, message) => this.#broken(replyId, index, message),
    });
    playback.entryMs = entryMs;
    const hearing = new Hearing(playback, {
      speaking: (sentence) => this.#events.speaking(replyId, sentence),
      heard: (sentence, fromMs, toMs) => this.#events.heard(replyId, sentence, fromMs, toMs),
      played: (index, positionMs) => this.#events.played(replyId, index, positionMs),
    });
    this.#replies.set(replyId, hearing);
  }

  /** @param {string} replyId @param {import("./playback.js").Chunk} chunk the next of that reply */
  add(replyId, chunk) {
    this.#replies.get(replyId)?.playback.add(chunk);
    this.#changed();
  }

  /** Nothing follows of that reply. @param {string} replyId */
  finish(replyId) {
    this.#replies.get(replyId)?.playback.finish();
  }

  /** Silence one reply, or all, at once. @param {string} [replyId] @returns {string[]} those that were silenced */
  silence(replyId) {
    const chosen = [...this.#replies].filter(([id]) => replyId === undefined || id === replyId);
    for (const [, hearing] of chosen) {
      hearing.stop(this.#clock.now());
      hearing.playback.silence();
    }
    this.#changed();
    return chosen.map(([id]) => id);
  }

  /** Where each reply is that has not been heard to its end. */
  positions() {
    this.#follow();
    return [...this.#replies].map(([replyId, hearing]) => ({ replyId, ...hearing.position }));
  }

  close() {
    this.silence();
    this.#clock.clear(this.#timer);
    globalThis.document?.removeEventListener("visibilitychange", this.#comeBack);
    for (const output of this.#outputs.values()) output.close();
    this.#outputs.clear();
  }

  get #latest() {
    return [...this.#outputs.values()].at(-1) ?? null;
  }

  /** The browser took the device away (a phone call, a locked screen) and the page is looked at again. */
  #comeBack = () => {
    if (document.hidden) return;
    for (const output of this.#outputs.values()) output.unlock();
  };

  #changed() {
    this.#takeTurns();
    this.#follow();
    this.#tellState();
  }

  #takeTurns() {
    for (const [replyId, { playback }] of this.#replies) {
      if (playback.drained) continue;
      if (!playback.output && playback.first) this.#begin(replyId, playback, playback.first);
      return;
    }
  }

  /** @param {string} replyId @param {Playback} playback @param {import("./playback.js").Chunk} first */
  #begin(replyId, playback, first) {
    try {
      playback.begin(this.#output(isOpus(first.contentType) ? OPUS_RATE_HZ : first.sampleRate));
    } catch (error) {
      this.#events.error(replyId, "no_sound", `The browser gives no sound: ${error instanceof Error ? error.message : error}`);
      this.silence(replyId);
    }
  }

  /** @param {number} rateHz */
  #output(rateHz) {
    const output = this.#outputs.get(rateHz) ?? this.#newOutput(rateHz);
    this.#outputs.delete(rateHz);
    this.#outputs.set(rateHz, output);
    return output;
  }

  /** @param {number} rateHz */
  #newOutput(rateHz) {
    const output = new Output(this.#createContext(rateHz), rateHz, () => this.#changed());
    output.setVolume(this.#volume);
    output.unlock();
    const used = new Set([...this.#replies.values()].map(({ playback }) => playback.output));
    for (const [rate, other] of this.#outputs) {
      if (this.#outputs.size < MAX_OUTPUTS || used.has(other)) continue;
      other.close();
      this.#outputs.delete(rate);
    }
    return output;
  }

  /** Tell what is heard, let go of what has been, and come back when there is more to tell. */
  #follow() {
    const nowMs = this.#clock.now();
    let dueMs = Number.POSITIVE_INFINITY;
    for (const [replyId, hearing] of this.#replies) {
      dueMs = Math.min(dueMs, hearing.advance(nowMs));
      if (!hearing.over) continue;
      this.#replies.delete(replyId);
      this.#events.over(replyId);
    }
    this.#clock.clear(this.#timer);
    this.#timer = dueMs < Number.POSITIVE_INFINITY ? this.#clock.set(() => this.#changed(), Math.ceil(dueMs)) : null;
  }

  #tellState() {
    const sounding = [...this.#replies.values()].find(({ playback }) => playback.output)?.playback.output ?? null;
    const output = sounding ?? this.#latest;
    const state = !output?.running ? "locked" : sounding ? "playing" : "idle";
    if (state === this.#state) return;
    this.#state = state;
    this.#events.state(state);
  }

  /** @param {string} replyId @param {number} gapMs */
  #underrun(replyId, gapMs) {
    this.underruns += 1;
    this.underrunMs += gapMs;
    this.#events.underrun(replyId, gapMs);
  }

  /** @param {string} replyId @param {number} index @param {string} message */
  #broken(replyId, index, message) {
    this.#events.error(replyId, "sound_broken", `Piece ${index} of the sound cannot be played: ${message}.`);
  }
}
