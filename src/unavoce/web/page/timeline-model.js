/** Everything that a timeline's picture shows, put together from the server's trace and what this page heard. Pure. */
import { heardHere, rowsOf } from "./timeline-rows.js";

/** Sentences in the picture: the newest, where a reply has more. The table has all. */
const MOST_ROWS = 150;

/**
 * @param {import("./trace.js").Trace} trace
 * @param {import("./reply-record.js").ReplyRecord} record
 * @param {number} nowMs by the reply's clock
 * @returns {import("./timeline-picture.js").Picture}
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
 * @param {import("./reply-record.js").ReplyRecord} record
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
 * @param {import("./reply-record.js").ReplyRecord} record
 */
export function firstSoundOf(trace, record) {
  const heard = trace.sentences.map((one) => heardHere(one.sentence, record)).filter((one) => one !== null);
  return heard.length ? Math.min(...heard.map((one) => one.fromMs)) : trace.timings.firstAudio;
}

/** @param {import("./reply-record.js").ReplyRecord} record */
function gapsOf(record) {
  const { zeroMs } = record.clock;
  return zeroMs === null ? [] : record.gaps.map(({ atMs, gapMs }) => ({ atMs: atMs - zeroMs, gapMs }));
}

/**
 * @param {import("./trace.js").Trace} trace
 * @param {import("./timeline-rows.js").Row[]} rows
 */
function lastMoments(trace, rows) {
  const spans = rows.flatMap((row) => row.spans.map((span) => span.toMs));
  const points = rows.flatMap((row) => row.points.map((point) => point.atMs));
  return [trace.timings.lastToken ?? 0, ...spans, ...points];
}
