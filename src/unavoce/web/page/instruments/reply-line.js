/** The line under a reply: who speaks, how soon, what came from the cache, what went wrong; and the way to its timeline. */
import { element, say, svg } from "../dom.js";
import { counted, seconds } from "../times.js";

let made = 0;

export class ReplyLine {
  #record;
  #api;
  #parts = element("span", { class: "reply-line-parts" });
  #place = element("div", { hidden: true });
  #button = element(
    "button",
    { type: "button", class: "reply-line-button", "aria-expanded": "false" },
    "Timeline",
    chevron(),
  );
  /** @type {Promise<import("../timeline/timeline.js").Timeline> | null} */
  #timeline = null;
  #said = "";

  /**
   * @param {import("./reply-record.js").ReplyRecord} record
   * @param {import("./access.js").Api} api
   */
  constructor(record, api) {
    this.#record = record;
    this.#api = api;
    made += 1;
    this.#place.id = `timeline-${made}`;
    this.#button.setAttribute("aria-controls", this.#place.id);
    this.#button.addEventListener("click", () => void this.#toggle());
    const line = element("p", { class: "reply-line" }, this.#parts, this.#button);
    this.element = element("div", { class: "reply-instruments" }, line, this.#place);
    this.refresh();
  }

  /** Says anew what the record holds. */
  refresh() {
    const parts = lineOf(this.#record);
    const words = parts.map((part) => part.words).join("|");
    if (words === this.#said) return;
    this.#said = words;
    this.#parts.replaceChildren(
      ...parts.map(({ kind, words: said }) => element("span", { class: `reply-line-${kind}` }, said)),
    );
  }

  async #toggle() {
    const open = this.#place.hidden;
    this.#place.hidden = !open;
    this.#button.setAttribute("aria-expanded", String(open));
    this.#timeline ??= this.#load();
    try {
      const timeline = await this.#timeline;
      // It may have been closed while it was being loaded.
      if (this.#place.hidden) timeline.close();
      else timeline.open();
    } catch {
      this.#timeline = null;
      say(this.#place, "The timeline could not be loaded. Is the server still running?");
    }
  }

  /** Only who looks at a timeline loads the modules that draw it. */
  async #load() {
    const { Timeline } = await import("../timeline/timeline.js");
    const timeline = new Timeline(this.#record, this.#api);
    this.#place.replaceChildren(timeline.element);
    return timeline;
  }
}

function chevron() {
  const path = svg("path", { d: "M2.5 4.5 6 8l3.5-3.5" });
  return svg("svg", { viewBox: "0 0 12 12", width: 12, height: 12, "aria-hidden": "true" }, path);
}

/**
 * @typedef {{ kind: "voice" | "plain" | "trouble", words: string }} Part
 * @param {import("./reply-record.js").ReplyRecord} record
 * @returns {Part[]}
 */
export function lineOf(record) {
  const parts = [voices(record), firstSound(record), stored(record), gaps(record), skipped(record), end(record)];
  return parts.filter((part) => part !== null);
}

/**
 * "piper · joe", or "xtts · jon, then piper · joe from sentence 3".
 * @param {import("./reply-record.js").ReplyRecord} record
 * @returns {Part | null}
 */
function voices(record) {
  if (!record.speaks) return { kind: "plain", words: "text only" };
  const clips = [...record.clips.entries()].sort(([one], [other]) => one - other);
  const said = /** @type {string[]} */ ([]);
  let before = "";
  for (const [sentence, { engine, voice }] of clips) {
    const name = engine === voice || !voice ? engine : `${engine} · ${voice}`;
    if (name !== before) said.push(said.length ? `then ${name} from sentence ${sentence + 1}` : name);
    before = name;
  }
  return said.length ? { kind: "voice", words: said.join(", ") } : null;
}

/**
 * @param {import("./reply-record.js").ReplyRecord} record
 * @returns {Part | null}
 */
function firstSound(record) {
  const { firstSoundMs } = record;
  if (firstSoundMs !== null) return { kind: "plain", words: `first sound after ${seconds(firstSoundMs)}` };
  const waits = record.own && record.speaks && !record.clips.size && !record.ended;
  return waits ? { kind: "plain", words: "no sound yet" } : null;
}

/**
 * @param {import("./reply-record.js").ReplyRecord} record
 * @returns {Part | null}
 */
function stored(record) {
  const caches = [...record.clips.values()].map((clip) => clip.cache);
  const memory = caches.filter((cache) => cache === "memory").length;
  const disk = caches.filter((cache) => cache === "disk").length;
  if (!memory && !disk) return null;
  const where = !disk ? "memory" : !memory ? "disk" : `the cache (${memory} memory, ${disk} disk)`;
  return { kind: "plain", words: `${memory + disk} of ${counted(caches.length, "sentence")} from ${where}` };
}

/**
 * @param {import("./reply-record.js").ReplyRecord} record
 * @returns {Part | null}
 */
function gaps(record) {
  if (!record.gaps.length) return null;
  return { kind: "trouble", words: `${counted(record.gaps.length, "gap")}, ${Math.round(record.gapMs)} ms` };
}

/**
 * @param {import("./reply-record.js").ReplyRecord} record
 * @returns {Part | null}
 */
function skipped(record) {
  const number = record.skipped.length;
  return number ? { kind: "trouble", words: `${counted(number, "sentence")} not spoken` } : null;
}

/**
 * @param {import("./reply-record.js").ReplyRecord} record
 * @returns {Part | null}
 */
function end(record) {
  return record.ended === "aborted" ? { kind: "plain", words: "stopped" } : null;
}
