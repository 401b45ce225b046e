/**
 * A timeline in words: for who does not see the picture, and for who wants the gist of it. Pure.
 *
 * @typedef {import("./trace.js").Trace} Trace
 * @typedef {import("./trace.js").TraceSentence} TraceSentence
 * @typedef {import("../instruments/reply-record.js").ReplyRecord} ReplyRecord
 */

import { counted, listed, seconds } from "../times.js";
import { firstSoundOf } from "./model.js";
import { between, heardHere } from "./rows.js";

/**
 * "First sound after 0.7 s; 5 sentences by piper, 2 of them from the cache; no gap."
 * @param {Trace} trace
 * @param {ReplyRecord} record
 */
export function summaryOf(trace, record) {
  const parts = [firstSound(trace, record), ...whoSpoke(trace), skippedWords(trace), gapWords(record)];
  const said = parts.filter(Boolean).join("; ");
  return `${STATUS[trace.status]}${said.charAt(0).toUpperCase()}${said.slice(1)}.`;
}

const STATUS = { running: "Still running. ", complete: "", aborted: "Stopped. ", failed: "Not all went well. " };

/**
 * @param {Trace} trace
 * @param {ReplyRecord} record
 */
function firstSound(trace, record) {
  // As the person waited, where that is known: the line below the reply says the same.
  const firstMs = record.firstSoundMs ?? firstSoundOf(trace, record);
  if (firstMs !== null) return `first sound after ${seconds(firstMs)}`;
  const tokenMs = trace.timings.firstToken;
  return tokenMs === null
    ? "no word yet"
    : `first word after ${seconds(tokenMs)}, no sound${trace.status === "running" ? " yet" : ""}`;
}

/** @param {Trace} trace */
function whoSpoke(trace) {
  const spoken = trace.sentences.filter((one) => one.engine && one.sentMs !== null);
  const engines = [...new Set(spoken.map((one) => one.engine ?? ""))];
  const by = engines.map((engine, place) => {
    const number = spoken.filter((one) => one.engine === engine).length;
    return place === 0 ? `${counted(number, "sentence")} by ${engine}` : `${number} by ${engine}`;
  });
  const stored = spoken.filter((one) => one.cache === "memory" || one.cache === "disk").length;
  const failed = trace.sentences
    .flatMap((one) => one.attempts)
    .filter(({ outcome }) => outcome === "failed" || outcome === "late");
  return [
    listed(by) + (stored ? `${by.length ? ", " : ""}${stored} from the cache` : ""),
    failed.length
      ? `${listed([...new Set(failed.map((one) => one.engine))])} failed or was late ${times(failed.length)}`
      : "",
  ];
}

/** @param {Trace} trace */
function skippedWords(trace) {
  const skipped = trace.sentences.filter((one) => one.skipped);
  return skipped.length ? `${counted(skipped.length, "sentence")} could not be spoken` : "";
}

/** @param {ReplyRecord} record */
function gapWords(record) {
  if (!record.heard.size) return "";
  if (!record.gaps.length) return "no gap";
  return `${counted(record.gaps.length, "gap")}, ${seconds(record.gapMs)} in all`;
}

/** @param {number} number */
function times(number) {
  return number === 1 ? "once" : number === 2 ? "twice" : `${number} times`;
}

export const COLUMNS = ["Sentence", "Spoken by", "Waited", "In synthesis", "Sent", "Heard", "Remarks"];

/**
 * The timeline's table, a cell for each of COLUMNS.
 * @param {Trace} trace
 * @param {ReplyRecord} record
 * @returns {string[][]}
 */
export function tableOf(trace, record) {
  return trace.sentences.map((one) => [
    `${one.sentence + 1}`,
    one.engine ? [one.engine, one.voice].filter(Boolean).join(" · ") : "–",
    waited(one),
    inSynthesis(one),
    one.sentMs === null ? "–" : seconds(one.sentMs),
    heardWords(one, record),
    remarks(one),
  ]);
}

/** @param {TraceSentence} one */
function waited(one) {
  const begunMs = one.startedMs ?? one.synthesisedMs;
  return one.cutMs === null || begunMs === null ? "–" : seconds(begunMs - one.cutMs);
}

/** @param {TraceSentence} one */
function inSynthesis(one) {
  if (one.cache === "memory" || one.cache === "disk") return `from ${one.cache}`;
  return one.startedMs === null || one.synthesisedMs === null ? "–" : seconds(one.synthesisedMs - one.startedMs);
}

/**
 * @param {TraceSentence} one
 * @param {ReplyRecord} record
 */
function heardWords(one, record) {
  const heard = heardHere(one.sentence, record);
  if (heard) return between(heard.fromMs, heard.toMs);
  if (one.playsFromMs === null || one.playsToMs === null) return "–";
  return `${between(one.playsFromMs, one.playsToMs)} (estimate)`;
}

/** @param {TraceSentence} one */
function remarks(one) {
  const troubles = one.attempts.filter(({ outcome }) => outcome === "failed" || outcome === "late");
  const said = troubles.map(({ engine, outcome, reason }) => {
    return `${engine} ${outcome === "late" ? "was too late" : "failed"}${reason ? `: ${reason}` : ""}`;
  });
  if (one.skipped) said.push(`not spoken: ${one.skipped}`);
  return said.join("; ");
}
