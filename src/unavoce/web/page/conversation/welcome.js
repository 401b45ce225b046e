/** The first screen, while nothing has been said: what this is, and something to begin with. */

export class Welcome {
  #element;

  /**
   * @param {HTMLElement} place
   * @param {(message: string) => void} say
   */
  constructor(place, say) {
    this.#element = place;
    for (const button of place.querySelectorAll("button"))
      button.addEventListener("click", () => say(button.textContent ?? ""));
  }

  /** @param {boolean} visible */
  set visible(visible) {
    this.#element.hidden = !visible;
  }
}
