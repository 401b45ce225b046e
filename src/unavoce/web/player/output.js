// Where sound goes out: an AudioContext at the sound's own rate, its analyser and its volume.

/** A sound that joins nothing begins so far ahead, besides what the device takes at a time. */
const LEAD_S = 0.02;
/** A device that claims to be further behind than this is not believed. */
const MAX_LATENCY_S = 0.5;

/** @param {number} rateHz @returns {BaseAudioContext} */
export function newAudioContext(rateHz) {
  // "balanced": a voice does not need the smallest buffers, and the language model may need the same processor.
  return new AudioContext({ sampleRate: rateHz, latencyHint: "balanced" });
}

export class Output {
  /** @param {BaseAudioContext} context @param {number} rateHz of the sound @param {number} volume @param {() => void} changed */
  constructor(context, rateHz, volume, changed) {
    /** An AudioContext; in tests one without a device, which lacks the members called with `?.` below. */
    this.context = /** @type {AudioContext} */ (context);
    this.rateHz = rateHz;
    this.analyser = context.createAnalyser();
    this.#volume = context.createGain();
    this.#volume.gain.value = volume;
    // Before the volume: a meter shows the voice, however loud the listener likes it.
    this.analyser.connect(this.#volume).connect(context.destination);
    context.onstatechange = changed;
  }

  #volume;

  get running() {
    return this.context.state === "running";
  }

  /** The audio clock: what is about to be handed to the device. */
  get nowS() {
    return this.context.currentTime;
  }

  /** How far ahead of the audio clock things are planned (see Schedule.place). */
  get limits() {
    const blockS = Math.min(this.context.baseLatency || 0, 0.05);
    return { leadS: LEAD_S + blockS, marginS: 0.003 + blockS };
  }

  /** @param {number} volume */
  setVolume(volume) {
    this.#volume.gain.setTargetAtTime(volume, this.nowS, 0.01);
  }

  /** Ask the browser to let it play; within a gesture. Refused, it stays locked, which `running` says. */
  unlock() {
    if (!this.running) this.context.resume?.().catch(() => {});
  }

  /** The place on the audio clock that is heard: behind it by what the device holds. @param {number} nowMs `performance.now()` */
  audibleS(nowMs) {
    const { nowS, context } = this;
    if (!this.running) return nowS;
    const { contextTime = 0, performanceTime = 0 } = context.getOutputTimestamp?.() ?? {};
    const stampedS = contextTime + (nowMs - performanceTime) / 1000;
    if (contextTime > 0 && stampedS <= nowS && stampedS >= nowS - MAX_LATENCY_S) return stampedS;
    const latencyS = context.outputLatency || context.baseLatency || 0;
    return Math.max(0, nowS - Math.min(latencyS, MAX_LATENCY_S));
  }

  close() {
    this.context.onstatechange = null;
    this.context.close?.().catch(() => {});
  }
}
