// What comes from outside, checked: an object with the fields that are known, each of the type that it should be.

/** @import { Payload } from "./types.d.ts" */

/** @typedef {{ [field: string]: (value: unknown) => any }} Shape each field's check; it gives undefined for what it refuses */

/**
 * @template {Shape} S
 * @param {S} shape
 * @param {Payload} payload
 * @returns {{ [Field in keyof S]: Exclude<ReturnType<S[Field]>, undefined> } | null} null when a field is not as it should be
 */
export function read(shape, payload) {
  const fields = Object.entries(shape).map(([field, check]) => [field, check(payload[field])]);
  return fields.some(([, value]) => value === undefined) ? null : Object.fromEntries(fields);
}

/** @param {unknown} value @returns {Payload} */
export const record = (value) => (typeof value === "object" && value !== null ? /** @type {Payload} */ (value) : {});

/** @param {unknown} value @returns {unknown[]} */
export const list = (value) => (Array.isArray(value) ? value : []);

/** @param {unknown} value */
export const id = (value) => (typeof value === "string" && value.length > 0 && value.length <= 100 ? value : undefined);

/** @param {unknown} value */
const text = (value) => (typeof value === "string" ? value : undefined);

/** @param {unknown} value */
export const string = (value) => text(value) ?? "";

/** @param {unknown} value a whole number from 0 */
export const count = (value) => (Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : undefined);

/** @param {unknown} value */
const positive = (value) => (typeof value === "number" && value >= 0 && value < 1e9 ? value : undefined);

/** @param {unknown} value */
const rate = (value) => (Number(value) >= 8_000 && Number(value) <= 96_000 ? count(value) : undefined);

/** @param {unknown} value @returns {ArrayBuffer | undefined} */
function bytes(value) {
  if (value instanceof ArrayBuffer) return value;
  if (!ArrayBuffer.isView(value)) return undefined;
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice().buffer;
}

/** @template {Shape} S @param {S} shape */
const listOf = (shape) => (/** @type {unknown} */ value) =>
  list(value)
    .map((entry) => read(shape, record(entry)))
    .filter((entry) => entry !== null);

/** @param {unknown} value @returns {{ [name: string]: number | null }} */
const timings = (value) =>
  Object.fromEntries(Object.entries(record(value)).map(([name, ms]) => [name, count(ms) ?? null]));

/** @param {unknown} value @returns {[number, number][]} */
const places = (value) => list(value).map((place) => [count(list(place)[0]) ?? 0, count(list(place)[1]) ?? 0]);

const skipped = { sentence: count, reason: string, partial: Boolean };

/** The server's events that the player knows; engine:status and chat:error may lack what the others may not. */
export const shapes = {
  token: { replyId: id, text, start: count },
  sentence: { replyId: id, sentence: count, start: count, end: count, text: string },
  chunk: {
    replyId: id,
    index: count,
    sentence: count,
    durationMs: count,
    sampleRate: rate,
    contentType: text,
    audio: bytes,
    engine: string,
    voice: string,
    cache: string,
    text: string,
  },
  textDone: { replyId: id, text },
  audioDone: {
    replyId: id,
    reason: text,
    engines: (/** @type {unknown} */ value) => list(value).map(string),
    skipped: listOf(skipped),
    totalChunks: (/** @type {unknown} */ value) => count(value) ?? 0,
  },
  done: { replyId: id, reason: text, text: string, timings },
  error: { code: text, message: string },
  engine: { engine: text, status: text, reason: string, since: positive },
  soundTaken: { replies: (/** @type {unknown} */ value) => list(value).map(string) },
  joined: { replies: listOf({ replyId: id, nextIndex: count }) },
  resumePoint: { sessionId: id, replies: record },
  replyPoint: { index: count, positionMs: positive, text: string, sentences: places },
};
