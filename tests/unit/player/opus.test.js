import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { canPlayOpus } from "../../../src/unavoce/web/player/decoding.js";

/** A browser whose decoder does this with a file. */
function browser(decodeAudioData) {
  globalThis.OfflineAudioContext = class {
    decodeAudioData = decodeAudioData;
  };
}

afterEach(() => {
  delete globalThis.OfflineAudioContext;
});

test("a browser that decodes a piece to its exact length plays Opus", async () => {
  browser(async (file) => {
    assert.equal(new TextDecoder("latin1").decode(file.slice(0, 4)), "OggS");
    return { length: 1200 };
  });
  assert.equal(await canPlayOpus(), true);
});

test("one that plays a piece's pre-roll as well does not: its pieces would not join", async () => {
  browser(async () => ({ length: 1200 + 3840 }));
  assert.equal(await canPlayOpus(), false);
});

test("nor does one without the codec", async () => {
  browser(() => Promise.reject(new Error("no such codec")));
  assert.equal(await canPlayOpus(), false);
});
