/** What the person said. */
import { element } from "../dom.js";

export class UserMessage {
  #text;

  /** @param {string} text */
  constructor(text) {
    this.#text = text;
    this.element = element(
      "li",
      { class: "message user-message", "data-part": "message", "data-role": "user" },
      element("h2", { class: "visually-hidden" }, "You said"),
      element("p", { class: "user-text", dir: "auto" }, text),
    );
  }

  get text() {
    return this.#text;
  }
}
