/** Text as it is shown, and where each piece of it stands in the source. */

import { referred } from "./entities.js";

/** @typedef {import("./places.js").Places} Places */

/**
 * A stretch of shown text. Where it is as long as its source, it is the source, unit by unit; else it stands for it as a whole.
 * @typedef {object} Run
 * @property {number} at in the shown text
 * @property {number} length
 * @property {number} from in the source
 * @property {number} to exclusive
 */

/** @typedef {{ text: string, runs: Run[] }} Leaf */

const REFERENCE = /&(?:#\d{1,7}|#[xX][\da-fA-F]{1,6}|[A-Za-z][A-Za-z\d]{1,31});|<br\s{0,5}\/?>/g;

/** @returns {Leaf} */
export function leaf() {
  return { text: "", runs: [] };
}

/**
 * Adds text that is shown as it stands.
 * @param {Leaf} leaf
 * @param {string} text
 * @param {Places} places one for each unit and one for the end
 */
export function add(leaf, text, places) {
  let begin = 0;
  while (begin < text.length) {
    let end = begin + 1;
    while (end < text.length && places[end] === places[end - 1] + 1) end += 1;
    addRun(leaf, text.slice(begin, end), places[begin], places[end - 1] + 1);
    begin = end;
  }
}

/**
 * Adds text in which character references, and `<br>` as models write it in tables, stand for what they mean.
 * @param {Leaf} leaf
 * @param {string} text
 * @param {Places} places
 */
export function addDecoded(leaf, text, places) {
  let begin = 0;
  for (const found of text.matchAll(REFERENCE)) {
    const meant = found[0].startsWith("<") ? "\n" : referred(found[0]);
    if (meant === null) continue;
    const end = found.index + found[0].length;
    add(leaf, text.slice(begin, found.index), places.slice(begin, found.index + 1));
    addRun(leaf, meant, places[found.index], places[end - 1] + 1);
    begin = end;
  }
  add(leaf, text.slice(begin), places.slice(begin));
}

/**
 * @param {Leaf} leaf
 * @param {string} text
 * @param {number} from
 * @param {number} to
 */
export function addRun(leaf, text, from, to) {
  if (text === "") return;
  const last = leaf.runs.at(-1);
  if (last && from < last.to) {
    // A line's end that marked has put where there is none: it has no place of its own.
    addRun(leaf, text, last.to, Math.max(last.to, to));
    return;
  }
  const joins = last && last.to === from && last.length === last.to - last.from && text.length === to - from;
  if (joins) {
    last.length += text.length;
    last.to = to;
  } else {
    leaf.runs.push({ at: leaf.text.length, length: text.length, from, to });
  }
  leaf.text += text;
}

/**
 * Where in the shown text the source's `offset` is.
 * @param {Leaf} leaf
 * @param {number} offset
 * @param {boolean} end the end of a range is meant, which may stand behind a run
 */
export function shownAt(leaf, offset, end) {
  let at = end ? 0 : leaf.text.length;
  for (const run of end ? leaf.runs : [...leaf.runs].reverse()) {
    if (end ? run.from < offset : run.to > offset) at = inside(run, offset, end);
  }
  return at;
}

/** @param {Run} run @param {number} offset @param {boolean} end */
function inside(run, offset, end) {
  if (run.length !== run.to - run.from) return end ? run.at + run.length : run.at;
  return run.at + Math.min(run.length, Math.max(0, offset - run.from));
}
