// Traces as the server tells them, for the tests of the timeline.

/** @param {Partial<import("../../../src/unavoce/web/page/timeline/trace.js").TraceSentence>} [changed] */
export function sentence(changed = {}) {
  return {
    sentence: 0,
    cutMs: 100,
    queuedMs: 110,
    startedMs: 120,
    synthesisedMs: 400,
    encodeMs: 2.5,
    sentMs: 410,
    lastSentMs: 410,
    playsFromMs: 410,
    playsToMs: 2410,
    durationMs: 2000,
    engine: "piper",
    voice: "joe",
    cache: /** @type {"memory" | "disk" | "none" | null} */ ("none"),
    chunks: 1,
    skipped: /** @type {string | null} */ (null),
    attempts: [attempt()],
    ...changed,
  };
}

/** @param {Partial<import("../../../src/unavoce/web/page/timeline/trace.js").Attempt>} [changed] */
export function attempt(changed = {}) {
  const outcome = /** @type {"spoken" | "late" | "failed" | "withdrawn" | null} */ ("spoken");
  return { engine: "piper", startedMs: 120, endedMs: 400, outcome, reason: "", ...changed };
}

/** A clip that was at hand. @param {"memory" | "disk"} cache */
export function hit(cache, changed = {}) {
  return sentence({ cache, startedMs: null, attempts: [], synthesisedMs: 112, ...changed });
}

/**
 * @param {ReturnType<typeof sentence>[]} sentences
 * @param {Partial<import("../../../src/unavoce/web/page/timeline/trace.js").Trace>} [changed]
 */
export function trace(sentences, changed = {}) {
  const timings = { firstToken: 50, firstSentence: 100, firstAudio: 410, lastToken: 900, lastAudio: 1200 };
  const status = /** @type {"running" | "complete" | "aborted" | "failed"} */ ("complete");
  return { replyId: "r", nowMs: 60_000, status, timings, sentences, ...changed };
}
