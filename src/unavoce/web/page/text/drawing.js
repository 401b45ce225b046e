/** What `ReplyText` loads: one reply's text in the page, with its marks. */

import { Blocks } from "./blocks.js";
import { letCopy } from "./copying.js";
import { settledLength } from "./held-back.js";
import { Mark } from "./marking.js";

letCopy(document);

export class Drawn {
  #blocks;
  #spoken = new Mark("spoken");
  #unheard = new Mark("unheard");

  /** @param {Element} element */
  constructor(element) {
    this.#blocks = new Blocks(element);
    this.#blocks.clear();
  }

  /**
   * @param {string} text
   * @param {boolean} complete
   * @returns {boolean} whether all of it is drawn
   */
  show(text, complete) {
    const length = complete ? text.length : settledLength(text);
    const all = this.#blocks.show(text.slice(0, length), complete);
    this.#spoken.show(this.#blocks.drawn);
    this.#unheard.show(this.#blocks.drawn);
    return all;
  }

  /** @param {{ from: number, to: number } | null} place */
  mark(place) {
    this.#spoken.place = place;
    this.#spoken.show(this.#blocks.drawn);
  }

  /** @returns {Range | null} */
  get marked() {
    const place = this.#spoken.range;
    if (!place) return null;
    const range = document.createRange();
    range.setStart(place.startContainer, place.startOffset);
    range.setEnd(place.endContainer, place.endOffset);
    return range;
  }

  /** @param {number | null} upTo */
  setHeard(upTo) {
    this.#unheard.place = upTo === null ? null : { from: upTo, to: Number.MAX_SAFE_INTEGER };
    this.#unheard.show(this.#blocks.drawn);
  }

  clear() {
    this.#blocks.clear();
  }
}
