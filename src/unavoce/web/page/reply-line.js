/** The line under a reply, and the button in it that opens the reply's timeline. */
import { element, say, svg } from "./dom.js";
import { lineOf } from "./reply-words.js";

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
  /** @type {Promise<import("./timeline.js").Timeline> | null} */
  #timeline = null;
  #said = "";

  /**
   * @param {import("./reply-record.js").ReplyRecord} record
   * @param {import("./api.js").Api} api
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
    const { Timeline } = await import("./timeline.js");
    const timeline = new Timeline(this.#record, this.#api);
    this.#place.replaceChildren(timeline.element);
    return timeline;
  }
}

function chevron() {
  const path = svg("path", { d: "M2.5 4.5 6 8l3.5-3.5" });
  return svg("svg", { viewBox: "0 0 12 12", width: 12, height: 12, "aria-hidden": "true" }, path);
}
