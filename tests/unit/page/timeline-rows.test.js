import assert from "node:assert/strict";
import { test } from "node:test";
import { ReplyRecord } from "../../../src/unavoce/web/page/instruments/reply-record.js";
import { isOver, pictureOf } from "../../../src/unavoce/web/page/timeline/model.js";
import { rowsOf } from "../../../src/unavoce/web/page/timeline/rows.js";
import { attempt, hit, sentence, trace } from "./traces.js";

/** @param {ReturnType<typeof sentence>} one @param {ReplyRecord} [record] @param {number} [nowMs] */
function row(one, record = new ReplyRecord("r"), nowMs = 60_000) {
  return rowsOf(trace([one]), record, nowMs)[0];
}

/** @param {ReturnType<typeof row>} of */
function spans({ spans: all }) {
  return Object.fromEntries(all.map((span) => [span.kind, [span.fromMs, span.toMs, span.lane]]));
}

/** @param {ReturnType<typeof row>} of */
function points({ points: all }) {
  return Object.fromEntries(all.map((point) => [point.kind, point.atMs]));
}

test("a sentence waits, is spoken, is ready, is sent and is heard", () => {
  const drawn = row(sentence());
  assert.deepEqual(spans(drawn), {
    waits: [100, 120, 0],
    spoken: [120, 400, 0],
    ready: [400, 410, 0],
    expected: [410, 2_410, 1],
  });
  assert.deepEqual(points(drawn), { cut: 100, sent: 410 });
});

test("what this page heard stands in place of what the server reckons, on the server's clock", () => {
  const record = new ReplyRecord("r");
  record.sent(10_000, 10_020, true);
  record.hears({ sentence: 0, fromMs: 10_510, toMs: 12_510 });
  const drawn = row(sentence(), record);
  assert.deepEqual(spans(drawn).heard, [500, 2_500, 1]);
  assert.equal(spans(drawn).expected, undefined);
});

test("a sentence that is being heard reaches as far as its sound does", () => {
  const record = new ReplyRecord("r");
  record.sent(10_000, 10_000, true);
  record.chunk({ sentence: 0, engine: "piper", voice: "joe", cache: "none", durationMs: 1_500 });
  record.chunk({ sentence: 0, engine: "piper", voice: "joe", cache: "none", durationMs: 500 });
  record.speaking({ sentence: 0 }, 10_450);
  assert.deepEqual(spans(row(sentence(), record)).heard, [450, 2_450, 1]);
  record.hears({ sentence: 0, fromMs: 10_440, toMs: 12_440 });
  assert.deepEqual(spans(row(sentence(), record)).heard, [440, 2_440, 1]);
});

test("engines at work at the same time have lanes of their own, one after the other share one", () => {
  const late = attempt({ engine: "xtts", startedMs: 120, endedMs: 3_120, outcome: "late", reason: "no sound yet" });
  const second = attempt({ startedMs: 2_700, endedMs: 3_000 });
  const beside = row(sentence({ attempts: [late, second] }));
  assert.deepEqual(spans(beside).late, [120, 3_120, 0]);
  assert.deepEqual(spans(beside).spoken, [2_700, 3_000, 1]);
  assert.equal(beside.lanes, 3);
  const failed = attempt({ engine: "xtts", startedMs: 120, endedMs: 150, outcome: "failed", reason: "refused" });
  const after = row(sentence({ attempts: [failed, attempt({ startedMs: 150, endedMs: 400 })] }));
  assert.equal(after.lanes, 2);
  assert.match(after.spans.find(({ kind }) => kind === "failed")?.words ?? "", /xtts failed.*refused/);
});

test("an engine that failed in the very moment in which it began is seen", () => {
  const failed = attempt({ engine: "xtts", startedMs: 120, endedMs: 120, outcome: "failed" });
  assert.deepEqual(spans(row(sentence({ attempts: [failed, attempt()] }))).failed, [120, 120, 0]);
});

