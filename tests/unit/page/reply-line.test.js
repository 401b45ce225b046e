import assert from "node:assert/strict";
import { test } from "node:test";
import { lineOf } from "../../../src/unavoce/web/page/instruments/reply-line.js";
import { ReplyRecord } from "../../../src/unavoce/web/page/instruments/reply-record.js";

/** @param {[engine: string, voice: string, cache: string][]} clips */
function record(clips) {
  const made = new ReplyRecord("r");
  clips.forEach(([engine, voice, cache], sentence) => {
    made.chunk({ sentence, engine, voice, cache, durationMs: 1_000 });
  });
  return made;
}

/** @param {ReplyRecord} of */
function words(of) {
  return lineOf(of).map((part) => part.words);
}

test("who speaks, and where another goes on", () => {
  assert.deepEqual(words(record([["piper", "joe", "none"]])), ["piper · joe"]);
  const changed = record([
    ["xtts", "butler", "none"],
    ["xtts", "butler", "none"],
    ["piper", "joe", "none"],
  ]);
  assert.deepEqual(words(changed), ["xtts · butler, then piper · joe from sentence 3"]);
});

test("what came from the cache, and from which tier", () => {
  /** @param {string[]} caches */
  const stored = (caches) => words(record(caches.map((cache) => ["piper", "joe", cache]))).slice(1);
  assert.deepEqual(stored(["none", "none"]), []);
  assert.deepEqual(stored(["memory", "none"]), ["1 of 2 sentences from memory"]);
  assert.deepEqual(stored(["disk"]), ["1 of 1 sentence from disk"]);
  assert.deepEqual(stored(["disk", "memory", "none"]), ["2 of 3 sentences from the cache (1 memory, 1 disk)"]);
});

test("the first sound is counted from the sending, as the person waited", () => {
  const made = record([["piper", "joe", "none"]]);
  made.sent(1_000, 1_030, true);
  made.speaking({ sentence: 0 }, 1_710);
  assert.deepEqual(words(made), ["piper · joe", "first sound after 0.7 s"]);
});

test("gaps and what was not spoken are marked as trouble", () => {
  const made = record([["piper", "joe", "none"]]);
  made.underrun({ gapMs: 120.4 }, 1);
  made.underrun({ gapMs: 80 }, 2);
  made.audioDone({ skipped: [{ sentence: 1, reason: "no engine could" }] });
  const trouble = lineOf(made).filter(({ kind }) => kind === "trouble");
  assert.deepEqual(
    trouble.map((part) => part.words),
    ["2 gaps, 200 ms", "1 sentence not spoken"],
  );
});

test("text only, no sound yet, and stopped", () => {
  const silent = new ReplyRecord("r");
  silent.sent(0, 1, false);
  assert.deepEqual(words(silent), ["text only"]);
  const waiting = new ReplyRecord("r");
  waiting.own = true;
  assert.deepEqual(words(waiting), ["no sound yet"]);
  waiting.done({ reason: "aborted" });
  assert.deepEqual(words(waiting), ["stopped"]);
});

test("of a reply from before this page was loaded nothing is claimed", () => {
  assert.deepEqual(words(new ReplyRecord("r")), []);
});
