/**
 * The timeline of one reply: opened on request below it, fetched from the server, and refreshed each second while the
 * reply runs. Nothing is fetched or drawn while it is closed or the page is hidden.
 */
import { element, say } from "./dom.js";
import { legendOf } from "./timeline-legend.js";
import { isOver, pictureOf } from "./timeline-model.js";
import { drawTimeline } from "./timeline-picture.js";
import { COLUMNS, summaryOf, tableOf } from "./timeline-words.js";
import { fetchTrace, TraceGone } from "./trace.js";

const REFRESH_MS = 1000;
const GONE =
  "The server no longer has this reply's timeline. It keeps those of the latest replies, and forgets them when it is restarted.";

export class Timeline {
  /**
   * @param {import("./reply-record.js").ReplyRecord} record
   * @param {import("./api.js").Api} api
   */
  constructor(record, api) {
    this._record = record;
    this._api = api;
    /** @type {import("./trace.js").Answer | null} */
    this._answer = null;
    this._gone = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this._timer = undefined;
    this._drawnPx = 0;
    this._parts = build();
    this.element = this._parts.root;
    this._parts.toggle.addEventListener("click", () => this._swap());
    this._resized = new ResizeObserver(() => this._resize());
    this._onVisibility = () => {
      if (!document.hidden) this._refresh();
    };
  }

  get isOpen() {
    return !this.element.hidden;
  }

  open() {
    if (this.isOpen) return;
    this.element.hidden = false;
    if (!this._answer) say(this._parts.summary, "Asking the server…");
    this._resized.observe(this.element);
    document.addEventListener("visibilitychange", this._onVisibility);
    this._refresh();
  }

  close() {
    this.element.hidden = true;
    clearTimeout(this._timer);
    this._resized.disconnect();
    document.removeEventListener("visibilitychange", this._onVisibility);
  }

  _swap() {
    const { table, picture, legend, toggle } = this._parts;
    const asTable = table.hidden;
    table.hidden = !asTable;
    picture.hidden = legend.hidden = asTable;
    toggle.setAttribute("aria-pressed", String(asTable));
    this._draw();
  }

  async _refresh() {
    clearTimeout(this._timer);
    try {
      this._take(await fetchTrace(this._api, this._record.replyId));
    } catch (error) {
      this._fail(/** @type {Error} */ (error));
    }
    clearTimeout(this._timer);
    if (this._goesOn()) this._timer = setTimeout(() => this._refresh(), REFRESH_MS);
  }

  _goesOn() {
    if (!this.isOpen || document.hidden || this._gone) return false;
    return !this._answer || !isOver(this._answer.trace, this._record, this._nowMs());
  }

  /** @param {import("./trace.js").Answer} answer */
  _take(answer) {
    this._record.clock.observe(answer.askedMs, answer.answeredMs, answer.trace.nowMs);
    this._answer = answer;
    this._draw();
  }

  /** @param {Error} error */
  _fail(error) {
    this._gone = error instanceof TraceGone;
    if (this._answer) return;
    say(this._parts.summary, this._gone ? GONE : error.message);
    this._parts.toggle.hidden = true;
  }

  _nowMs() {
    const nowMs = this._record.clock.sinceMessage(performance.now());
    return nowMs ?? this._answer?.trace.nowMs ?? 0;
  }

  _resize() {
    if (this._drawnPx !== this._parts.picture.clientWidth) this._draw();
  }

  _draw() {
    if (!this._answer || !this.isOpen) return;
    const { trace } = this._answer;
    const { summary, toggle, table, picture } = this._parts;
    toggle.hidden = false;
    say(summary, summaryOf(trace, this._record));
    if (!table.hidden) table.replaceChildren(drawTable(trace, this._record));
    if (!picture.hidden) this._drawPicture(trace);
  }

  /** @param {import("./trace.js").Trace} trace */
  _drawPicture(trace) {
    const { picture, legend } = this._parts;
    this._drawnPx = picture.clientWidth;
    const model = pictureOf(trace, this._record, this._nowMs());
    const { names, plot } = drawTimeline(model, this._drawnPx);
    const leftPx = picture.scrollLeft;
    picture.replaceChildren(names, plot);
    picture.scrollLeft = leftPx;
    legend.replaceChildren(...legendOf(model));
  }
}

function build() {
  const summary = element("p", { class: "timeline-summary" });
  const toggle = element("button", { type: "button", class: "timeline-toggle", "aria-pressed": "false", hidden: true }, "As a table");
  // Both can be scrolled, so both can be reached by the keyboard.
  const picture = element("div", { class: "timeline-picture", role: "img", tabindex: 0, "aria-label": "Timeline; the same as words above, and as a table" });
  const table = element("div", { class: "timeline-table", role: "group", tabindex: 0, "aria-label": "Timeline as a table", hidden: true });
  const legend = element("ul", { class: "timeline-legend", "aria-hidden": "true" });
  const head = element("div", { class: "timeline-head" }, summary, toggle);
  const attributes = { class: "timeline", "aria-label": "Timeline of this reply", hidden: true };
  return { root: element("section", attributes, head, picture, legend, table), summary, toggle, picture, table, legend };
}

/**
 * @param {import("./trace.js").Trace} trace
 * @param {import("./reply-record.js").ReplyRecord} record
 */
function drawTable(trace, record) {
  const head = COLUMNS.map((name) => element("th", { scope: "col" }, name));
  const rows = tableOf(trace, record).map(([first, ...rest]) => {
    return element("tr", {}, element("th", { scope: "row" }, first), ...rest.map((cell) => element("td", {}, cell)));
  });
  return element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows));
}
