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
