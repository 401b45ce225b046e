import assert from "node:assert/strict";
import { test } from "node:test";
import { heightOf } from "../../../src/unavoce/web/page/instruments/level-meter.js";

test("the meter breathes with speech: nothing in a pause, little in a consonant, most in a stressed vowel", () => {
  assert.equal(heightOf(Number.NEGATIVE_INFINITY), 0);
  assert.equal(heightOf(-60), 0);
  assert.ok(heightOf(-34) > 0.2 && heightOf(-34) < 0.4);
  assert.ok(heightOf(-18) > 0.7 && heightOf(-18) < 0.9);
  assert.equal(heightOf(0), 1);
});
