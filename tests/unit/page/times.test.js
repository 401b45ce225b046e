import assert from "node:assert/strict";
import { test } from "node:test";
import { counted, listed, seconds, timeOfDay } from "../../../src/unavoce/web/page/times.js";

test("a length of time has as many places as say something", () => {
  const lengths = [-3, 0, 4.4, 94, 95, 700, 9_949, 9_950, 12_345].map(seconds);
  assert.deepEqual(lengths, ["0 ms", "0 ms", "4 ms", "94 ms", "0.1 s", "0.7 s", "9.9 s", "10 s", "12 s"]);
});

test("a time of day has its date where that is another day", () => {
  const at = new Date(2026, 10, 24, 9, 5).getTime();
  assert.equal(timeOfDay(at, new Date(2026, 10, 24, 23, 59).getTime()), "09:05");
  assert.equal(timeOfDay(at, new Date(2026, 10, 25, 0, 1).getTime()), "24 November, 09:05");
});

test("counting and listing", () => {
  assert.equal(counted(1, "gap"), "1 gap");
  assert.equal(counted(0, "gap"), "0 gaps");
  assert.equal(listed([]), "");
  assert.equal(listed(["a"]), "a");
  assert.equal(listed(["a", "b", "c"]), "a, b and c");
});
