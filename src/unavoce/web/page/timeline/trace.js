/**
 * What `GET /api/replies/{id}/trace` tells of a reply, and how it is fetched. All times are milliseconds since the
 * message reached the server; null where a reply has not come so far.
 *
 * @typedef {object} Attempt
 * @property {string} engine
 * @property {number | null} startedMs it had room for it; null where it never had
 * @property {number | null} endedMs
 * @property {"late" | "failed" | "spoken" | "withdrawn" | null} outcome
 * @property {string} reason
 *
 * @typedef {object} TraceSentence
 * @property {number} sentence
 * @property {number | null} cutMs
 * @property {number | null} queuedMs it was asked of the stage
 * @property {number | null} startedMs it got a slot of an engine; null for a clip that was at hand
 * @property {number | null} synthesisedMs its clip is whole
 * @property {number | null} encodeMs spent on shaping and encoding
 * @property {number | null} sentMs its first chunk left
 * @property {number | null} lastSentMs
 * @property {number | null} playsFromMs as the server reckons
 * @property {number | null} playsToMs
 * @property {number | null} durationMs
 * @property {string | null} engine
 * @property {string | null} voice
 * @property {"memory" | "disk" | "none" | null} cache
 * @property {number} chunks
 * @property {string | null} skipped why it was not spoken
 * @property {Attempt[]} attempts
 *
 * @typedef {object} Trace
 * @property {string} replyId
 * @property {number} nowMs when the server answered
 * @property {"running" | "complete" | "aborted" | "failed"} status
 * @property {Record<"firstToken" | "firstSentence" | "firstAudio" | "lastToken" | "lastAudio", number | null>} timings
 * @property {TraceSentence[]} sentences
 *
 * @typedef {{ trace: Trace, askedMs: number, answeredMs: number }} Answer by the page's clock
 */

/** The server does not know the reply (any more). */
export class TraceGone extends Error {}

/**
 * @param {import("../instruments/access.js").Api} api
 * @param {string} replyId
 * @returns {Promise<Answer>}
 */
export async function fetchTrace(api, replyId) {
  const askedMs = performance.now();
  const { status, body } = await api.get(`/api/replies/${encodeURIComponent(replyId)}/trace`);
  const answeredMs = performance.now();
  if (status === 404) throw new TraceGone();
  if (status !== 200) throw new Error(`The server answered with status ${status}.`);
  return { trace: /** @type {Trace} */ (body), askedMs, answeredMs };
}
