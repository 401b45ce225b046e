/**
 * Where the pieces of what marked has read stand in the source. It strips what belongs to quotes, lists and tables from
 * the beginnings of lines, but leaves the rest of each line as it is: so each line is found again by its end.
 *
 * Places are an array: for each UTF-16 unit of a text its offset in the source, and one more for its end.
 */

/** @typedef {number[]} Places */

/** So many lines are looked through for one. */
const PATIENCE = 500;

export class Cursor {
  /** @param {string} source */
  constructor(source) {
    this.source = source;
    this.at = 0;
  }

  /**
   * The places of a text whose lines come next, each at the end of one of the source's; moves behind them.
   * @param {string} text
   * @returns {Places}
   */
  lines(text) {
    /** @type {Places} */
    const places = [];
    for (const line of text.split("\n")) {
      const from = this.#lineEnding(line.trim());
      const lead = line.length - line.trimStart().length;
      for (let index = 0; index < line.length + 1; index += 1) places.push(Math.max(0, from + index - lead));
    }
    return places;
  }

  /**
   * The places of a text that stands in the middle of a line, as a heading does between its marks.
   * @param {string} text in one line
   * @param {number} [limit] does not look further
   * @returns {Places}
   */
  within(text, limit = this.source.length) {
    const found = this.source.indexOf(text, this.at);
    const from = found < 0 || found + text.length > limit ? this.at : found;
    this.at = Math.min(limit, from + text.length);
    return aligned(text, this.source, from);
  }

  /** Moves behind the next `mark`, where there is one in the next line that is not blank. @param {RegExp} mark */
  skip(mark) {
    const rest = this.source.slice(this.at, this.at + 1000);
    const found = mark.exec(rest);
    if (found) this.at += found.index + found[0].length;
  }

  /** Where the next line ends, if it is blank; else the end of the one before. */
  #blankLine() {
    const blank = /[ \t>]*(?:\n|$)/y;
    blank.lastIndex = this.at;
    if (!blank.test(this.source)) return Math.max(0, this.at - 1);
    this.at = blank.lastIndex;
    return Math.max(0, this.at - 1);
  }

  /** @param {string} line */
  #lineEnding(line) {
    if (line === "") return this.#blankLine();
    let at = this.at;
    for (let tries = 0; tries < PATIENCE && at < this.source.length; tries += 1) {
      const newline = this.source.indexOf("\n", at);
      const end = newline < 0 ? this.source.length : newline;
      const rest = this.source.slice(at, end).trimEnd();
      if (rest.endsWith(line)) {
        this.at = Math.min(end + 1, this.source.length);
        return at + rest.length - line.length;
      }
      at = end + 1;
    }
    return this.within(line)[0];
  }
}

/**
 * The places of a text that is what stands at `from` without some of its backslashes.
 * @param {string} text
 * @param {string} source
 * @param {number} from
 * @returns {Places}
 */
export function aligned(text, source, from) {
  /** @type {Places} */
  const places = [];
  let at = from;
  for (const unit of text.split("")) {
    if (source[at] !== unit && source[at] === "\\") at += 1;
    places.push(at);
    at += 1;
  }
  places.push(at);
  return places;
}
