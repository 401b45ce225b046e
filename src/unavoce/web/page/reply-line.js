/** The line under a reply, and the button in it that opens the reply's timeline. */
import { element, svg } from "./dom.js";
import { lineOf } from "./reply-words.js";
import { Timeline } from "./timeline.js";

let made = 0;

export class ReplyLine {
  #record;
  #timeline;
  #parts;
  #button;
  #said = "";

  /**
   * @param {import("./reply-record.js").ReplyRecord} record
   * @param {import("./api.js").Api} api
   */
  constructor(record, api) {
    this.#record = record;
    this.#timeline = new Timeline(record, api);
    made += 1;
    const id = `timeline-${made}`;
    this.#timeline.element.id = id;
    this.#parts = element("span", { class: "reply-line-parts" });
    this.#button = element(
      "button",
      { type: "button", class: "reply-line-button", "aria-expanded": "false", "aria-controls": id },
      "Timeline",
      svg(
        "svg",
        { viewBox: "0 0 12 12", width: 12, height: 12, "aria-hidden": "true" },
        svg("path", { d: "M2.5 4.5 6 8l3.5-3.5" }),
      ),
    );
    this.#button.addEventListener("click", () => this.toggle());
    const line = element("p", { class: "reply-line" }, this.#parts, this.#button);
    this.element = element("div", { class: "reply-instruments" }, line, this.#timeline.element);
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

  toggle() {
    if (this.#timeline.isOpen) this.#timeline.close();
    else this.#timeline.open();
    this.#button.setAttribute("aria-expanded", String(this.#timeline.isOpen));
  }
}
