/**
 * The text of a reply as it is written: its Markdown as elements, the sentence being spoken marked in it.
 *
 * What reads Markdown is loaded when the first reply needs it, so that the page does not wait for it. What is asked for
 * meanwhile is done then.
 */

/** @typedef {typeof import("./drawing.js")} Drawing */

/** @type {Drawing | null} */
let drawing = null;
/** @type {Promise<Drawing> | null} */
let loading = null;

/** Loads what reads Markdown, where that is not there yet. Fails where the server cannot be reached. */
export async function prepare() {
  loading ??= import("./drawing.js");
  try {
    drawing = await loading;
  } catch (error) {
    loading = null;
    throw error;
  }
}

export class ReplyText {
  #element;
  #text = "";
  #complete = false;
  #frame = 0;
  /** @type {{ from: number, to: number } | null} */
  #spoken = null;
  /** @type {number | null} */
  #heardUpTo = null;
  /** @type {InstanceType<Drawing["Drawn"]> | null} */
  #drawn = null;

  /** @param {Element} element shows the text; whatever it holds is replaced with the first of it */
  constructor(element) {
    element.classList.add("reply-text");
    this.#element = element;
  }

  /**
   * The text so far. Shown with the browser's next frame.
   * @param {string} wholeText
   */
  update(wholeText) {
    if (wholeText === this.#text) return;
    this.#text = wholeText;
    this.#complete = false;
    this.#frame ||= requestAnimationFrame(() => this.#show());
  }

  /** No more text comes: all of it is shown at once, unless it is so much that it takes several frames. */
  finish() {
    cancelAnimationFrame(this.#frame);
    this.#complete = true;
    this.#show();
  }

  /**
   * Marks the sentence being spoken.
   * @param {number} from UTF-16 offset in the text
   * @param {number} to exclusive
   */
  mark(from, to) {
    this.#spoken = { from, to };
    this.#drawn?.mark(this.#spoken);
  }

  unmark() {
    this.#spoken = null;
    this.#drawn?.mark(null);
  }

  /** What is shown of the marked sentence, to scroll to; `null` where nothing is. @returns {Range | null} */
  get marked() {
    return this.#drawn?.marked ?? null;
  }

  /**
   * What stands behind `upTo` was not heard, and is paler; `null`: all was, or may yet be.
   * @param {number | null} upTo
   */
  setHeard(upTo) {
    this.#heardUpTo = upTo;
    this.#drawn?.setHeard(upTo);
  }

  /** Takes the text and its marks away. To be called where the element itself is thrown away. */
  clear() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#text = "";
    this.unmark();
    this.setHeard(null);
    this.#drawn?.clear();
  }

  #show() {
    this.#frame = 0;
    if (!drawing) {
      this.#showOnceLoaded();
      return;
    }
    if (!this.#drawn) {
      this.#drawn = new drawing.Drawn(this.#element);
      this.#drawn.mark(this.#spoken);
      this.#drawn.setHeard(this.#heardUpTo);
    }
    const all = this.#drawn.show(this.#text, this.#complete);
    if (!all) this.#frame = requestAnimationFrame(() => this.#show());
  }

  /** Without what reads Markdown the text stands as it was written. */
  async #showOnceLoaded() {
    if (!this.#element.hasChildNodes()) this.#element.textContent = this.#text;
    try {
      await prepare();
    } catch {
      this.#element.textContent = this.#text;
      return;
    }
    this.#show();
  }
}
