// Text that grows, and places in it. The wire counts code points, JavaScript's strings count UTF-16 units.

/** A text of which pieces come at places given in code points, some of them twice. */
export class GrowingText {
  text = "";
  #codePoints = 0;
  /** A place that was looked up last, in both counts: places are asked for mostly in ascending order. */
  #known = { codePoint: 0, unit: 0 };

  /** @param {string} [text] */
  constructor(text = "") {
    this.replace(text);
  }

  /** @param {string} text the whole of it */
  replace(text) {
    this.text = text;
    this.#codePoints = countCodePoints(text);
    this.#known = { codePoint: 0, unit: 0 };
  }

  /**
   * Put `piece` where it belongs; over what stands there, since that is the same. A hole before it, which a server does
   * not leave, is filled with spaces so that later places stay true.
   * @param {string} piece
   * @param {number} start in code points
   * @returns {number} where it stands, in UTF-16 units
   */
  put(piece, start) {
    if (start > this.#codePoints) this.replace(this.text + " ".repeat(start - this.#codePoints));
    const from = this.unitAt(start);
    const length = countCodePoints(piece);
    if (start + length < this.#codePoints) {
      this.text = this.text.slice(0, from) + piece + this.text.slice(this.unitAt(start + length));
      // Units after the piece may have moved, should it not be what stood there.
      this.#known = { codePoint: start, unit: from };
    } else {
      this.text = this.text.slice(0, from) + piece;
      this.#codePoints = start + length;
    }
    return from;
  }

  /**
   * @param {number} codePoint a place; one beyond the end counts as the end
   * @returns {number} the same in UTF-16 units
   */
  unitAt(codePoint) {
    // Without characters beyond the first plane, which most texts are, the counts are the same.
    if (this.text.length === this.#codePoints) return Math.min(codePoint, this.text.length);
    if (codePoint >= this.#codePoints) return this.text.length;
    let { codePoint: at, unit } = codePoint >= this.#known.codePoint ? this.#known : { codePoint: 0, unit: 0 };
    for (; at < codePoint; at += 1) unit += isPair(this.text, unit) ? 2 : 1;
    this.#known = { codePoint, unit };
    return unit;
  }
}

/**
 * @param {string} text
 * @returns {number} its code points; half of a pair alone counts as one
 */
export function countCodePoints(text) {
  let count = text.length;
  for (let unit = 0; unit < text.length - 1; unit += 1) {
    if (isPair(text, unit)) {
      count -= 1;
      unit += 1;
    }
  }
  return count;
}

/** @param {string} text @param {number} unit */
function isPair(text, unit) {
  return /** @type {number} */ (text.codePointAt(unit)) > 0xffff;
}
