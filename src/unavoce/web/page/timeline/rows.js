/**
 * What a timeline shows, row by row, from the server's trace and what this page heard. Pure; all times are milliseconds
 * since the message reached the server.
 *
 * @typedef {"waits" | "spoken" | "working" | "late" | "failed" | "withdrawn" | "ready" | "heard" | "expected"} SpanKind
 * @typedef {"cut" | "sent" | "memory" | "disk" | "skipped"} PointKind
 * @typedef {{ kind: SpanKind, fromMs: number, toMs: number, lane: number, words: string }} Span
 * @typedef {{ kind: PointKind, atMs: number, lane: number, words: string }} Point
 * @typedef {object} Row
 * @property {number} sentence
 * @property {string} text
 * @property {string} engine
 * @property {number} lanes the last one is what is heard
 * @property {Span[]} spans
 * @property {Point[]} points
 *
 * @typedef {import("./trace.js").Trace} Trace
 * @typedef {import("./trace.js").TraceSentence} TraceSentence
 * @typedef {import("../instruments/reply-record.js").ReplyRecord} ReplyRecord
 */
import { counted, seconds } from "../times.js";

/**
 * @param {Trace} trace
 * @param {ReplyRecord} record
 * @param {number} nowMs by the reply's clock: where what is not over yet has got to
 * @returns {Row[]}
 */
export function rowsOf(trace, record, nowMs) {
  return trace.sentences.map((sentence) => rowOf(sentence, record, nowMs));
}

/**
 * @param {TraceSentence} sentence
 * @param {ReplyRecord} record
 * @param {number} nowMs
 * @returns {Row}
 */
function rowOf(sentence, record, nowMs) {
  const attempts = attemptSpans(sentence, nowMs);
  const lanes = Math.max(1, ...attempts.map((span) => span.lane + 1));
  const others = [...waitSpans(sentence, nowMs), ...heardSpans(sentence, record, lanes)];
  return {
    sentence: sentence.sentence,
    text: record.texts.get(sentence.sentence) ?? "",
    engine: sentence.engine ?? "",
    lanes: lanes + 1,
    // An engine that failed at once is seen all the same.
    spans: [...others.filter((span) => span.toMs > span.fromMs), ...attempts],
    points: pointsOf(sentence),
  };
}

/**
 * Thin lines: before the work on it began, and between the work's end and the sending, which keeps the order.
 * @param {TraceSentence} sentence
 * @param {number} nowMs
 * @returns {Span[]}
 */
function waitSpans(sentence, nowMs) {
  const { cutMs, queuedMs, startedMs, synthesisedMs, sentMs, skipped } = sentence;
  const begun = startedMs ?? synthesisedMs ?? (skipped ? (queuedMs ?? cutMs) : nowMs);
  const spans = /** @type {Span[]} */ ([]);
  if (cutMs !== null && begun !== null) {
    spans.push({
      kind: "waits",
      fromMs: cutMs,
      toMs: begun,
      lane: 0,
      words: `waits for its turn, ${lasted(cutMs, begun)}`,
    });
  }
  if (synthesisedMs !== null && (sentMs === null || sentMs > synthesisedMs)) {
    const toMs = sentMs ?? nowMs;
    spans.push({
      kind: "ready",
      fromMs: synthesisedMs,
      toMs,
      lane: 0,
      words: `ready to be sent, ${lasted(synthesisedMs, toMs)}`,
    });
  }
  return spans;
}

/**
 * Each engine's work on it. Two that work at the same time stand in lanes of their own.
 * @param {TraceSentence} sentence
 * @param {number} nowMs
 * @returns {Span[]}
 */
function attemptSpans(sentence, nowMs) {
  const freeFromMs = /** @type {number[]} */ ([]);
  return sentence.attempts.filter(hasStarted).map((attempt) => {
    const toMs = attempt.endedMs ?? nowMs;
    let lane = freeFromMs.findIndex((freeMs) => freeMs <= attempt.startedMs);
    if (lane < 0) lane = freeFromMs.length;
    freeFromMs[lane] = toMs;
    const kind = attempt.outcome ?? "working";
    return { kind, fromMs: attempt.startedMs, toMs, lane, words: attemptWords(attempt, toMs) };
  });
}

