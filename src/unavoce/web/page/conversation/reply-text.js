/** The text of a reply as it is written: its Markdown as elements, the sentence being spoken marked in it. */

import { Blocks } from "./blocks.js";
import { letCopy } from "./copying.js";
import { settledLength } from "./held-back.js";
import { Mark } from "./marking.js";

export class ReplyText {
  #text = "";
  #complete = false;
  #frame = 0;
  #spoken = new Mark("spoken");
  #unheard = new Mark("unheard");
  #blocks;

  /** @param {Element} element shows the text; whatever it holds is replaced */
  constructor(element) {
    element.classList.add("reply-text");
    this.#blocks = new Blocks(element);
    this.#blocks.clear();
    letCopy(element);
  }

  /**
   * The text so far. Shown with the browser's next frame.
   * @param {string} wholeText
   */
  update(wholeText) {
    if (wholeText === this.#text) return;
    this.#text = wholeText;
    this.#complete = false;
    this.#frame ||= requestAnimationFrame(() => this.#render());
  }

  /** No more text comes: all of it is shown at once. */
  finish() {
    cancelAnimationFrame(this.#frame);
    this.#complete = true;
    this.#render();
  }

  /**
   * Marks the sentence being spoken.
   * @param {number} from UTF-16 offsets in the text
   * @param {number} to exclusive
   */
  mark(from, to) {
    this.#spoken.place = { from, to };
    this.#spoken.show(this.#blocks.drawn);
  }

  unmark() {
    this.#spoken.place = null;
    this.#spoken.show(this.#blocks.drawn);
  }

  /** What is shown of the marked sentence, to scroll to; `null` where none is. @returns {Range | null} */
  get marked() {
    return this.#spoken.range;
  }

  /**
   * What stands behind `upTo` was not heard, and is paler; `null`: all was, or may yet be.
   * @param {number | null} upTo
   */
  setHeard(upTo) {
    this.#unheard.place = upTo === null ? null : { from: upTo, to: Number.MAX_SAFE_INTEGER };
    this.#unheard.show(this.#blocks.drawn);
  }

  /** Takes everything away, the marks too. To be called where the element itself is thrown away. */
  clear() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.unmark();
    this.setHeard(null);
    this.#blocks.clear();
    this.#text = "";
  }

  #render() {
    this.#frame = 0;
    const length = this.#complete ? this.#text.length : settledLength(this.#text);
    this.#blocks.show(this.#text.slice(0, length), this.#complete);
    if (this.#spoken.place) this.#spoken.show(this.#blocks.drawn);
    if (this.#unheard.place) this.#unheard.show(this.#blocks.drawn);
  }
}
