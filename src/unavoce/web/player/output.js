// Where sound goes out: one AudioContext at the sound's own rate, its volume and its analyser.

/** A sound with nothing to join begins so far ahead, besides the device's own latency. */
const LEAD_S = 0.02;
/** What the device buffers is taken for no more than this. */
const MAX_LATENCY_S = 0.5;
const VOLUME_RAMP_S = 0.02;

/** @param {number} rateHz @returns {BaseAudioContext} */
export function newAudioContext(rateHz) {
  // "balanced": a voice does not need the smallest buffers, and the language model may need the same processor.
  return new AudioContext({ sampleRate: rateHz, latencyHint: "balanced" });
}

export class Output {
  /**
   * @param {BaseAudioContext} context
   * @param {number} rateHz of the sound
   * @param {() => void} onState called when the browser lets it play, or does not any more
   */
  constructor(context, rateHz, onState) {
    this.context = context;
    this.rateHz = rateHz;
    this.analyser = context.createAnalyser();
    this.#volume = context.createGain();
    // Before the volume: a meter shows the voice, however loud the listener likes it.
    this.analyser.connect(this.#volume).connect(context.destination);
    context.addEventListener("statechange", onState);
    this.#onState = onState;
  }

  #volume;
  #onState;

  get running() {
    return this.context.state === "running";
  }

  get nowS() {
    return this.context.currentTime;
  }

  /** How far ahead of the audio clock things are planned; see `Schedule.place`. */
  get limits() {
    const blockS = Math.min(this.#context("baseLatency") || 0, 0.05);
    return { leadS: LEAD_S + blockS, marginS: 0.003 + blockS };
  }

  /** @param {number} volume 0 to 1 */
  setVolume(volume) {
    const { gain } = this.#volume;
    gain.cancelScheduledValues(0);
    if (!this.running) gain.value = volume;
    else gain.setTargetAtTime(volume, this.nowS, VOLUME_RAMP_S / 3);
  }

  /** Ask the browser to let it play; call it within a gesture. */
  unlock() {
    if (this.running || !("resume" in this.context)) return;
    // Refused outside a gesture, or for a context without a device: then it stays locked, which `running` says.
    /** @type {AudioContext} */ (this.context).resume().catch(() => {});
  }

  /**
   * The place on the audio clock that is heard at this moment: behind `nowS` by what the device still holds.
   * @param {number} nowMs `performance.now()`
   */
  audibleS(nowMs) {
    const nowS = this.nowS;
    if (!this.running) return nowS;
    const stamp = this.#timestamp();
    const stampedS = stamp ? stamp.contextTime + (nowMs - stamp.performanceTime) / 1000 : Number.NaN;
    if (stamp && stamp.contextTime > 0 && stampedS <= nowS && stampedS >= nowS - MAX_LATENCY_S) return stampedS;
    const latencyS = this.#context("outputLatency") || this.#context("baseLatency") || 0;
    return Math.max(0, nowS - Math.min(latencyS, MAX_LATENCY_S));
  }

  close() {
    this.context.removeEventListener("statechange", this.#onState);
    if ("close" in this.context && this.context.state !== "closed") {
      /** @type {AudioContext} */ (this.context).close().catch(() => {});
    }
  }

  /** @param {"baseLatency" | "outputLatency"} name not in every browser, nor in a context without a device */
  #context(name) {
    const value = /** @type {Partial<AudioContext>} */ (this.context)[name];
    return typeof value === "number" && Number.isFinite(value) ? value : 0;
  }

  /** @returns {{ contextTime: number, performanceTime: number } | null} */
  #timestamp() {
    if (!("getOutputTimestamp" in this.context)) return null;
    const { contextTime, performanceTime } = /** @type {AudioContext} */ (this.context).getOutputTimestamp();
    if (typeof contextTime !== "number" || typeof performanceTime !== "number") return null;
    return { contextTime, performanceTime };
  }
}
