// WAV as the server sends it: RIFF with 16-bit mono PCM. Parsed here and not by `decodeAudioData`, which would resample
// each chunk by itself to the context's rate and so put a seam between any two.

import { SoundError } from "./errors.js";

const PCM = 1;

/**
 * @param {ArrayBuffer} data a whole file
 * @returns {{ rateHz: number, samples: Float32Array<ArrayBuffer> }} samples from -1 to 1
 * @throws {SoundError} for anything but a whole WAV file with 16-bit mono PCM
 */
export function parseWav(data) {
  const view = new DataView(data);
  if (data.byteLength < 12 || name(view, 0) !== "RIFF" || name(view, 8) !== "WAVE") {
    throw new SoundError("this is no WAV file: it does not begin with RIFF and WAVE");
  }
  let rateHz = 0;
  // Every chunk has a name and a size, and is padded to an even length.
  for (let at = 12; at + 8 <= data.byteLength; ) {
    const [kind, size, start] = [name(view, at), view.getUint32(at + 4, true), at + 8];
    if (start + size > data.byteLength) {
      throw new SoundError(`the WAV is cut off: ${start + size - data.byteLength} bytes of its '${kind}' are missing`);
    }
    if (kind === "fmt ") rateHz = parseFormat(view, start, size);
    if (kind === "data") return { rateHz: known(rateHz), samples: toFloat(view, start, size) };
    at = start + size + (size % 2);
  }
  throw new SoundError("the WAV has no sound in it: its 'data' is missing");
}

/** @param {DataView} view @param {number} start @param {number} size */
function parseFormat(view, start, size) {
  if (size < 16) throw new SoundError(`the WAV's 'fmt ' has ${size} bytes, and 16 are the least`);
  const [tag, channels, bits] = [0, 2, 14].map((offset) => view.getUint16(start + offset, true));
  if (tag !== PCM || channels !== 1 || bits !== 16) {
    throw new SoundError(`the WAV is format ${tag} with ${channels} channels of ${bits} bits; played is 16-bit mono PCM`);
  }
  return view.getUint32(start + 4, true);
}

/** @param {number} rateHz */
function known(rateHz) {
  if (rateHz >= 8_000 && rateHz <= 96_000) return rateHz;
  throw new SoundError(rateHz ? `the WAV claims ${rateHz} samples a second` : "the WAV has sound before its format");
}

/** @param {DataView} view @param {number} start @param {number} size */
function toFloat(view, start, size) {
  if (size % 2) throw new SoundError("the WAV is cut off in the middle of a sample");
  const samples = new Float32Array(size / 2);
  for (let index = 0; index < samples.length; index += 1) {
    samples[index] = view.getInt16(start + 2 * index, true) / 32_768;
  }
  return samples;
}

/** @param {DataView} view @param {number} at */
function name(view, at) {
  return String.fromCharCode(...[0, 1, 2, 3].map((offset) => view.getUint8(at + offset)));
}
