/** The line above the composer: how the connection and the sound are, where that is not as one expects. */
import { element } from "../dom.js";

/**
 * @typedef {object} Said
 * @property {string} words
 * @property {"plain" | "bad"} [level]
 * @property {{ words: string, act: () => void }} [action]
 */

export class Strip {
  #element;
  /** @type {Map<string, { said: string, drawn: HTMLElement }>} */
  #shown = new Map();

  /** @param {HTMLElement} place */
  constructor(place) {
    this.#element = place;
  }

  /**
   * Says it in the place of what `id` said before.
   * @param {string} id
   * @param {Said | null} said null: nothing any more
   */
  show(id, said) {
    const before = this.#shown.get(id);
    if (before?.said === said?.words) return;
    before?.drawn.remove();
    this.#shown.delete(id);
    if (!said) return;
    const drawn = draw(id, said);
    this.#shown.set(id, { said: said.words, drawn });
    this.#element.append(drawn);
  }
}

/**
 * @param {string} id
 * @param {Said} said
 */
function draw(id, { words, level = "plain", action }) {
  const drawn = element(
    "p",
    { class: "strip-line", "data-level": level, "data-notice": id },
    element("span", {}, words),
  );
  if (action) {
    const button = element("button", { type: "button", class: "strip-button" }, action.words);
    button.addEventListener("click", action.act);
    drawn.append(button);
  }
  return drawn;
}
