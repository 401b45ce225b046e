/** What a person should know, in a strip below the header: as long as it is so, and said once. */
import { element } from "./dom.js";

/**
 * @typedef {object} Notice
 * @property {"warn" | "bad"} level
 * @property {string} words
 * @property {string} [more] the reason and what helps
 * @property {{ words: string, act: () => void }} [action]
 */

export class Notices {
  /** @type {Map<string, Element>} */
  #shown = new Map();
  /** @type {Map<string, string>} */
  #said = new Map();

  constructor() {
    this.element = element("div", { class: "notices", role: "status" });
  }

  /**
   * @param {string} id whose place it takes
   * @param {Notice} notice
   */
  show(id, notice) {
    const said = `${notice.level}|${notice.words}|${notice.more ?? ""}`;
    if (this.#said.get(id) === said) return;
    const drawn = drawNotice(notice);
    const before = this.#shown.get(id);
    if (before) before.replaceWith(drawn);
    else this.element.append(drawn);
    this.#shown.set(id, drawn);
    this.#said.set(id, said);
  }

  /** @param {string} id */
  clear(id) {
    this.#shown.get(id)?.remove();
    this.#shown.delete(id);
    this.#said.delete(id);
  }
}

/** @param {Notice} notice */
function drawNotice({ level, words, more, action }) {
  const said = element("p", {}, element("strong", {}, words));
  if (more) said.append(" ", element("span", {}, more));
  const drawn = element("div", { class: "notice", "data-level": level }, said);
  if (action) {
    const button = element("button", { type: "button", class: "plain-button" }, action.words);
    button.addEventListener("click", action.act);
    drawn.append(button);
  }
  return drawn;
}
