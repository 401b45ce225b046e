// What a page keeps over a reload, and reads back from a store that anything may have written to.

import { isCount, isId, list, record, string } from "./incoming.js";

/**
 * @typedef {object} ReplyPoint
 * @property {number} index the chunk being heard
 * @property {number} positionMs how far into it
 * @property {string} text what was known of the reply's text, which the server does not tell again
 * @property {[number, number][]} sentences from where to where each is, in UTF-16 units of it
 *
 * @typedef {{ sessionId: string, replies: { [replyId: string]: ReplyPoint } }} ResumePoint
 */

/** @param {unknown} value @returns {ResumePoint | null} null for anything that is none */
export function resumable(value) {
  const { sessionId, replies } = record(value);
  if (!isId(sessionId)) return null;
  const entries = Object.entries(record(replies)).filter(([id]) => isId(id));
  return { sessionId, replies: Object.fromEntries(entries.map(([id, point]) => [id, replyPoint(record(point))])) };
}

/** @param {import("./incoming.js").Payload} point @returns {ReplyPoint} */
function replyPoint({ index, positionMs, text, sentences }) {
  const known = typeof positionMs === "number" && positionMs >= 0 && Number.isFinite(positionMs);
  return {
    index: isCount(index) ? index : 0,
    positionMs: isCount(index) && known ? positionMs : 0,
    text: string(text),
    sentences: list(sentences).map(list).flatMap(([from, to]) => (isCount(from) && isCount(to) ? [[from, to]] : [])),
  };
}
