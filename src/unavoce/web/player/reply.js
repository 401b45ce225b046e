// One reply that still goes on: its text, its sentences, and which chunk comes next.

import { GrowingText } from "./code-points.js";

export class Reply {
  /** From where to where in `words.text`, in UTF-16 units. @type {Map<number, [number, number]>} */
  sentences = new Map();
  words = new GrowingText();
  /** Its sound is not, or no longer, to be played here. */
  silent = false;
  /** No chunk follows. */
  allSent = false;
  done = false;
  nextIndex = 0;
  /** The number of its chunks, where no `chat:audio_done` will come. @type {number | null} */
  total = null;
  /** What was heard elsewhere and so is not played here. @type {string | null} */
  heardText = null;
  #leftOut = -1;

  /** @param {string} id @param {boolean} own its sound comes here */
  constructor(id, own) {
    this.id = id;
    this.own = own;
  }

  /** Whether a chunk's sentence was heard elsewhere to its end. @param {{ sentence: number, text: string }} chunk */
  wasHeard({ sentence, text }) {
    if (this.heardText !== null && sentence !== this.#leftOut) {
      const at = text ? this.heardText.indexOf(text) : -1;
      this.heardText = at < 0 ? null : this.heardText.slice(at + text.length);
      this.#leftOut = sentence;
    }
    return this.heardText !== null;
  }
}
