/** While a text grows, its very end is often not yet what it will be: that is shown a moment later instead of twice. */

/** Each finds at the end of a text, in its first group, what is not decided yet. */
const UNDECIDED = [
  // The marks that a block may begin with, an item's box among them.
  /(?:^|\n)([ \t>]*(?:[-*+_=#`~|:]+[-*+_=#`~|: ]*|\d{1,9}[.)]?|[-*+][ \t]+\[[ xX]?\]?|)[ \t]*)$/,
  // A line that gives an address a name, and is not shown at all.
  /(?:^|\n)( {0,3}\[[^\]\n]+\]:[^\n]*)$/,
  // The first line of what will be a table, until the line of dashes is there.
  /(?:^|\n[ \t]*\n)( {0,3}\|[^\n]*(?:\n[|:\- \t]*)?)$/,
  // A link that is not complete, or has an address to come.
  /(!?\[[^[\]\n]*(?:\](?:\([^()\s]*|\[[^[\]\n]*\]?)?)?)$/,
  // A mark that may open something or close it.
  /([*_~`\\!<&]+)$/,
];
const LONGEST = 300;

/**
 * How much of a text that still grows is shown.
 * @param {string} text
 */
export function settledLength(text) {
  // Where it is cut out of the middle, no line begins.
  const tail = text.length > LONGEST ? `…${text.slice(-LONGEST)}` : text;
  return text.length - Math.max(...UNDECIDED.map((pattern) => pattern.exec(tail)?.[1].length ?? 0));
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
