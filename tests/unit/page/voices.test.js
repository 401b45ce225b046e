import assert from "node:assert/strict";
import { test } from "node:test";
import { engineOf, isGone, voiceGroups } from "../../../src/unavoce/web/page/voices.js";

/**
 * @param {string} name
 * @param {string[]} voices
 * @param {"healthy" | "down" | "loading"} [status]
 */
function engine(name, voices, status = "healthy") {
  return { engine: name, status, detail: "", remedy: "", sinceMs: 0, voices, latencyMs: null, clips: 0 };
}

test("voices stand under their engine, and are asked for with its name", () => {
  const groups = voiceGroups([engine("piper", ["joe"]), engine("xtts", []), engine("kokoro", ["a", "b/c"])]);
  assert.deepEqual(groups, [
    { engine: "piper", voices: [{ value: "piper/joe", words: "joe" }] },
    {
      engine: "kokoro",
      voices: [
        { value: "kokoro/a", words: "a" },
        { value: "kokoro/b/c", words: "b/c" },
      ],
    },
  ]);
  assert.equal(engineOf("kokoro/b/c"), "kokoro");
  assert.equal(engineOf(null), null);
});

test("a voice is gone only where that is certain", () => {
  const engines = [
    engine("piper", ["joe", "b/c"]),
    engine("xtts", ["butler"], "loading"),
    engine("kokoro", [], "down"),
  ];
  assert.equal(isGone(null, engines), false);
  assert.equal(isGone("piper/joe", engines), false);
  assert.equal(isGone("piper/b/c", engines), false);
  assert.equal(isGone("piper/amy", engines), true);
  assert.equal(isGone("espeak/en", engines), true);
  assert.equal(isGone("xtts/other", engines), false, "its engine is loading");
  assert.equal(isGone("kokoro/af", engines), false, "its engine lists none");
  assert.equal(isGone("piper/joe", []), false, "nothing is known yet");
});

test("a list that is cut at a hundred proves nothing", () => {
  const many = Array.from({ length: 100 }, (_, number) => `voice-${number}`);
  assert.equal(isGone("piper/joe", [engine("piper", many)]), false);
});
