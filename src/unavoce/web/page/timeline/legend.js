/** What the shapes of a timeline mean: those that are in it, no others. */
import { element, svg } from "../dom.js";
import { drawPoint, drawSpan } from "./picture.js";

/** @type {[import("./rows.js").SpanKind, string][]} */
const SPANS = [
  ["waits", "waits"],
  ["spoken", "in synthesis"],
  ["working", "at work now"],
  ["late", "too late"],
  ["failed", "failed"],
  ["withdrawn", "no longer needed"],
  ["heard", "heard"],
  ["expected", "heard, by estimate"],
];
/** @type {[import("./rows.js").PointKind, string][]} */
const POINTS = [
  ["memory", "from memory"],
  ["disk", "from disk"],
  ["sent", "sent"],
  ["skipped", "not spoken"],
];

/**
 * The items of the list.
 * @param {import("./picture.js").Picture} picture
 */
export function legendOf(picture) {
  const spans = new Set(picture.rows.flatMap((row) => row.spans.map((span) => span.kind)));
  const points = new Set(picture.rows.flatMap((row) => row.points.map((point) => point.kind)));
  const items = [
    item(svg("circle", { class: "timeline-message", cx: 10, cy: 7, r: 4 }), "your message"),
    item(svg("rect", { class: "timeline-text", x: 1, y: 3, width: 18, height: 8, rx: 2 }), "words arrive"),
    ...SPANS.filter(([kind]) => spans.has(kind)).map(([kind, words]) => item(drawSpan(kind, 1, 3, 18, words), words)),
    ...POINTS.filter(([kind]) => points.has(kind)).map(([kind, words]) => item(drawPoint(kind, 10, 3, words), words)),
  ];
  if (picture.firstSoundMs !== null) items.push(item(upright("timeline-first"), "first sound"));
  if (picture.nowMs !== null) items.push(item(upright("timeline-now"), "now"));
  if (picture.gaps.length) items.push(item(svg("rect", { class: "timeline-gap", x: 6, width: 8, height: 14 }), "gap"));
  return items;
}

/** @param {string} look */
function upright(look) {
  return svg("line", { class: look, x1: 10, x2: 10, y1: 0, y2: 14 });
}

/**
 * @param {SVGElement} shape
 * @param {string} words
 */
function item(shape, words) {
  return element("li", {}, svg("svg", { width: 22, height: 14 }, shape), words);
}
