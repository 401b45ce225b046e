/** What stands in the header, and the notices below it. */
import { element, say, svg } from "../dom.js";
import { verdictOn } from "./health-words.js";

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
