// The replies that still go on: their text, their sentences, and which chunk comes next.

import { GrowingText } from "./code-points.js";

/** Ids remembered of replies that are over: their end events may come a second time. */
const REMEMBERED = 256;

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

export class Replies {
  /** @type {Map<string, Reply>} */
  #known = new Map();
  /** @type {Set<string>} */
  #over = new Set();

  /** @param {string} id */
  get(id) {
    return this.#known.get(id);
  }

  /** In the order in which they began. */
  all() {
    return [...this.#known.values()];
  }

  /** A new one; undefined for one that is over. @param {string} id @param {boolean} own */
  begin(id, own) {
    if (this.#over.has(id)) return undefined;
    const reply = new Reply(id, own);
    this.#known.set(id, reply);
    return reply;
  }

  /** Nothing more is expected of it. @param {string} id */
  end(id) {
    this.#known.delete(id);
    this.#over.add(id);
    const [oldest] = this.#over;
    if (oldest && this.#over.size > REMEMBERED) this.#over.delete(oldest);
  }

  /** One that is over is to be heard again. @param {string} id */
  revive(id) {
    this.#over.delete(id);
  }
}
