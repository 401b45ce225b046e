/** The line under a reply, in parts: who speaks, how soon, what came from the cache, what went wrong. Pure. */
import { counted, seconds } from "./times.js";

/**
 * @typedef {{ kind: "voice" | "plain" | "trouble", words: string }} Part
 * @param {import("./reply-record.js").ReplyRecord} record
 * @returns {Part[]}
 */
export function lineOf(record) {
  const parts = [voices(record), firstSound(record), stored(record), gaps(record), skipped(record), end(record)];
  return parts.filter((part) => part !== null);
}

/**
 * "piper · joe", or "xtts · jon, then piper · joe from sentence 3".
 * @param {import("./reply-record.js").ReplyRecord} record
 * @returns {Part | null}
 */
function voices(record) {
  if (!record.speaks) return { kind: "plain", words: "text only" };
  const clips = [...record.clips.entries()].sort(([one], [other]) => one - other);
  const said = /** @type {string[]} */ ([]);
  let before = "";
  for (const [sentence, { engine, voice }] of clips) {
    const name = engine === voice || !voice ? engine : `${engine} · ${voice}`;
    if (name !== before) said.push(said.length ? `then ${name} from sentence ${sentence + 1}` : name);
    before = name;
  }
  return said.length ? { kind: "voice", words: said.join(", ") } : null;
}

/**
 * @param {import("./reply-record.js").ReplyRecord} record
 * @returns {Part | null}
 */
function firstSound(record) {
  const { firstSoundMs } = record;
  if (firstSoundMs !== null) return { kind: "plain", words: `first sound after ${seconds(firstSoundMs)}` };
  const waits = record.own && record.speaks && !record.clips.size && !record.ended;
  return waits ? { kind: "plain", words: "no sound yet" } : null;
}

/**
 * @param {import("./reply-record.js").ReplyRecord} record
 * @returns {Part | null}
 */
function stored(record) {
  const caches = [...record.clips.values()].map((clip) => clip.cache);
  const memory = caches.filter((cache) => cache === "memory").length;
  const disk = caches.filter((cache) => cache === "disk").length;
  if (!memory && !disk) return null;
  const where = !disk ? "memory" : !memory ? "disk" : `the cache (${memory} memory, ${disk} disk)`;
  return { kind: "plain", words: `${memory + disk} of ${counted(caches.length, "sentence")} from ${where}` };
}

/**
 * @param {import("./reply-record.js").ReplyRecord} record
 * @returns {Part | null}
 */
function gaps(record) {
  if (!record.gaps.length) return null;
  return { kind: "trouble", words: `${counted(record.gaps.length, "gap")}, ${Math.round(record.gapMs)} ms` };
}

/**
 * @param {import("./reply-record.js").ReplyRecord} record
 * @returns {Part | null}
 */
function skipped(record) {
  const number = record.skipped.length;
  return number ? { kind: "trouble", words: `${counted(number, "sentence")} not spoken` } : null;
}

/**
 * @param {import("./reply-record.js").ReplyRecord} record
 * @returns {Part | null}
 */
function end(record) {
  return record.ended === "aborted" ? { kind: "plain", words: "stopped" } : null;
}
