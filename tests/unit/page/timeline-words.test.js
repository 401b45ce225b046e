import assert from "node:assert/strict";
import { test } from "node:test";
import { ReplyRecord } from "../../../src/unavoce/web/page/instruments/reply-record.js";
import { COLUMNS, summaryOf, tableOf } from "../../../src/unavoce/web/page/timeline/words.js";
import { attempt, hit, sentence, trace } from "./traces.js";

/** Heard here, without a gap. @param {number} count */
function listener(count) {
  const record = new ReplyRecord("r");
  record.sent(0, 0, true);
  for (let number = 0; number < count; number += 1) {
    record.hears({ sentence: number, fromMs: 700 + number * 2_000, toMs: 2_600 + number * 2_000 });
  }
  return record;
}

test("the gist: the first sound, who spoke, what was at hand, the gaps", () => {
  const sentences = [
    sentence(),
    hit("memory", { sentence: 1 }),
    hit("disk", { sentence: 2 }),
    sentence({ sentence: 3 }),
  ];
  assert.equal(
    summaryOf(trace(sentences), listener(4)),
    "First sound after 0.7 s; 4 sentences by piper, 2 from the cache; no gap.",
  );
});

test("gaps, fallbacks and what was not spoken are said", () => {
  const record = listener(2);
  record.underrun({ gapMs: 300 }, 5_000);
  const late = attempt({ engine: "xtts", outcome: "late" });
  const sentences = [
    sentence({ attempts: [late, attempt()] }),
    sentence({ sentence: 1, engine: "kokoro" }),
    sentence({ sentence: 2, engine: null, sentMs: null, skipped: "no engine could speak it" }),
  ];
  assert.equal(
    summaryOf(trace(sentences, { status: "failed" }), record),
    "Not all went well. First sound after 0.7 s; 1 sentence by piper and 1 by kokoro; xtts failed or was late once; " +
      "1 sentence could not be spoken; 1 gap, 0.3 s in all.",
  );
});

test("of a reply that was not heard here nothing is said about gaps, and the first sound is when it was sent", () => {
  assert.equal(summaryOf(trace([sentence()]), new ReplyRecord("r")), "First sound after 0.4 s; 1 sentence by piper.");
});

test("before the first word, before the first sound, and without any", () => {
  const none = { firstToken: null, firstSentence: null, firstAudio: null, lastToken: null, lastAudio: null };
  const record = new ReplyRecord("r");
  assert.equal(summaryOf(trace([], { status: "running", timings: none }), record), "Still running. No word yet.");
  const word = { ...none, firstToken: 200 };
  assert.equal(
    summaryOf(trace([], { status: "running", timings: word }), record),
    "Still running. First word after 0.2 s, no sound yet.",
  );
  assert.equal(summaryOf(trace([], { timings: word }), record), "First word after 0.2 s, no sound.");
});

test("the table has a cell for each column and says the same as the picture", () => {
  const failed = attempt({ engine: "xtts", outcome: "failed", reason: "connection refused" });
  const rows = tableOf(trace([sentence({ attempts: [failed, attempt()] }), hit("disk", { sentence: 1 })]), listener(1));
  for (const cells of rows) assert.equal(cells.length, COLUMNS.length);
  assert.deepEqual(rows[0], [
    "1",
    "piper · joe",
    "20 ms",
    "0.3 s",
    "0.4 s",
    "from 0.7 s to 2.6 s",
    "xtts failed: connection refused",
  ]);
  assert.deepEqual(rows[1].slice(2, 4), ["12 ms", "from disk"]);
  assert.match(rows[1][5], /\(estimate\)$/);
});
