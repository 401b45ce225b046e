import assert from "node:assert/strict";
import { test } from "node:test";
import { heightOf } from "../../../src/unavoce/web/page/instruments/header.js";

test("the meter breathes with speech: nothing in a pause, little in a consonant, most in a stressed vowel", () => {
  assert.equal(heightOf(Number.NEGATIVE_INFINITY), 0);
  assert.equal(heightOf(-60), 0);
  const heights = [-36, -23, -18, -14].map(heightOf);
  assert.deepEqual(
    heights.map((height) => height.toFixed(1)),
    ["0.1", "0.5", "0.7", "0.9"],
  );
  assert.equal(heightOf(0), 1);
});
