// Text that grows, and places in it: the wire counts code points, JavaScript's strings count UTF-16 units.

export class GrowingText {
  text = "";
  #codePoints = 0;

  /** @param {string} text the whole of it */
  replace(text) {
    this.text = text;
    this.#codePoints = countCodePoints(text);
  }

  /**
   * Put `piece` where it belongs, over the same where it came before.
   * @param {string} piece
   * @param {number} start in code points
   * @returns {number} the same in UTF-16 units
   */
  put(piece, start) {
    // No server leaves a hole; should one, places after it stay true.
    if (start > this.#codePoints) this.replace(this.text + " ".repeat(start - this.#codePoints));
    const from = this.unitAt(start);
    const end = start + countCodePoints(piece);
    this.text = this.text.slice(0, from) + piece + this.text.slice(this.unitAt(end));
    this.#codePoints = Math.max(this.#codePoints, end);
    return from;
  }

  /** @param {number} codePoint one beyond the end counts as the end @returns {number} the same in UTF-16 units */
  unitAt(codePoint) {
    if (codePoint >= this.#codePoints) return this.text.length;
    // Without characters beyond the first plane, as in most texts, the counts are the same.
    if (this.text.length === this.#codePoints) return codePoint;
    let unit = 0;
    for (let at = 0; at < codePoint; at += 1) unit += isPair(this.text, unit) ? 2 : 1;
    return unit;
  }
}

/** @param {string} text half of a pair alone counts as one */
function countCodePoints(text) {
  let count = 0;
  for (let unit = 0; unit < text.length; count += 1) unit += isPair(text, unit) ? 2 : 1;
  return count;
}

/** @param {string} text @param {number} unit */
function isPair(text, unit) {
  return (text.codePointAt(unit) ?? 0) > 0xffff;
}