/**
 * @param {import("./trace.js").Attempt} attempt
 * @returns {attempt is import("./trace.js").Attempt & { startedMs: number }}
 */
function hasStarted(attempt) {
  return attempt.startedMs !== null; // else an engine was asked, but never had room for it
}

/**
 * @param {import("./trace.js").Attempt & { startedMs: number }} attempt
 * @param {number} toMs
 */
function attemptWords(attempt, toMs) {
  const { engine, startedMs, outcome, reason } = attempt;
  const took = lasted(startedMs, toMs);
  const because = reason ? ` (${reason})` : "";
  if (outcome === "spoken") return `${engine} speaks it, ${took}`;
  if (outcome === "late") return `${engine} was too late, ${took}${because}`;
  if (outcome === "failed") return `${engine} failed, ${took}${because}`;
  if (outcome === "withdrawn") return `${engine} was no longer needed, ${took}`;
  return `${engine} is at work, ${took} so far`;
}

/**
 * As heard on this page where that is known, else as the server reckons.
 * @param {TraceSentence} sentence
 * @param {ReplyRecord} record
 * @param {number} lane
 * @returns {Span[]}
 */
function heardSpans(sentence, record, lane) {
  const heard = heardHere(sentence.sentence, record);
  if (heard) return [{ kind: "heard", ...heard, lane, words: `heard ${between(heard.fromMs, heard.toMs)}` }];
  const { playsFromMs: fromMs, playsToMs: toMs } = sentence;
  if (fromMs === null || toMs === null) return [];
  return [{ kind: "expected", fromMs, toMs, lane, words: `heard ${between(fromMs, toMs)}, by the server's estimate` }];
}

/**
 * @param {number} sentence
 * @param {ReplyRecord} record
 * @returns {{ fromMs: number, toMs: number } | null}
 */
export function heardHere(sentence, record) {
  const heard = record.heard.get(sentence);
  if (!heard || record.clock.zeroMs === null) return null;
  const fromMs = heard.fromMs - record.clock.zeroMs;
  const clip = record.clips.get(sentence);
  const toMs = heard.toMs === null ? fromMs + (clip ? clip.durationMs : 0) : heard.toMs - record.clock.zeroMs;
  return { fromMs, toMs };
}

/**
 * @param {TraceSentence} sentence
 * @returns {Point[]}
 */
function pointsOf(sentence) {
  const { cutMs, synthesisedMs, sentMs, encodeMs, cache, skipped, attempts, chunks } = sentence;
  const points = /** @type {Point[]} */ ([]);
  if (cutMs !== null)
    points.push({ kind: "cut", atMs: cutMs, lane: 0, words: `complete as text at ${seconds(cutMs)}` });
  if (synthesisedMs !== null && (cache === "memory" || cache === "disk")) {
    points.push({ kind: cache, atMs: synthesisedMs, lane: 0, words: `from ${cache} at ${seconds(synthesisedMs)}` });
  }
  if (sentMs !== null) {
    const encoded = encodeMs === null ? "" : `, encoded in ${encodeMs.toFixed(1)} ms`;
    const words = `sent at ${seconds(sentMs)}, in ${counted(chunks, "part")}${encoded}`;
    points.push({ kind: "sent", atMs: sentMs, lane: 0, words });
  }
  if (skipped) points.push({ kind: "skipped", atMs: lastOf(sentence), lane: 0, words: `not spoken: ${skipped}` });
  return points;

  /** @param {TraceSentence} one */
  function lastOf(one) {
    return Math.max(0, ...attempts.map((attempt) => attempt.endedMs ?? 0), one.queuedMs ?? one.cutMs ?? 0);
  }
}

/**
 * @param {number} fromMs
 * @param {number} toMs
 */
function lasted(fromMs, toMs) {
  return seconds(toMs - fromMs);
}

/**
 * @param {number} fromMs
 * @param {number} toMs
 */
export function between(fromMs, toMs) {
  return `from ${seconds(fromMs)} to ${seconds(toMs)}`;
}
