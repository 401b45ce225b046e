import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULTS, readChoices, Settings, STORED_AS } from "../../../src/unavoce/web/page/settings.js";

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