test("a clip at hand is a mark of its tier, and no engine's work", () => {
  for (const tier of /** @type {const} */ (["memory", "disk"])) {
    const drawn = row(hit(tier));
    assert.equal(points(drawn)[tier], 112);
    assert.deepEqual(spans(drawn).waits, [100, 112, 0]);
    assert.equal(spans(drawn).spoken, undefined);
  }
});

test("what is not over yet reaches until now", () => {
  const none = { synthesisedMs: null, sentMs: null, lastSentMs: null, playsFromMs: null, playsToMs: null };
  const waiting = sentence({ ...none, queuedMs: null, startedMs: null, attempts: [] });
  assert.deepEqual(spans(row(waiting, undefined, 700)), { waits: [100, 700, 0] });
  const working = sentence({ ...none, attempts: [attempt({ endedMs: null, outcome: null })] });
  assert.deepEqual(spans(row(working, undefined, 700)), { waits: [100, 120, 0], working: [120, 700, 0] });
  const unsent = sentence({ ...none, synthesisedMs: 400 });
  assert.deepEqual(spans(row(unsent, undefined, 700)).ready, [400, 700, 0]);
});

test("an engine that was asked and never had room draws nothing", () => {
  const never = attempt({ engine: "xtts", startedMs: null, endedMs: 300, outcome: "withdrawn" });
  assert.equal(spans(row(sentence({ attempts: [never, attempt()] }))).withdrawn, undefined);
});

test("a sentence that was not spoken has its mark and its reason", () => {
  const failed = attempt({ outcome: "failed", endedMs: 300, reason: "crashed" });
  const drawn = row(
    sentence({
      skipped: "no engine could",
      synthesisedMs: null,
      sentMs: null,
      playsFromMs: null,
      playsToMs: null,
      attempts: [failed],
    }),
  );
  assert.equal(points(drawn).skipped, 300);
  assert.match(drawn.points.find(({ kind }) => kind === "skipped")?.words ?? "", /no engine could/);
});

test("the picture reaches as far as its last moment, and to now while the reply runs", () => {
  const over = pictureOf(trace([sentence()]), new ReplyRecord("r"), 60_000);
  assert.equal(over.nowMs, null);
  assert.equal(over.lastMs, 2_410);
  assert.deepEqual(over.text, { waitsToMs: 50, toMs: 900 });
  assert.equal(over.firstSoundMs, 410);
  const running = pictureOf(trace([sentence()], { status: "running" }), new ReplyRecord("r"), 5_000);
  assert.equal(running.nowMs, 5_000);
  assert.equal(running.lastMs, 5_000);
});

test("a reply is over when its sound has been heard: by this page if it was heard here, else as the server reckons", () => {
  const record = new ReplyRecord("r");
  assert.equal(isOver(trace([sentence()], { status: "running" }), record, 60_000), false);
  assert.equal(isOver(trace([sentence()]), record, 2_000), false);
  assert.equal(isOver(trace([sentence()]), record, 2_410), true);
  record.own = true;
  record.speaking({ sentence: 0 }, 1);
  assert.equal(isOver(trace([sentence()]), record, 60_000), false);
  record.speaking({ sentence: null }, 2);
  assert.equal(isOver(trace([sentence()]), record, 60_000), true);
});

test("gaps stand on the reply's clock; a reply with very many sentences shows its newest", () => {
  const record = new ReplyRecord("r");
  record.sent(1_000, 1_000, true);
  record.underrun({ gapMs: 250 }, 4_000);
  const many = Array.from({ length: 400 }, (_, number) => sentence({ sentence: number }));
  const picture = pictureOf(trace(many), record, 60_000);
  assert.deepEqual(picture.gaps, [{ atMs: 3_000, gapMs: 250 }]);
  assert.equal(picture.rows.length, 150);
  assert.equal(picture.rows.at(-1)?.sentence, 399);
});
