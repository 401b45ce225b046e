/** How much of a reply has been heard, as a place in its text. Pure; counted as the server counts it (chat/heard.py). */

/** The audio clock and the lengths on the wire are rounded: what is heard to within so much is heard to its end. */
const NEAR = 0.98;

/**
 * @param {string} text of the reply
 * @param {{ from: number, to: number }} sentence its place in it
 * @param {number} share of its sound that was heard, 0 to 1
 * @returns {number} the end of the last word that was heard whole
 */
export function heardUpTo(text, { from, to }, share) {
  if (share >= NEAR) return to;
  const cut = from + Math.floor((to - from) * Math.max(0, share));
  return Math.max(from, text.lastIndexOf(" ", cut));
}

/**
 * @param {string} text
 * @param {string} heardText as history tells it: the beginning of `text`
 * @returns {number | null} where it ends; null where all that there is to be heard was
 */
export function placeOf(text, heardText) {
  let place = 0;
  while (place < heardText.length && heardText[place] === text[place]) place += 1;
  return text.slice(place).trim() ? place : null;
}
