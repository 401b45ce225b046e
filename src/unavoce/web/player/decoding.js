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

/** Whether this browser plays Opus as the server sends it. Safari does from 18.4 on. */
export function canPlayOpus() {
  return new Audio().canPlayType("audio/ogg; codecs=opus") !== "";
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
