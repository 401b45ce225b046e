import assert from "node:assert/strict";
import { test } from "node:test";
import { heardUpTo, placeOf } from "../../../src/unavoce/web/page/conversation/heard.js";

const TEXT = "Good evening, sir. The house is warm.";
const SECOND = { from: 19, to: 37 };

test("of the sentence under way the whole words count that were heard", () => {
  assert.equal(TEXT.slice(0, heardUpTo(TEXT, SECOND, 0.5)), "Good evening, sir. The house");
  assert.equal(TEXT.slice(0, heardUpTo(TEXT, SECOND, 0.6)), "Good evening, sir. The house");
  assert.equal(TEXT.slice(0, heardUpTo(TEXT, SECOND, 0.7)), "Good evening, sir. The house is");
});

test("of a sentence that has only begun no word counts, and the one before it does", () => {
  assert.equal(heardUpTo(TEXT, SECOND, 0), SECOND.from);
  assert.equal(heardUpTo(TEXT, SECOND, 0.1), SECOND.from);
  assert.equal(heardUpTo(TEXT, SECOND, -1), SECOND.from);
});

test("a sentence that was heard but for the rounding of clocks was heard to its end", () => {
  assert.equal(heardUpTo(TEXT, SECOND, 0.99), SECOND.to);
  assert.equal(heardUpTo(TEXT, SECOND, 1.2), SECOND.to);
});

test("what history says was heard is the beginning of the text", () => {
  assert.equal(placeOf(TEXT, "Good evening, sir."), 18);
  assert.equal(placeOf(TEXT, ""), 0);
});

test("a text that was heard to its end, but for space, has no such place", () => {
  assert.equal(placeOf(TEXT, TEXT), null);
  assert.equal(placeOf(`${TEXT}\n\n`, TEXT), null);
  assert.equal(placeOf("", ""), null);
});
