// What comes from outside, checked: an object with the fields that are known, each of the type that it should be.

/** @import { Payload } from "./types.d.ts" */

/** @typedef {{ [field: string]: (value: unknown) => any }} Shape each field's check; it gives undefined for what it refuses */

/**
 * @template {Shape} S
 * @param {S} shape
 * @param {unknown} payload
 * @returns {{ [Field in keyof S]: Exclude<ReturnType<S[Field]>, undefined> } | null} null when a field is not as it should be
 */
export function read(shape, payload) {
  const given = is.record(payload);
  const fields = Object.entries(shape).map(([field, check]) => [field, check(given[field])]);
  return fields.some(([, value]) => value === undefined) ? null : Object.fromEntries(fields);
}

/** @template {Shape} S @param {S} shape */
const listOf = (shape) => (/** @type {unknown} */ value) =>
  is
    .list(value)
    .map((entry) => read(shape, entry))
    .filter((entry) => entry !== null);

/** Checks of fields. @satisfies {Shape} */
export const is = {
  /** @returns {Payload} */
  record: (value) => (typeof value === "object" && value !== null ? /** @type {Payload} */ (value) : {}),
  /** @returns {unknown[]} */
  list: (value) => (Array.isArray(value) ? value : []),
  id: (value) => (typeof value === "string" && value.length > 0 && value.length <= 100 ? value : undefined),
  text: (value) => (typeof value === "string" ? value : undefined),
  /** Any; what is none is an empty one. */
  string: (value) => is.text(value) ?? "",
  /** From 0, and whole. */
  count: (value) => (Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : undefined),
  positive: (value) => (typeof value === "number" && value >= 0 ? value : undefined),
  rate: (value) => (Number(value) >= 8_000 && Number(value) <= 96_000 ? is.count(value) : undefined),
  /** @returns {ArrayBuffer | undefined} */
  bytes: (value) => {
    if (!ArrayBuffer.isView(value)) return value instanceof ArrayBuffer ? value : undefined;
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice().buffer;
  },
};

/** The events of docs/protocol.md, and what a page kept of itself. @satisfies {{ [name: string]: Shape }} */
export const shapes = {
  token: { replyId: is.id, text: is.text, start: is.count },
  sentence: { replyId: is.id, sentence: is.count, start: is.count, end: is.count, text: is.string },
  chunk: {
    replyId: is.id,
    index: is.count,
    sentence: is.count,
    durationMs: is.count,
    sampleRate: is.rate,
    contentType: is.text,
    audio: is.bytes,
    engine: is.string,
    voice: is.string,
    cache: is.string,
    text: is.string,
  },
  textDone: { replyId: is.id, text: is.text },
  audioDone: {
    replyId: is.id,
    reason: is.text,
    engines: (value) => is.list(value).map(is.string),
    skipped: listOf({ sentence: is.count, reason: is.string, partial: Boolean }),
    totalChunks: (value) => is.count(value) ?? 0,
  },
  done: {
    replyId: is.id,
    reason: is.text,
    text: is.string,
    /** @returns {{ [name: string]: number | null }} */
    timings: (value) =>
      Object.fromEntries(Object.entries(is.record(value)).map(([name, ms]) => [name, is.count(ms) ?? null])),
  },
  error: { code: is.text, message: is.string },
  engine: { engine: is.text, status: is.text, reason: is.string, since: is.positive },
  soundTaken: { replies: (value) => is.list(value).map(is.string) },
  joined: { replies: listOf({ replyId: is.id, nextIndex: is.count }) },
  resumePoint: { sessionId: is.id, replies: is.record },
  replyPoint: {
    index: is.count,
    positionMs: is.positive,
    text: is.string,
    /** @returns {[number, number][]} */
    sentences: (value) =>
      is
        .list(value)
        .map(is.list)
        .map(([from, to]) => [is.count(from) ?? 0, is.count(to) ?? 0]),
  },
};
