/** The server's health on the page: a quiet indicator, a notice when something is amiss, and a dialog with everything. */
import { dialog } from "./dialogs.js";
import { element, say } from "./dom.js";
import { hitWords, STATUS_WORDS, verdictOn } from "./health-words.js";
import { counted, seconds, timeOfDay } from "./times.js";

/** Notices of this many parts at most. */
const NOTICES = ["health-1", "health-2"];
/** How an engine's status looks. @type {Record<string, import("./health-words.js").Level>} */
const LEVELS = { healthy: "well", ok: "well", loading: "busy", slow: "warn", degraded: "warn", down: "bad" };

export class HealthView {
  #health;
  #notices;
  #wanted;
  #brief = element("span");
  #body = element("div", { class: "health-parts" });
  #dialog = dialog("How the server is", this.#body);

  /**
   * @param {import("./health.js").Health} health
   * @param {import("./notices.js").Notices} notices
   * @param {() => string | null} wanted the engine of the chosen voice
   */
  constructor(health, notices, wanted) {
    this.#health = health;
    this.#notices = notices;
    this.#wanted = wanted;
    const dot = element("span", { class: "dot", "aria-hidden": "true" });
    this.indicator = element(
      "button",
      { type: "button", class: "health-indicator", "aria-haspopup": "dialog" },
      dot,
      this.#brief,
    );
    this.indicator.addEventListener("click", () => this.#open());
    this.dialog = this.#dialog;
    health.watch(() => this.refresh());
    this.refresh();
  }

  refresh() {
    const { level, brief, notices } = verdictOn(this.#health.state, this.#wanted(), Date.now());
    say(this.#brief, brief);
    this.indicator.dataset.level = level;
    this.indicator.setAttribute("aria-label", `Server: ${brief}. Details`);
    NOTICES.forEach((id, place) => {
      const notice = notices[place];
      if (notice) this.#notices.show(id, { ...notice, level: notice.level === "bad" ? "bad" : "warn" });
      else this.#notices.clear(id);
    });
    if (this.#dialog.open) this.#draw();
  }

  #open() {
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
 * @param {import("./health-words.js").EngineState} engine
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
