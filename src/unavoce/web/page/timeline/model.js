/** What a timeline's picture shows, from the server's trace and what this page heard, and its axis of time. Pure. */
import { heardHere, rowsOf } from "./rows.js";

/** Sentences in the picture: the newest, where a reply has more. The table has all. */
const MOST_ROWS = 150;

/**
 * @param {import("./trace.js").Trace} trace
 * @param {import("../instruments/reply-record.js").ReplyRecord} record
 * @param {number} nowMs by the reply's clock
 * @returns {import("./picture.js").Picture}
 */
export function pictureOf(trace, record, nowMs) {
  const over = isOver(trace, record, nowMs);
  const rows = rowsOf({ ...trace, sentences: trace.sentences.slice(-MOST_ROWS) }, record, nowMs);
  const gaps = gapsOf(record);
  return {
    rows,
    gaps,
    text: textOf(trace, nowMs),
    firstSoundMs: firstSoundOf(trace, record),
    nowMs: over ? null : nowMs,
    lastMs: Math.max(...lastMoments(trace, rows), over ? 0 : nowMs),
  };
}

/**
 * The reply has ended and its sound has been heard, as far as can be known: nothing of the picture changes any more.
 * @param {import("./trace.js").Trace} trace
 * @param {import("../instruments/reply-record.js").ReplyRecord} record
 * @param {number} nowMs
 */
export function isOver(trace, record, nowMs) {
  if (trace.status === "running") return false;
  if (record.own && record.heard.size) return record.silent;
  return trace.status === "aborted" || nowMs >= Math.max(0, ...trace.sentences.map((one) => one.playsToMs ?? 0));
}

/**
 * @param {import("./trace.js").Trace} trace
 * @param {number} nowMs
 */
function textOf(trace, nowMs) {
  const { firstToken, lastToken } = trace.timings;
  const running = trace.status === "running";
  if (firstToken === null) return running ? { waitsToMs: nowMs, toMs: nowMs } : null;
  return { waitsToMs: firstToken, toMs: lastToken ?? (running ? nowMs : firstToken) };
}

/**
 * When the listener heard the first sound, where this page knows; else when it was sent.
 * @param {import("./trace.js").Trace} trace
 * @param {import("../instruments/reply-record.js").ReplyRecord} record
 */
export function firstSoundOf(trace, record) {
  const heard = trace.sentences.map((one) => heardHere(one.sentence, record)).filter((one) => one !== null);
  return heard.length ? Math.min(...heard.map((one) => one.fromMs)) : trace.timings.firstAudio;
}

/** @param {import("../instruments/reply-record.js").ReplyRecord} record */
function gapsOf(record) {
  const { zeroMs } = record.clock;
  return zeroMs === null ? [] : record.gaps.map(({ atMs, gapMs }) => ({ atMs: atMs - zeroMs, gapMs }));
}

/**
 * @param {import("./trace.js").Trace} trace
 * @param {import("./rows.js").Row[]} rows
 */
function lastMoments(trace, rows) {
  const spans = rows.flatMap((row) => row.spans.map((span) => span.toMs));
  const points = rows.flatMap((row) => row.points.map((point) => point.atMs));
  return [trace.timings.lastToken ?? 0, ...spans, ...points];
}

const STEPS_MS = [50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000];
/** A second has at least so much room: what takes a few tenths stays to be seen, and a long reply is scrolled. */
const LEAST_PX_PER_S = 14;
const MOST_PX = 16_000;
const BETWEEN_TICKS_PX = 56;
const LEAST_SPAN_MS = 500;

/**
 * @typedef {{ atMs: number, x: number, label: string }} Tick
 * @typedef {{ spanMs: number, widthPx: number, ticks: Tick[] }} Axis
 */

/**
 * @param {number} lastMs what must be in the picture
 * @param {number} roomPx the width there is; the axis may be wider, not narrower
 * @returns {Axis}
 */
export function axisFor(lastMs, roomPx) {
  const spanMs = Math.max(LEAST_SPAN_MS, lastMs * 1.02);
  const widthPx = Math.min(MOST_PX, Math.max(roomPx, (spanMs / 1000) * LEAST_PX_PER_S));
  const stepMs = stepFor(spanMs, widthPx);
  const ticks = [];
  for (let atMs = 0; atMs <= spanMs; atMs += stepMs) {
    ticks.push({ atMs, x: (atMs / spanMs) * widthPx, label: tickLabel(atMs, stepMs) });
  }
  return { spanMs, widthPx, ticks };
}

/**
 * @param {Axis} axis
 * @param {number} atMs
 */
export function xOf(axis, atMs) {
  return (Math.min(Math.max(atMs, 0), axis.spanMs) / axis.spanMs) * axis.widthPx;
}

/**
 * @param {number} spanMs
 * @param {number} widthPx
 */
function stepFor(spanMs, widthPx) {
  const wantedMs = (spanMs * BETWEEN_TICKS_PX) / widthPx;
  const last = STEPS_MS[STEPS_MS.length - 1];
  return STEPS_MS.find((stepMs) => stepMs >= wantedMs) ?? Math.ceil(wantedMs / last) * last;
}

/**
 * Seconds, with as many places as the step needs; minutes where the steps are minutes.
 * @param {number} atMs
 * @param {number} stepMs
 */
function tickLabel(atMs, stepMs) {
  if (atMs === 0) return "0";
  if (stepMs >= 60_000) return `${atMs / 60_000} min`;
  const places = stepMs >= 1000 ? 0 : stepMs >= 100 ? 1 : 2;
  return `${(atMs / 1000).toFixed(places)} s`;
}
