/**
 * How loud the voice is, as a strip of bars that runs while it speaks. An ornament: what it shows is also said in words
 * (the sentence that is heard is marked), so it is hidden from screen readers. It draws only while there is sound and
 * the page is seen; where less motion is wanted it stands still and just says that there is sound.
 */
import { element } from "../dom.js";

const BARS = 24;
const BAR_PX = 2;
const STEP_PX = 4;
const HEIGHT_PX = 24;
/** A bar stands for so much time. */
const BAR_MS = 50;
/**
 * RMS of what a bar stands for, where full scale is 0. Read aloud, the packaged voice is at -36, -23 and -18 dB for a
 * quarter, half and three quarters of the time, and at most at -13.
 */
const LEAST_DB = -44;
const MOST_DB = -13;

export class LevelMeter {
  #sound;
  #canvas = element("canvas", { class: "level-meter", "aria-hidden": "true" });
  #levels = new Float32Array(BARS);
  /** @type {Float32Array<ArrayBuffer>} */
  #samples = new Float32Array(1024);
  #frame = 0;
  #lastMs = 0;
  #calm = matchMedia("(prefers-reduced-motion: reduce)");

  /** @param {() => { state: string, analyser: AnalyserNode | null }} sound */
  constructor(sound) {
    this.#sound = sound;
    const scale = Math.min(3, Math.ceil(devicePixelRatio));
    this.#canvas.width = BARS * STEP_PX * scale;
    this.#canvas.height = HEIGHT_PX * scale;
    this.#canvas.getContext("2d")?.scale(scale, scale);
    this.element = this.#canvas;
    document.addEventListener("visibilitychange", () => this.refresh());
    this.#calm.addEventListener("change", () => this.refresh());
  }

  /** The sound's state may have changed. */
  refresh() {
    const playing = this.#sound().state === "playing";
    this.#canvas.dataset.playing = String(playing);
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    if (!playing) this.#levels.fill(0);
    else if (this.#calm.matches) this.#drawStill();
    else if (!document.hidden) this.#frame = requestAnimationFrame((atMs) => this.#run(atMs));
  }

  /** @param {number} atMs */
  #run(atMs) {
    this.#frame = requestAnimationFrame((nextMs) => this.#run(nextMs));
    if (atMs - this.#lastMs < BAR_MS) return;
    this.#lastMs = atMs;
    this.#levels.copyWithin(0, 1);
    this.#levels[BARS - 1] = this.#level();
    this.#draw();
  }

  #level() {
    const { analyser } = this.#sound();
    if (!analyser) return 0;
    if (this.#samples.length !== analyser.fftSize) this.#samples = new Float32Array(analyser.fftSize);
    analyser.getFloatTimeDomainData(this.#samples);
    const latest = this.#samples.subarray(-Math.round((analyser.context.sampleRate * BAR_MS) / 1000));
    const power = latest.reduce((sum, sample) => sum + sample * sample, 0) / latest.length;
    return heightOf(10 * Math.log10(power));
  }

  #drawStill() {
    this.#levels.forEach((_, place) => {
      this.#levels[place] = 0.25 + 0.2 * Math.sin(place * 1.7) + 0.15 * Math.sin(place * 0.6);
    });
    this.#draw();
  }

  #draw() {
    const pen = this.#canvas.getContext("2d");
    if (!pen) return;
    pen.clearRect(0, 0, BARS * STEP_PX, HEIGHT_PX);
    pen.fillStyle = getComputedStyle(this.#canvas).color;
    this.#levels.forEach((level, place) => {
      const height = Math.max(BAR_PX, level * HEIGHT_PX);
      pen.fillRect(place * STEP_PX, (HEIGHT_PX - height) / 2, BAR_PX, height);
    });
  }
}

/**
 * How high a bar is, as part of the whole. The ear hears decibels; the square leaves room between loud and louder.
 * @param {number} levelDb
 */
export function heightOf(levelDb) {
  const part = (levelDb - LEAST_DB) / (MOST_DB - LEAST_DB);
  return Math.min(1, Math.max(0, part)) ** 2;
}
