/**
 * Draws a timeline: a column of names that stays, and the plot beside it, which may be wider than the page. Colours and
 * strokes are the style sheet's; here are places and shapes only.
 */
import { svg } from "../dom.js";
import { seconds } from "../times.js";
import { axisFor, xOf } from "./model.js";

const AXIS_PX = 30;
const TEXT_ROW_PX = 24;
const LANE_PX = 8;
const LANE_STEP_PX = 11;
const ROW_PADDING_PX = 10;
const END_PX = 10;
const LEAST_BAR_PX = 2;

/**
 * @typedef {object} Picture
 * @property {import("./rows.js").Row[]} rows
 * @property {{ waitsToMs: number, toMs: number } | null} text when the words came
 * @property {{ atMs: number, gapMs: number }[]} gaps
 * @property {number | null} firstSoundMs
 * @property {number | null} nowMs null once the reply is over
 * @property {number} lastMs
 *
 * @typedef {import("./model.js").Axis} Axis
 */

/**
 * @param {Picture} picture
 * @param {number} roomPx for both
 * @returns {{ names: SVGSVGElement, plot: SVGSVGElement }}
 */
export function drawTimeline(picture, roomPx) {
  const namesPx = roomPx < 480 ? 30 : Math.min(190, Math.round(roomPx * 0.28));
  const axis = axisFor(picture.lastMs, roomPx - namesPx - 2 * END_PX);
  const places = placesOf(picture.rows);
  const heightPx = (places.at(-1)?.bottomPx ?? AXIS_PX + TEXT_ROW_PX) + 6;
  return {
    names: drawNames(picture, places, namesPx, heightPx),
    plot: drawPlot(picture, places, axis, heightPx),
  };
}

/**
 * @param {import("./rows.js").Row[]} rows
 * @returns {{ topPx: number, bottomPx: number }[]}
 */
function placesOf(rows) {
  let topPx = AXIS_PX + TEXT_ROW_PX;
  return rows.map((row) => {
    const place = { topPx, bottomPx: topPx + row.lanes * LANE_STEP_PX + ROW_PADDING_PX };
    topPx = place.bottomPx;
    return place;
  });
}

/**
 * @param {Picture} picture
 * @param {{ topPx: number, bottomPx: number }[]} places
 * @param {number} widthPx
 * @param {number} heightPx
 */
function drawNames(picture, places, widthPx, heightPx) {
  const drawing = svg("svg", { class: "timeline-names", width: widthPx, height: heightPx, "aria-hidden": "true" });
  const wide = widthPx > 60;
  if (wide) drawing.append(svg("text", { class: "timeline-name", x: 28, y: AXIS_PX + 13 }, "Words"));
  for (const { topPx } of places)
    drawing.append(svg("line", { class: "timeline-grid", x1: 0, x2: widthPx, y1: topPx, y2: topPx }));
  picture.rows.forEach((row, number) => {
    const middlePx = (places[number].topPx + places[number].bottomPx) / 2 + 4;
    drawing.append(svg("text", { class: "timeline-number", x: 18, y: middlePx }, `${row.sentence + 1}`));
    if (!wide) return;
    const name = shortened(row.text || row.engine, Math.floor((widthPx - 34) / 6.6));
    drawing.append(svg("text", { class: "timeline-name", x: 28, y: middlePx }, name, svg("title", {}, row.text)));
  });
  return drawing;
}

/**
 * @param {string} text
 * @param {number} most
 */
function shortened(text, most) {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > most ? `${line.slice(0, most - 1).trimEnd()}…` : line;
}

/**
 * @param {Picture} picture
 * @param {{ topPx: number, bottomPx: number }[]} places
 * @param {Axis} axis
 * @param {number} heightPx
 */
function drawPlot(picture, places, axis, heightPx) {
  const width = Math.ceil(axis.widthPx + 2 * END_PX);
  const inside = svg("g", { transform: `translate(${END_PX} 0)` });
  inside.append(...drawAxis(axis, heightPx), ...drawRules(places, axis.widthPx), ...drawGaps(picture, axis, heightPx));
  if (picture.text) inside.append(...drawText(picture.text, axis));
  picture.rows.forEach((row, number) => {
    inside.append(drawRow(row, axis, places[number].topPx + ROW_PADDING_PX / 2));
  });
  inside.append(...drawMoments(picture, axis, heightPx));
  return svg("svg", { class: "timeline-plot", width, height: heightPx }, inside);
}

/**
 * @param {Axis} axis
 * @param {number} heightPx
 */
function drawAxis(axis, heightPx) {
  return axis.ticks.flatMap((tick) => [
    svg("line", { class: "timeline-grid", x1: tick.x, x2: tick.x, y1: 18, y2: heightPx }),
    svg("text", { class: "timeline-tick", x: tick.x, y: 12, "text-anchor": anchor(tick.x, axis) }, tick.label),
  ]);
}

/**
 * A fine line above each sentence leads the eye from its name.
 * @param {{ topPx: number, bottomPx: number }[]} places
 * @param {number} widthPx
 */
function drawRules(places, widthPx) {
  return places.map(({ topPx }) =>
    svg("line", { class: "timeline-grid", x1: -END_PX, x2: widthPx + END_PX, y1: topPx, y2: topPx }),
  );
}

