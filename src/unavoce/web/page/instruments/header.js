/** What stands in the header, and the notices below it. */
import { element, say, svg } from "../dom.js";
import { verdictOn } from "./health.js";

/**
 * The server's health in a few words; the notices say more where something is amiss.
 */
export class HealthIndicator {
  #health;
  #notices;
  #wanted;
  #brief = element("span");
  #more = element("span", { class: "health-more" });

  /**
   * @param {import("./health.js").Health} health
   * @param {Notices} notices
   * @param {() => string | null} wanted the engine of the chosen voice
   * @param {() => void} open the dialog with everything
   */
  constructor(health, notices, wanted, open) {
    this.#health = health;
    this.#notices = notices;
    this.#wanted = wanted;
    const attributes = { type: "button", class: "health-indicator", "aria-haspopup": "dialog" };
    const dot = element("span", { class: "dot", "aria-hidden": "true" });
    this.element = element("button", attributes, dot, element("span", {}, this.#brief, this.#more));
    this.element.addEventListener("click", open);
    health.watch(() => this.refresh());
    this.refresh();
  }

  refresh() {
    const { level, brief, notices } = verdictOn(this.#health.state, this.#wanted(), Date.now());
    const [name, ...more] = brief.split(" · ");
    say(this.#brief, name);
    say(this.#more, more.map((words) => ` · ${words}`).join(""));
    this.element.dataset.level = level;
    this.element.setAttribute("aria-label", `Server: ${brief}. Details`);
    HEALTH_NOTICES.forEach((id, place) => {
      const notice = notices[place];
      if (notice) this.#notices.show(id, { ...notice, level: notice.level === "bad" ? "bad" : "warn" });
      else this.#notices.clear(id);
    });
  }
}

/** Of speech and of the model. */
const HEALTH_NOTICES = ["health-1", "health-2"];

/**
 * What a person should know, in a strip below the header: as long as it is so, and said once.
 *
 * @typedef {object} Notice
 * @property {"warn" | "bad"} level
 * @property {string} words
 * @property {string} [more] the reason and what helps
 * @property {{ words: string, act: () => void }} [action]
 */

export class Notices {
  /** @type {Map<string, Element>} */
  #shown = new Map();
  /** @type {Map<string, string>} */
  #said = new Map();

  constructor() {
    this.element = element("div", { class: "notices", role: "status" });
  }

  /**
   * @param {string} id whose place it takes
   * @param {Notice} notice
   */
  show(id, notice) {
    const said = `${notice.level}|${notice.words}|${notice.more ?? ""}`;
    if (this.#said.get(id) === said) return;
    const drawn = drawNotice(notice);
    const before = this.#shown.get(id);
    if (before) before.replaceWith(drawn);
    else this.element.append(drawn);
    this.#shown.set(id, drawn);
    this.#said.set(id, said);
  }

  /** @param {string} id */
  clear(id) {
    this.#shown.get(id)?.remove();
    this.#shown.delete(id);
    this.#said.delete(id);
  }
}

/** @param {Notice} notice */
function drawNotice({ level, words, more, action }) {
  const said = element("p", {}, element("strong", {}, words));
  if (more) said.append(" ", element("span", {}, more));
  const drawn = element("div", { class: "notice", "data-level": level }, said);
  if (action) {
    const button = element("button", { type: "button", class: "plain-button" }, action.words);
    button.addEventListener("click", action.act);
    drawn.append(button);
  }
  return drawn;
}

/**
 * In the header: one press silences the page, and the volume beside it.
 * @param {import("./settings.js").Settings} settings
 * @returns {HTMLElement}
 */
export function speechControls(settings) {
  const button = element("button", { type: "button", class: "icon-button", "aria-label": "Speak replies" });
  button.addEventListener("click", () => settings.choose({ speak: !settings.choices.speak }));
  const volume = slider(
    0,
    1,
    0.01,
    (part) => `${Math.round(part * 100)} %`,
    (chosen) => {
      // Whoever turns it up wants to hear.
      settings.choose({ volume: chosen, speak: settings.choices.speak || chosen > 0 });
    },
  );
  volume.input.setAttribute("aria-label", "Volume");
  settings.watch(({ speak, volume: chosen }) => {
    button.setAttribute("aria-pressed", String(speak));
    button.title = speak ? "Replies are spoken. Press for text only." : "Replies are text only. Press to hear them.";
    button.replaceChildren(icon(speak ? "speaker" : "silent"));
    volume.show(speak ? chosen : 0);
  });
  return element("div", { class: "speech-controls" }, button, volume.input);
}

/**
 * A number on a scale, with its value in words beside it.
 * @param {number} least
 * @param {number} most
 * @param {number} step
 * @param {(value: number) => string} words
 * @param {(value: number) => void} choose
 */
export function slider(least, most, step, words, choose) {
  const input = element("input", { type: "range", min: least, max: most, step });
  const value = element("output");
  /** @param {number} number */
  const show = (number) => {
    input.value = String(number);
    input.setAttribute("aria-valuetext", words(number));
    input.style.setProperty("--part", String((number - least) / (most - least)));
    if (value.textContent !== words(number)) value.textContent = words(number);
  };
  input.addEventListener("input", () => choose(Number(input.value)));
  return { input, value, show };
}

/** @type {Record<"speaker" | "silent" | "settings" | "close", string[]>} */
const PATHS = {
  speaker: ["M4 9.5v5h3.5L12 18.5v-13L7.5 9.5z", "M15 9a4.2 4.2 0 0 1 0 6", "M17.5 6.5a8 8 0 0 1 0 11"],
  silent: ["M4 9.5v5h3.5L12 18.5v-13L7.5 9.5z", "m15.5 9.5 5 5m0-5-5 5"],
  settings: ["M4 7h9m4 0h3M4 12h3m4 0h9M4 17h10m4 0h2", "M15 5v4M9 10v4M16 15v4"],
  close: ["M6 6l12 12M18 6 6 18"],
};

/**
 * One of the page's few pictures, drawn with lines in the colour of the text.
 * @param {keyof typeof PATHS} name
 */
export function icon(name) {
  return svg(
    "svg",
    { class: "icon", viewBox: "0 0 24 24", width: 24, height: 24, "aria-hidden": "true" },
    ...PATHS[name].map((d) => svg("path", { d })),
  );
}

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

/**
 * How loud the voice is, as a strip of bars that runs while it speaks. An ornament: what it shows is also said in words
 * (the sentence that is heard is marked), so it is hidden from screen readers. It draws only while there is sound and
 * the page is seen; where less motion is wanted it stands still and just says that there is sound.
 */
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
