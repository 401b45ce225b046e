import assert from "node:assert/strict";
import { test } from "node:test";
import { ReplyClock } from "../../../src/unavoce/web/page/reply-clock.js";

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
