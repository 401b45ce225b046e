/**
 * A growing text is cut into sections that can be read one by one: whatever follows, a section that another one has
 * followed stays as it is. So while a reply is being written only its last section is read again.
 *
 * The rules are those of CommonMark at the outermost level: where a blank line, a heading, a fence or the next item of
 * a list certainly ends what stands before. Each item of an outermost list is a section of its own.
 */

/**
 * @typedef {object} Section
 * @property {number} from UTF-16 offset in the text
 * @property {number} to exclusive; blank lines belong to the section before them
 * @property {boolean} fenced it is a fenced code block
 */

/** @typedef {"start" | "prose" | "code" | "item" | "fence"} Kind */

const FENCE = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})/;
const ITEM = /^( {0,3}(?:[*+-]|\d{1,9}[.)]))(?:([ \t]+)(?=\S)|[ \t]*$)/;
const INTERRUPTING_ITEM = /^ {0,3}(?:[*+-]|1[.)])[ \t]+\S/;
const HEADING = /^ {0,3}#{1,6}(?:[ \t]|$)/;
const RULE = /^ {0,3}(?:(?:-[ \t]*){3,}|(?:_[ \t]*){3,}|(?:\*[ \t]*){3,})$/;
const QUOTE = /^ {0,3}>/;
/** Under a paragraph a heading's line or a rule: either ends it. */
const UNDERLINE = /^ {0,3}(?:-+|=+)[ \t]*$/;
/** Longer lines are looked at by their beginning. */
const LOOK = 200;

export class Sections {
  constructor() {
    /** @type {Section[]} those before the last line that is complete; the last of them is still open */
    this.known = [];
    this.at = 0;
    this.state = new State();
  }

  /**
   * All sections of `text`, which begins as the text of the call before did.
   * @param {string} text
   * @returns {Section[]} the same objects as before for those that have not changed
   */
  of(text) {
    for (let end = text.indexOf("\n", this.at); end >= 0; end = text.indexOf("\n", this.at)) {
      this.#take(text, end + 1);
    }
    if (this.at === text.length) return this.known;
    return this.#withLastLine(text);
  }

  /** @param {string} text @param {number} end */
  #take(text, end) {
    const fresh = this.state.begins(lineOf(text, this.at, end));
    if (fresh) this.known.push({ from: this.at, to: end, fenced: this.state.kind === "fence" });
    else this.#stretch(end);
    this.at = end;
  }

  /** @param {number} end */
  #stretch(end) {
    const last = this.known.at(-1);
    if (last) this.known[this.known.length - 1] = { ...last, to: end };
  }

  /**
   * What the line that is still being written adds, without settling it.
   * @param {string} text
   */
  #withLastLine(text) {
    const state = this.state.copy();
    const all = [...this.known];
    const last = all.at(-1);
    if (state.begins(lineOf(text, this.at, text.length)) || !last) {
      all.push({ from: this.at, to: text.length, fenced: state.kind === "fence" });
    } else {
      all[all.length - 1] = { ...last, to: text.length };
    }
    return all;
  }
}

/** What the lines so far have left open. */
class State {
  /** @type {Kind} */
  kind = "start";
  blank = false;
  quoted = false;
  fence = "";
  /** Columns a line must be indented by to stand inside the item. */
  inside = 0;

  copy() {
    return Object.assign(new State(), this);
  }

  /**
   * Takes in a line.
   * @param {string} line without its end
   * @returns {boolean} whether a section begins with it
   */
  begins(line) {
    if (this.kind === "fence") {
      if (closes(line, this.fence)) this.kind = "start";
      return false;
    }
    if (line.trim() === "") {
      this.blank = true;
      return false;
    }
    const fresh = this.#ends(line);
    if (fresh) this.#open(line);
    else if (this.kind === "prose" && this.#closesBlock(line)) this.kind = "start";
    this.quoted = (this.quoted && !fresh) || QUOTE.test(line);
    this.blank = false;
    return fresh;
  }

  /** @param {string} line */
  #ends(line) {
    const indent = indentOf(line);
    switch (this.kind) {
      case "start":
        return true;
      case "code":
        return indent < 4;
      case "item":
        if (indent >= this.inside) return false;
        return this.blank || ITEM.test(line) || interrupts(line) || QUOTE.test(line) || RULE.test(line);
      default:
        return (this.blank && indent < 4) || interrupts(line) || (this.quoted ? ITEM : INTERRUPTING_ITEM).test(line);
    }
  }

  /** Below a quote such a line may be a part of it. @param {string} line */
  #closesBlock(line) {
    return RULE.test(line) || (UNDERLINE.test(line) && !this.quoted && !this.blank);
  }

  /** @param {string} line */
  #open(line) {
    const fence = FENCE.exec(line)?.[1];
    const item = ITEM.exec(line);
    if (fence) {
      this.kind = "fence";
      this.fence = fence;
    } else if (HEADING.test(line)) {
      this.kind = "start";
    } else if (item && !RULE.test(line)) {
      this.kind = "item";
      this.inside = item[1].length + widthAfter(item[2] ?? "");
    } else {
      this.kind = indentOf(line) >= 4 ? "code" : "prose";
    }
  }
}

/** @param {string} line */
function interrupts(line) {
  return FENCE.test(line) || HEADING.test(line);
}

/**
 * How far behind its mark an item's text begins: more than four blanks are code inside it.
 * @param {string} gap
 */
function widthAfter(gap) {
  return gap === "" || gap.includes("\t") || gap.length > 4 ? 1 : gap.length;
}

/** @param {string} line @param {string} fence */
function closes(line, fence) {
  const mark = /^ {0,3}(`{3,}|~{3,})[ \t]*$/.exec(line)?.[1];
  return mark !== undefined && mark[0] === fence[0] && mark.length >= fence.length;
}

/** @param {string} text @param {number} from @param {number} end */
function lineOf(text, from, end) {
  const line = text.slice(from, end);
  const whole = line.replace(/\r?\n$/, "");
  // A fence's first line and a rule are told by their end too; neither is this long in earnest.
  return whole.length > LOOK ? `${whole.slice(0, LOOK)}…` : whole;
}

/** @param {string} line */
function indentOf(line) {
  let column = 0;
  for (const char of line) {
    if (char === " ") column += 1;
    else if (char === "\t") column += 4 - (column % 4);
    else break;
  }
  return column;
}
