// The replies that still go on: their text, their sentences, and which chunk comes next.

import { GrowingText } from "./code-points.js";

/** Ids remembered of replies that are over, whose end events may come a second time. */
const REMEMBERED = 256;

export class Reply {
  /** @type {Map<number, { from: number, to: number }>} by number, in UTF-16 units of `words.text` */
  sentences = new Map();
  words = new GrowingText();
  /** Its sound comes here. */
  own = false;
  /** The server has sent its `chat:done`. */
  done = false;
  /** The server has sent its `chat:audio_done`, or there is no sound to come. */
  audioDone = false;
  /** Silenced on this page: chunks that come later are dropped. */
  silenced = false;
  /** Chunks up to here, exclusive, have arrived. */
  nextIndex = 0;
  /** Its number of chunks, where it is known before `chat:audio_done`. @type {number | null} */
  total = null;
  /** What another listener has heard already, and so is not to be played here. @type {string | null} */
  heardText = null;
  /** The sentence that is left out for that reason. */
  leftOut = -1;

  /** @param {string} id */
  constructor(id) {
    this.id = id;
  }

  /** Whether a chunk belongs to a sentence that was heard elsewhere. @param {{ sentence: number, text: string }} chunk */
  wasHeard({ sentence, text }) {
    if (this.heardText === null || sentence === this.leftOut) return this.heardText !== null;
    const at = text ? this.heardText.indexOf(text) : -1;
    // The first sentence that was not heard to its end is the one to begin with.
    this.heardText = at < 0 ? null : this.heardText.slice(at + text.length);
    this.leftOut = sentence;
    return this.heardText !== null;
  }
}

export class Replies {
  /** @type {Map<string, Reply>} */
  #running = new Map();
  /** @type {Set<string>} */
  #over = new Set();

  /** @param {string} id @returns {Reply | undefined} */
  get(id) {
    return this.#running.get(id);
  }

  /** @param {string} id @returns {Reply | null} a new one; null for one that is over */
  begin(id) {
    if (this.#over.has(id)) return null;
    const reply = new Reply(id);
    this.#running.set(id, reply);
    return reply;
  }

  /** Nothing more is expected of it. @param {string} id */
  end(id) {
    this.#running.delete(id);
    this.#over.add(id);
    if (this.#over.size > REMEMBERED) this.#over.delete(/** @type {string} */ (this.#over.values().next().value));
  }

  /** It is looked at again, though it was over. @param {string} id */
  revive(id) {
    this.#over.delete(id);
  }

  /** @returns {Reply[]} in the order in which they began */
  all() {
    return [...this.#running.values()];
  }
}
