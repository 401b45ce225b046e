// A chunk's bytes to an AudioBuffer, at the rate the sound has.

import { SoundError } from "./errors.js";
import { parseWav } from "./wav.js";

/** Opus always decodes to this. */
export const OPUS_RATE_HZ = 48_000;
/** A decoder that says nothing for longer has hung; the reply goes on without that chunk. */
const LIMIT_MS = 5_000;
/** The server's `durationMs` is rounded to a whole millisecond. */
const TOLERANCE_MS = 2;

/**
 * @param {BaseAudioContext} context makes the buffer
 * @param {{ contentType: string, data: ArrayBuffer, durationMs: number }} chunk its data is used up
 * @returns {Promise<AudioBuffer | null>} null for a sound without a sample
 * @throws {SoundError} when it cannot be decoded, or is not as long as it should be
 */
export async function decode(context, chunk) {
  const buffer = isOpus(chunk.contentType) ? await decodeOpus(chunk.data) : decodeWav(context, chunk.data);
  const durationMs = buffer ? buffer.duration * 1000 : 0;
  if (Math.abs(durationMs - chunk.durationMs) > TOLERANCE_MS) {
    throw new SoundError(`${chunk.durationMs} ms of sound were announced, and there are ${durationMs.toFixed(1)}`);
  }
  return buffer;
}

/** @param {string} contentType */
export function isOpus(contentType) {
  return contentType.includes("ogg");
}

/** Whether this browser plays Opus as the server sends it (Safari does from 18.4 on). */
export function canPlayOpus() {
  return new Audio().canPlayType("audio/ogg; codecs=opus") !== "";
}

/** @param {BaseAudioContext} context @param {ArrayBuffer} data */
function decodeWav(context, data) {
  const { rateHz, samples } = parseWav(data);
  if (samples.length === 0) return null;
  const buffer = context.createBuffer(1, samples.length, rateHz);
  buffer.copyToChannel(samples, 0);
  return buffer;
}

/**
 * A context at Opus's own rate decodes without resampling; one without a device needs no gesture.
 * @param {ArrayBuffer} data
 * @returns {Promise<AudioBuffer>}
 */
async function decodeOpus(data) {
  const context = new OfflineAudioContext(1, 1, OPUS_RATE_HZ);
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new SoundError("the browser's decoder does not answer")), LIMIT_MS);
  });
  try {
    return await Promise.race([context.decodeAudioData(data), late]);
  } catch (error) {
    if (error instanceof SoundError) throw error;
    throw new SoundError(`the browser cannot decode this Opus: ${error instanceof Error ? error.message : error}`);
  } finally {
    clearTimeout(timer);
  }
}
