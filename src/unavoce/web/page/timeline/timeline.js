/**
 * The timeline of one reply: opened on request below it, fetched from the server, and refreshed each second while the
 * reply runs. Nothing is fetched or drawn while it is closed or the page is hidden.
 */
import { element, say } from "../dom.js";
import { legendOf } from "./legend.js";
import { isOver, pictureOf } from "./model.js";
import { drawTimeline } from "./picture.js";
import { fetchTrace, TraceGone } from "./trace.js";
import { COLUMNS, summaryOf, tableOf } from "./words.js";

const REFRESH_MS = 1000;
const GONE =
  "The server no longer has this reply's timeline. It keeps those of the latest replies, and forgets them when it is restarted.";

export class Timeline {
  #record;
  #api;
  /** @type {import("./trace.js").Answer | null} */
  #answer = null;
  #gone = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer = undefined;
  #drawnPx = 0;
  #parts = build();
  #resized = new ResizeObserver(() => this.#resize());
  #onVisibility = () => {
    if (!document.hidden) this.#refresh();
  };

  /**
   * @param {import("../instruments/reply-record.js").ReplyRecord} record
   * @param {import("../instruments/access.js").Api} api
   */
  constructor(record, api) {
    this.#record = record;
    this.#api = api;
    this.element = this.#parts.root;
    this.#parts.toggle.addEventListener("click", () => this.#swap());
  }

  get isOpen() {
    return !this.element.hidden;
  }

  open() {
    if (this.isOpen) return;
    this.element.hidden = false;
    if (!this.#answer) say(this.#parts.summary, "Asking the server…");
    this.#resized.observe(this.element);
    document.addEventListener("visibilitychange", this.#onVisibility);
    this.#refresh();
  }

  close() {
    this.element.hidden = true;
    clearTimeout(this.#timer);
    this.#resized.disconnect();
    document.removeEventListener("visibilitychange", this.#onVisibility);
  }

  #swap() {
    const { table, picture, legend, toggle } = this.#parts;
    const asTable = table.hidden;
    table.hidden = !asTable;
    picture.hidden = legend.hidden = asTable;
    toggle.setAttribute("aria-pressed", String(asTable));
    this.#draw();
  }

  async #refresh() {
    clearTimeout(this.#timer);
    try {
      this.#take(await fetchTrace(this.#api, this.#record.replyId));
    } catch (error) {
      this.#fail(/** @type {Error} */ (error));
    }
    clearTimeout(this.#timer);
    if (this.#goesOn()) this.#timer = setTimeout(() => this.#refresh(), REFRESH_MS);
  }

  #goesOn() {
    if (!this.isOpen || document.hidden || this.#gone) return false;
    return !this.#answer || !isOver(this.#answer.trace, this.#record, this.#nowMs());
  }

  /** @param {import("./trace.js").Answer} answer */
  #take(answer) {
    this.#record.clock.observe(answer.askedMs, answer.answeredMs, answer.trace.nowMs);
    this.#answer = answer;
    this.#draw();
  }

  /** @param {Error} error */
  #fail(error) {
    this.#gone = error instanceof TraceGone;
    if (this.#answer) return;
    say(this.#parts.summary, this.#gone ? GONE : error.message);
    this.#parts.toggle.hidden = true;
  }

  #nowMs() {
    const nowMs = this.#record.clock.sinceMessage(performance.now());
    return nowMs ?? this.#answer?.trace.nowMs ?? 0;
  }

  #resize() {
    if (this.#drawnPx !== this.#parts.picture.clientWidth) this.#draw();
  }

  #draw() {
    if (!this.#answer || !this.isOpen) return;
    const { trace } = this.#answer;
    const { summary, toggle, table, picture } = this.#parts;
    toggle.hidden = false;
    say(summary, summaryOf(trace, this.#record));
    if (!table.hidden) table.replaceChildren(drawTable(trace, this.#record));
    if (!picture.hidden) this.#drawPicture(trace);
  }

  /** @param {import("./trace.js").Trace} trace */
  #drawPicture(trace) {
    const { picture, legend } = this.#parts;
    this.#drawnPx = picture.clientWidth;
    const model = pictureOf(trace, this.#record, this.#nowMs());
    const { names, plot } = drawTimeline(model, this.#drawnPx);
    const leftPx = picture.scrollLeft;
    picture.replaceChildren(names, plot);
    picture.scrollLeft = leftPx;
    legend.replaceChildren(...legendOf(model));
  }
}

function build() {
  const summary = element("p", { class: "timeline-summary" });
  const toggle = element(
    "button",
    { type: "button", class: "timeline-toggle", "aria-pressed": "false", hidden: true },
    "As a table",
  );
  // Both can be scrolled, so both can be reached by the keyboard.
  const picture = element("div", {
    class: "timeline-picture",
    role: "img",
    tabindex: 0,
    "aria-label": "The timeline as a picture. Its gist is in the sentence above, all of it in the table.",
  });
  const table = element("div", {
    class: "timeline-table",
    role: "group",
    tabindex: 0,
    "aria-label": "Timeline as a table",
    hidden: true,
  });
  const legend = element("ul", { class: "timeline-legend", "aria-hidden": "true" });
  const head = element("div", { class: "timeline-head" }, summary, toggle);
  const attributes = { class: "timeline", role: "group", "aria-label": "Timeline of this reply", hidden: true };
  return {
    root: element("div", attributes, head, picture, legend, table),
    summary,
    toggle,
    picture,
    table,
    legend,
  };
}

/**
 * @param {import("./trace.js").Trace} trace
 * @param {import("../instruments/reply-record.js").ReplyRecord} record
 */
function drawTable(trace, record) {
  const head = COLUMNS.map((name) => element("th", { scope: "col" }, name));
  const rows = tableOf(trace, record).map(([first, ...rest]) => {
    return element("tr", {}, element("th", { scope: "row" }, first), ...rest.map((cell) => element("td", {}, cell)));
  });
  return element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows));
}
