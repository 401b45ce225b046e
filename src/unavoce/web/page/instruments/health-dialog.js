/** The server's parts, each with its state, its figures and what helps. Loaded when it is opened. */
import { element } from "../dom.js";
import { counted, seconds, timeOfDay } from "../times.js";
import { dialog } from "./dialog.js";
import { hitWords, STATUS_WORDS } from "./health.js";

/** How a part's status looks. @type {Record<string, import("./health.js").Level>} */
const LEVELS = { healthy: "well", ok: "well", loading: "busy", slow: "warn", degraded: "warn", down: "bad" };

export class HealthDialog {
  #health;
  #body = element("div", { class: "health-parts" });
  #dialog = dialog("How the server is", this.#body);

  /** @param {import("./health.js").Health} health */
  constructor(health) {
    this.#health = health;
    health.watch(() => {
      if (this.#dialog.open) this.#draw();
    });
  }

  open() {
    this.#health.refresh();
    this.#draw();
    this.#dialog.showModal();
  }

  #draw() {
    const { engines, model, cache } = this.#health.state;
    const parts = engines.map((engine, place) => enginePart(engine, place));
    if (model) parts.push(part(model.model ?? "", "language model", model, partWords(model.status)));
    if (cache) parts.push(part("Cache", "", cache, partWords(cache.status), [hitWords(cache.hits)]));
    this.#body.replaceChildren(...parts);
  }
}

/**
 * @param {import("./health.js").EngineState} engine
 * @param {number} place
 */
function enginePart(engine, place) {
  const figures = [
    engine.sinceMs ? `since ${timeOfDay(engine.sinceMs, Date.now())}` : "",
    engine.voices.length ? counted(engine.voices.length, "voice") : "",
    engine.latencyMs === null ? "" : `first sound in ${seconds(engine.latencyMs)}`,
    engine.clips ? `${counted(engine.clips, "sentence")} spoken` : "",
  ];
  const role = place === 0 ? "voice engine, asked first" : "voice engine, fallback";
  return part(engine.engine, role, engine, STATUS_WORDS[engine.status], figures);
}

/**
 * @param {string} name
 * @param {string} role
 * @param {{ status: string, detail: string, remedy: string }} state
 * @param {string} words
 * @param {string[]} [figures]
 */
function part(name, role, { status, detail, remedy }, words, figures = []) {
  const level = LEVELS[status] ?? "warn";
  const title = element("h3", {}, `${name} `, element("small", {}, role));
  const state = element(
    "p",
    { class: "health-state" },
    element("span", { class: "dot", "aria-hidden": "true" }),
    words,
  );
  const head = element("div", { class: "health-head" }, title, state);
  const drawn = element("section", { class: "health-part", "data-level": level }, head);
  const known = figures.filter(Boolean).join(" · ");
  if (known) drawn.append(element("p", { class: "health-figures" }, known));
  if (detail && detail !== words) drawn.append(element("p", { class: "health-detail" }, detail));
  if (remedy) drawn.append(element("p", { class: "health-remedy" }, element("b", {}, "What helps: "), remedy));
  return drawn;
}

/** @param {string} status of the model or the cache */
function partWords(status) {
  return { ok: "ready", loading: "loading", down: "not answering" }[status] ?? "not as it should be";
}