/**
 * Labels at the edges stay inside.
 * @param {number} x
 * @param {Axis} axis
 */
function anchor(x, axis) {
  if (x < 12) return "start";
  return x > axis.widthPx - 16 ? "end" : "middle";
}

/**
 * @param {Picture} picture
 * @param {Axis} axis
 * @param {number} heightPx
 */
function drawGaps(picture, axis, heightPx) {
  return picture.gaps.map((gap) => {
    const x = xOf(axis, gap.atMs - gap.gapMs);
    const width = Math.max(LEAST_BAR_PX, xOf(axis, gap.atMs) - x);
    const title = svg("title", {}, `silence of ${seconds(gap.gapMs)}: the next sound was not there yet`);
    return svg("rect", { class: "timeline-gap", x, y: 18, width, height: heightPx - 18 }, title);
  });
}

/**
 * @param {{ waitsToMs: number, toMs: number }} text
 * @param {Axis} axis
 */
function drawText(text, axis) {
  const y = AXIS_PX + 5;
  const x = xOf(axis, text.waitsToMs);
  return [
    svg("circle", { class: "timeline-message", cx: 0, cy: y + 4, r: 4 }, svg("title", {}, "your message")),
    svg("line", { class: "timeline-waits", x1: 4, x2: x, y1: y + 4, y2: y + 4 }),
    svg(
      "rect",
      { class: "timeline-text", x, y, width: Math.max(LEAST_BAR_PX, xOf(axis, text.toMs) - x), height: 8, rx: 2 },
      svg("title", {}, `the words came from ${seconds(text.waitsToMs)} to ${seconds(text.toMs)}`),
    ),
  ];
}

/**
 * @param {import("./rows.js").Row} row
 * @param {Axis} axis
 * @param {number} topPx
 */
function drawRow(row, axis, topPx) {
  const group = svg("g", { class: "timeline-row", "data-sentence": row.sentence });
  for (const span of row.spans) {
    const x = xOf(axis, span.fromMs);
    const width = Math.max(LEAST_BAR_PX, xOf(axis, span.toMs) - x);
    group.append(drawSpan(span.kind, x, topPx + span.lane * LANE_STEP_PX, width, span.words));
  }
  for (const point of row.points) {
    group.append(drawPoint(point.kind, xOf(axis, point.atMs), topPx + point.lane * LANE_STEP_PX, point.words));
  }
  return group;
}

/**
 * @param {import("./rows.js").SpanKind} kind
 * @param {number} x
 * @param {number} y
 * @param {number} width
 * @param {string} words
 */
export function drawSpan(kind, x, y, width, words) {
  const middle = y + LANE_PX / 2;
  const title = svg("title", {}, words);
  const look = { class: `timeline-${kind}`, "data-kind": kind };
  if (kind === "waits" || kind === "ready") {
    return svg("line", { ...look, x1: x, x2: x + width, y1: middle, y2: middle }, title);
  }
  const bar = svg("rect", { ...look, x, y, width, height: LANE_PX, rx: 2 }, title);
  if (kind !== "failed" && kind !== "late") return bar;
  // Not by colour alone: a cross stands where it failed, a stroke where the time was up.
  const end = x + width;
  const strokes =
    kind === "failed" ? `M${end - 3} ${y}l6 ${LANE_PX}m0 ${-LANE_PX}l-6 ${LANE_PX}` : `M${end} ${y - 2}v${LANE_PX + 4}`;
  return svg("g", {}, bar, svg("path", { class: `timeline-${kind}-end`, d: strokes }));
}

/**
 * @param {import("./rows.js").PointKind} kind
 * @param {number} x
 * @param {number} y
 * @param {string} words
 */
export function drawPoint(kind, x, y, words) {
  const middle = y + LANE_PX / 2;
  return svg(
    "path",
    { class: `timeline-${kind}`, "data-kind": kind, d: SHAPES[kind](x, middle) },
    svg("title", {}, words),
  );
}

/** @type {Record<import("./rows.js").PointKind, (x: number, y: number) => string>} */
const SHAPES = {
  cut: (x, y) => `M${x} ${y - 4}v8`,
  sent: (x, y) => `M${x - 3} ${y - 4}l5 4l-5 4z`,
  memory: (x, y) => `M${x} ${y - 5}l5 5l-5 5l-5 -5z`,
  disk: (x, y) => `M${x} ${y - 5}l5 5l-5 5l-5 -5z`,
  skipped: (x, y) => `M${x - 4} ${y - 4}l8 8m0 -8l-8 8`,
};

/**
 * The moments that cross all rows: the first sound, and now.
 * @param {Picture} picture
 * @param {Axis} axis
 * @param {number} heightPx
 */
function drawMoments(picture, axis, heightPx) {
  const moments = [];
  if (picture.nowMs !== null) {
    const x = xOf(axis, picture.nowMs);
    moments.push(svg("line", { class: "timeline-now", x1: x, x2: x, y1: 18, y2: heightPx }, svg("title", {}, "now")));
  }
  if (picture.firstSoundMs !== null) {
    const x = xOf(axis, picture.firstSoundMs);
    const title = svg("title", {}, `first sound at ${seconds(picture.firstSoundMs)}`);
    moments.push(svg("line", { class: "timeline-first", x1: x, x2: x, y1: 18, y2: heightPx }, title));
  }
  return moments;
}
