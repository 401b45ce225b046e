// A chunk's bytes to an AudioBuffer, at the sound's own rate.

import { parseWav } from "./wav.js";

/** @import { Chunk } from "./types.d.ts" */

/** Opus always decodes to this. */
export const OPUS_RATE_HZ = 48_000;
/** The server's `durationMs` is a whole number. */
const TOLERANCE_MS = 2;

/** @param {Chunk} chunk */
export function rateOf(chunk) {
  return isOpus(chunk) ? OPUS_RATE_HZ : chunk.sampleRate;
}

/** Silence as an Ogg Opus file, of which a decoder leaves out the first 80 ms, as it must of all pieces but the first. */
const SAMPLE =
  "T2dnUwACAAAAAAAAAACm5hvKAAAAAMQWVnIBE09wdXNIZWFkAQEAD8BdAAAAAABPZ2dTAAAAAAAAAAAAAKbmG8oBAAAAlYGTogEX" +
  "T3B1c1RhZ3MHAAAAdW5hdm9jZQAAAABPZ2dTAASwEwAAAAAAAKbmG8oCAAAAAveigQYDAwMDAwPY//7Y//7Y//7Y//7Y//7Y//4=";
const SAMPLE_FRAMES = 1200;

/**
 * Whether this browser plays Opus as the server sends it. Some say "maybe" and cannot; so it is tried. Safari does from
 * 18.4 on.
 * @returns {Promise<boolean>}
 */
export async function canPlayOpus() {
  const bytes = Uint8Array.from(atob(SAMPLE), (letter) => letter.charCodeAt(0));
  try {
    const sound = await decodeOpus(bytes.buffer);
    return sound.length === SAMPLE_FRAMES;
  } catch {
    return false;
  }
}

/**
 * @param {BaseAudioContext} context makes the buffer
 * @param {Chunk} chunk its bytes are used up
 * @returns {Promise<AudioBuffer>}
 * @throws {Error} when it cannot be decoded, or is not as long as it should be
 */
export async function decode(context, chunk) {
  const buffer = isOpus(chunk) ? await decodeOpus(chunk.audio) : decodeWav(context, chunk.audio);
  const durationMs = buffer.duration * 1000;
  if (Math.abs(durationMs - chunk.durationMs) <= TOLERANCE_MS) return buffer;
  throw new Error(`${chunk.durationMs} ms of sound were announced, and ${durationMs.toFixed(1)} came`);
}

/** @param {Chunk} chunk */
function isOpus({ contentType }) {
  return contentType.includes("opus");
}

/** @param {BaseAudioContext} context @param {ArrayBuffer} file */
function decodeWav(context, file) {
  const { rateHz, samples } = parseWav(file);
  const buffer = context.createBuffer(1, samples.length, rateHz);
  buffer.copyToChannel(samples, 0);
  return buffer;
}

/** A context at Opus's own rate decodes without resampling; one without a device needs no gesture. @param {ArrayBuffer} file */
function decodeOpus(file) {
  return new OfflineAudioContext(1, 1, OPUS_RATE_HZ).decodeAudioData(file);
}
