// What the server sends, checked: each function gives an object whose fields have the types they should, or null for
// one that cannot be used. Unknown fields are dropped.

/** @typedef {{ [name: string]: unknown }} Payload */

/** @param {unknown} value @returns {Payload} */
export function record(value) {
  return typeof value === "object" && value !== null ? /** @type {Payload} */ (value) : {};
}

/** @param {unknown} value */
export function string(value) {
  return typeof value === "string" ? value : "";
}

/** @param {unknown} value @returns {value is number} a whole number from 0 */
export function isCount(value) {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** @param {unknown} value @returns {value is string} */
export function isId(value) {
  return typeof value === "string" && value.length > 0 && value.length <= 100;
}

/** @param {unknown} value @returns {unknown[]} */
export function list(value) {
  return Array.isArray(value) ? value : [];
}

/** @param {Payload} event */
export function token({ replyId, text, start }) {
  return isId(replyId) && typeof text === "string" && isCount(start) ? { replyId, text, start } : null;
}

/** @param {Payload} event */
export function sentence({ replyId, sentence, start, end, text }) {
  if (!isId(replyId) || !isCount(sentence) || !isCount(start) || !isCount(end) || end < start) return null;
  return { replyId, sentence, start, end, text: string(text) };
}

/** @param {Payload} event */
export function chunk(event) {
  const { replyId, index, sentence, durationMs, sampleRate, contentType } = event;
  const data = bytes(event.audio);
  if (!isId(replyId) || !isCount(index) || !isCount(sentence) || !isCount(durationMs) || !data) return null;
  if (!isCount(sampleRate) || sampleRate < 8_000 || sampleRate > 96_000 || typeof contentType !== "string") return null;
  const told = { engine: string(event.engine), voice: string(event.voice), cache: string(event.cache) };
  return { replyId, index, sentence, durationMs, sampleRate, contentType, data, ...told, text: string(event.text) };
}

/** @param {Payload} event */
export function textDone({ replyId, text }) {
  return isId(replyId) && typeof text === "string" ? { replyId, text } : null;
}

/** @param {Payload} event */
export function audioDone({ replyId, reason, engines, skipped, totalChunks }) {
  if (!isId(replyId) || typeof reason !== "string") return null;
  return {
    replyId,
    reason,
    engines: list(engines).map(string),
    skipped: list(skipped).map(record).map(skip),
    totalChunks: isCount(totalChunks) ? totalChunks : 0,
  };
}

/** @param {Payload} entry */
function skip({ sentence, reason, partial }) {
  return { sentence: isCount(sentence) ? sentence : -1, reason: string(reason), partial: partial === true };
}

/** @param {Payload} event */
export function done({ replyId, reason, text, timings }) {
  if (!isId(replyId) || typeof reason !== "string") return null;
  const known = Object.entries(record(timings)).filter(([, value]) => value === null || isCount(value));
  /** @type {{ [name: string]: number | null }} */
  const checked = Object.fromEntries(/** @type {[string, number | null][]} */ (known));
  return { replyId, reason, text: string(text), timings: checked };
}

/** @param {Payload} event */
export function error({ replyId, code, message }) {
  const told = { code: string(code) || "internal", message: string(message) || "Something went wrong on the server." };
  return isId(replyId) ? { replyId, ...told } : told;
}

/** @param {Payload} event */
export function engine({ engine, status, reason, since }) {
  if (typeof engine !== "string" || typeof status !== "string") return null;
  return { engine, status, reason: string(reason), since: isCount(since) ? since : 0 };
}

/** @param {unknown} answer of `chat:join` @returns {Map<string, number>} by reply, the next chunk's index */
export function joined(answer) {
  const entries = list(record(answer).replies).map(record);
  return new Map(entries.flatMap(({ replyId, nextIndex }) => (isId(replyId) && isCount(nextIndex) ? [[replyId, nextIndex]] : [])));
}

/** @param {unknown} value @returns {ArrayBuffer | null} the bytes, in a buffer of their own */
function bytes(value) {
  if (value instanceof ArrayBuffer) return value;
  if (!ArrayBuffer.isView(value)) return null;
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice().buffer;
}
