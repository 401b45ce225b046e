/** Tells screen readers whole replies, where the text on the page grows word by word. */
import { element } from "../dom.js";

/** Readers announce what is added; what stays would only be come upon a second time. */
const KEPT = 1;

export class Announcer {
  #log;

  /** @param {HTMLElement} log a live region that nobody sees */
  constructor(log) {
    this.#log = log;
  }

  /** @param {string} words */
  say(words) {
    this.#log.append(element("p", {}, words));
    while (this.#log.childElementCount > KEPT) this.#log.firstElementChild?.remove();
  }
}
