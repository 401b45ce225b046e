import assert from "node:assert/strict";
import { test } from "node:test";
import {
  DEFAULTS,
  engineOf,
  isGone,
  readChoices,
  Settings,
  STORED_AS,
} from "../../../src/unavoce/web/page/instruments/settings.js";

/** @param {string | null} stored */
function storage(stored) {
  const kept = { value: stored };
  return {
    kept,
    getItem: () => kept.value,
    setItem: (/** @type {string} */ name, /** @type {string} */ value) => {
      assert.equal(name, STORED_AS);
      kept.value = value;
    },
  };
}

const forbidden = {
  getItem() {
    throw new Error("SecurityError");
  },
  setItem() {
    throw new Error("QuotaExceededError");
  },
};

test("what was chosen is read again as it was", () => {
  const chosen = {
    voice: "kokoro/bm_george",
    speed: 1.25,
    volume: 0,
    format: "opus",
    speak: false,
    appearance: "dark",
  };
  assert.deepEqual(readChoices(JSON.stringify(chosen)), chosen);
});

test("a stored value that is not ours, or torn, counts as nothing chosen", () => {
  for (const odd of [null, "", "{", "null", "7", '"dark"', "[1, 2]", "{}", '{"__proto__": {"speed": 2}}']) {
    assert.deepEqual(readChoices(odd), DEFAULTS, String(odd));
  }
});

test("each value is checked by itself: an odd one does not spoil the others", () => {
  const odd = [
    { voice: "" },
    { voice: 7 },
    { voice: "x".repeat(201) },
    { speed: 0.49 },
    { speed: 2.01 },
    { speed: "1" },
    { speed: null },
    { volume: -0.1 },
    { volume: 1.1 },
    { format: "mp3" },
    { speak: "false" },
    { appearance: "sepia" },
  ];
  for (const one of odd) {
    const expected = { ...DEFAULTS, ...("speak" in one ? { volume: 0.5 } : { speak: false }) };
    const stored = JSON.stringify({ ...expected, ...one, unknown: true });
    assert.deepEqual(readChoices(stored), expected, JSON.stringify(one));
  }
});

test("a choice is told and remembered at once", () => {
  const kept = storage(null);
  const settings = new Settings(kept);
  const told = /** @type {number[]} */ ([]);
  settings.watch(({ speed }) => told.push(speed));
  settings.choose({ speed: 1.5 });
  assert.deepEqual(told, [1, 1.5]);
  assert.equal(new Settings(kept).choices.speed, 1.5);
});

test("what another tab has chosen is taken over", () => {
  const kept = storage(null);
  const [here, there] = [new Settings(kept), new Settings(kept)];
  there.choose({ volume: 0.25 });
  here.reread();
  assert.equal(here.choices.volume, 0.25);
});

test("without storage the choices hold until the page is left", () => {
  for (const none of [null, forbidden]) {
    const settings = new Settings(none);
    assert.deepEqual(settings.choices, DEFAULTS);
    settings.choose({ speak: false });
    assert.equal(settings.choices.speak, false);
  }
});

/**
 * @param {string} name
 * @param {string[]} voices
 * @param {"healthy" | "down" | "loading"} [status]
 */
function engine(name, voices, status = "healthy") {
  return { engine: name, status, detail: "", remedy: "", sinceMs: 0, voices, latencyMs: null, clips: 0 };
}

test("a voice's name begins with its engine's", () => {
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
