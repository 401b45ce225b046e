import assert from "node:assert/strict";
import { test } from "node:test";
import { parseWav } from "../../../src/unavoce/web/player/wav.js";
import { generator, part, toArrayBuffer, tone, wavOf } from "./fake-world.js";

test("every sample comes out exactly, at the rate that the file says", () => {
  const samples = Int16Array.from([0, 1, -1, 32_767, -32_768, 12_345]);
  const parsed = parseWav(wavOf(samples, 22_050));
  assert.equal(parsed.rateHz, 22_050);
  assert.deepEqual(
    [...parsed.samples],
    [...samples].map((sample) => sample / 32_768),
  );
});

test("parts before the sound are passed over, those of an odd length with their padding", () => {
  const extra = [part("LIST", Buffer.from("abc")), part("odd ", Buffer.alloc(0))];
  assert.equal(parseWav(wavOf(tone(10), 24_000, { extra })).samples.length, 10);
});

const MALFORMED = {
  "nothing at all": [new ArrayBuffer(0), /no WAV/],
  "another format": [toArrayBuffer(Buffer.from("OggS............................")), /no WAV/],
  stereo: [wavOf(tone(10), 24_000, { channels: 2 }), /2 × 16 bits/],
  "eight bits": [wavOf(tone(10), 24_000, { bits: 8 }), /1 × 8 bits/],
  "floating point": [wavOf(tone(10), 24_000, { tag: 3 }), /format 3/],
  "no rate": [wavOf(tone(10), 0), /at 0 Hz/],
  "an absurd rate": [wavOf(tone(10), 4_000_000_000), /at 4000000000 Hz/],
  "half a sample": [
    toArrayBuffer(Buffer.concat([Buffer.from(wavOf(tone(0))).subarray(0, 36), part("data", Buffer.alloc(3))])),
    /middle of a sample/,
  ],
  "a short format": [
    toArrayBuffer(Buffer.concat([Buffer.from("RIFFxxxxWAVE"), part("fmt ", Buffer.alloc(14))])),
    /14 bytes/,
  ],
  "sound before its format": [
    toArrayBuffer(Buffer.concat([Buffer.from("RIFFxxxxWAVE"), part("data", Buffer.alloc(4))])),
    /before its format/,
  ],
  "no sound": [toArrayBuffer(Buffer.from(wavOf(tone(10))).subarray(0, 36)), /before its sound/],
  "less sound than promised": [wavOf(tone(10)).slice(0, -6), /6 bytes of its part 'data'/],
};

for (const [what, [file, error]] of Object.entries(MALFORMED)) {
  test(`${what} is refused by name`, () => {
    assert.throws(() => parseWav(file), error);
  });
}

test("a file cut or spoilt anywhere is parsed or refused with an Error of the parser's own, and never hangs", () => {
  const [random, whole] = [generator(7), new Uint8Array(wavOf(tone(50)))];
  for (let round = 0; round < 3_000; round += 1) {
    const spoilt = whole.slice(0, random() < 0.5 ? whole.length : Math.floor(random() * whole.length));
    for (let flips = random() * 4; flips > 0; flips -= 1)
      spoilt[Math.floor(random() * Math.min(44, spoilt.length))] = random() * 256;
    try {
      assert.ok(parseWav(spoilt.buffer).samples.length <= 60);
    } catch (error) {
      assert.equal(error.constructor, Error, error.stack);
      assert.match(error.message, /WAV/);
    }
  }
});
