import assert from "node:assert/strict";
import { test } from "node:test";
import { Records, ReplyClock } from "../../../src/unavoce/web/page/instruments/reply-record.js";

/** Stands for a conversation: what is emitted reaches who listens. */
function conversation() {
  /** @type {Map<string, (event: object) => void>} */
  const listeners = new Map();
  return {
    on: (/** @type {string} */ name, /** @type {(event: object) => void} */ listener) => listeners.set(name, listener),
    emit: (/** @type {string} */ name, /** @type {object} */ event) =>
      listeners.get(name)?.({ replyId: "r", ...event }),
  };
}

function recording() {
  const source = conversation();
  const changed = /** @type {string[]} */ ([]);
  const records = new Records(/** @type {any} */ (source), (replyId) => changed.push(replyId));
  return { ...source, records, changed };
}

test("a reply's record holds what its events told, and each is passed on", () => {
  const { emit, records, changed } = recording();
  emit("reply", { own: true });
  emit("sentence", { sentence: 0, text: "Yes.", from: 0, to: 4 });
  emit("chunk", { sentence: 0, engine: "piper", voice: "joe", cache: "disk", durationMs: 700 });
  emit("speaking", { sentence: 0 });
  emit("underrun", { gapMs: 30, count: 1 });
  emit("heard", { sentence: 0, fromMs: 5, toMs: 705 });
  emit("speaking", { sentence: null });
  emit("audioDone", { skipped: [{ sentence: 1, reason: "no engine could" }] });
  emit("done", { reason: "failed" });
  const record = records.of("r");
  assert.equal(changed.length, 9);
  assert.ok(record.own && record.silent);
  assert.equal(record.texts.get(0), "Yes.");
  assert.deepEqual(record.clips.get(0), { engine: "piper", voice: "joe", cache: "disk", durationMs: 700 });
  assert.deepEqual(record.heard.get(0), { fromMs: 5, toMs: 705 });
  assert.equal(record.gapMs, 30);
  assert.equal(record.skipped.length, 1);
  assert.equal(record.ended, "failed");
});

test("events of one reply do not reach another's record", () => {
  const { emit, records } = recording();
  emit("done", { replyId: "a", reason: "complete" });
  assert.equal(records.of("b").ended, null);
  assert.equal(records.of("a").ended, "complete");
});

test("a history of a thousand messages does not push out the record of a reply that runs", () => {
  const { emit, records } = recording();
  const running = records.of("r");
  for (let number = 0; number < 1_000; number += 1) records.of(`old-${number}`);
  emit("done", { reason: "complete" });
  assert.equal(running.ended, "complete");
});

test("the message reached the server half-way between sending and acknowledgement", () => {
  const clock = new ReplyClock();
  assert.equal(clock.sinceMessage(5_000), null);
  clock.observe(1_000, 1_080, 0);
  assert.equal(clock.zeroMs, 1_040);
  assert.equal(clock.uncertaintyMs, 40);
  assert.equal(clock.sinceMessage(1_540), 500);
});

test("the shortest round trip is believed, in whatever order they come", () => {
  const clock = new ReplyClock();
  clock.observe(1_000, 1_400, 0);
  clock.observe(3_000, 3_010, 1_905);
  assert.equal(clock.zeroMs, 1_100);
  clock.observe(5_000, 5_300, 3_700);
  assert.equal(clock.zeroMs, 1_100);
});

test("however the two ways share the round trip, the error is at most half of it", () => {
  for (const there of [0, 3, 17, 40]) {
    const clock = new ReplyClock();
    const arrivedMs = 2_000 + there;
    clock.observe(2_000, 2_040, 0);
    assert.ok(Math.abs((clock.zeroMs ?? 0) - arrivedMs) <= clock.uncertaintyMs);
  }
});

test("an answer from before its question is not believed", () => {
  const clock = new ReplyClock();
  clock.observe(2_000, 1_999, 0);
  assert.equal(clock.zeroMs, null);
});
