/** While a text grows, its very end is often not yet what it will be: that is shown a moment later instead of twice. */

/** The marks that a block may begin with, before what they mean is decided. */
const MARKS_ONLY = /^[ \t>]*(?:[-*+_=#`~|:]+[-*+_=#`~|: ]*|\d{1,9}[.)]?|)[ \t]*$/;
/** A link whose address is not complete, or a mark at the end that may open something or close it. */
const UNDECIDED = /!?\[[^[\]\n]*(?:\]\([^()\s]*)?$|[*_~`\\!<&]+$/;
const LONGEST = 300;

/**
 * How much of a text that still grows is shown.
 * @param {string} text
 */
export function settledLength(text) {
  const begin = text.lastIndexOf("\n") + 1;
  const line = text.slice(Math.max(begin, text.length - LONGEST));
  if (text.length - begin < LONGEST && MARKS_ONLY.test(line)) return begin;
  const undecided = UNDECIDED.exec(line);
  return text.length - (undecided?.[0].length ?? 0);
}

const CODE = /(?<!`)(`+)(?!`)[\s\S]*?[^`]\1(?!`)/g;
const MARKS = /\*\*|__|~~|\*|_/g;
const LETTER = /[\p{L}\p{N}]/u;
const FENCE = /^[ \t>]*(?:[-*+][ \t]+|\d{1,9}[.)][ \t]+)?(?:`{3,}|~{3,})/gm;
/** So much of the end is searched for what is open. */
const REACH = 2000;

/**
 * What ends the emphasis and the code that the end of a growing section has begun, so that they are shown from their
 * first word on, and not as marks that vanish later.
 * @param {string} raw without white space at its end
 */
export function closers(raw) {
  const isCode = (raw.match(FENCE)?.length ?? 0) % 2 === 1;
  if (isCode) return "";
  const reach = raw.slice(-REACH);
  const block = reach.slice(reach.lastIndexOf("\n\n") + 1);
  const text = block.replace(/\\[^\w\s]/g, "  ").replace(CODE, "x");
  const code = /`+(?=[^`])/.exec(text);
  if (code) return `${code[0]}${openMarks(text.slice(0, code.index))}`;
  return openMarks(text);
}

/** @param {string} text */
function openMarks(text) {
  /** @type {string[]} */
  const open = [];
  for (const { 0: mark, index } of text.matchAll(MARKS)) {
    const before = text[index - 1] ?? " ";
    const after = text[index + mark.length] ?? " ";
    const inWord = mark[0] === "_" && LETTER.test(before) && LETTER.test(after);
    const known = open.lastIndexOf(mark);
    if (inWord) continue;
    if (known >= 0 && before.trim()) open.length = known;
    else if (after.trim()) open.push(mark);
  }
  return open.reverse().join("");
}
