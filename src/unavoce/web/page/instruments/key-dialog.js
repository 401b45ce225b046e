/** Asks for the server's key, and says so when it was not the right one. A key is kept only once it has been accepted. */

import { element, say } from "../dom.js";
import { dialog, field } from "./dialog.js";

export class KeyDialog {
  #input = element("input", {
    type: "password",
    autocomplete: "off",
    autocapitalize: "none",
    spellcheck: "false",
    maxlength: 1000,
    required: true,
  });
  #remember = element("input", { type: "checkbox" });
  #problem = element("p", { class: "field-problem", role: "alert" });
  #submit = element("button", { type: "submit", class: "main-button" }, "Connect");
  /** @type {{ key: string, onDevice: boolean } | null} the one that is being tried */
  #tried = null;
  #offer;
  #keys;
  #dialog;

  /**
   * @param {import("./access.js").KeyStore} keys
   * @param {(key: string) => void} offer tries a key; `accepted` or `refused` is called after it
   */
  constructor(keys, offer) {
    this.#keys = keys;
    this.#offer = offer;
    const remember = element("label", { class: "check" }, this.#remember, "Remember it on this device");
    const explained = element(
      "p",
      {},
      "This server answers only to those who have a key. Whoever runs it can give you one.",
    );
    const form = element(
      "form",
      { novalidate: true },
      explained,
      field("Key", this.#input),
      remember,
      this.#problem,
      this.#submit,
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#try();
    });
    this.#dialog = dialog("A key is needed", form);
  }

  /** The server wants a key, or another one than it was given. */
  refused() {
    const wrong = this.#tried !== null || this.#keys.key !== undefined;
    this.#tried = null;
    this.#keys.forget();
    this.#submit.disabled = false;
    say(this.#problem, "");
    if (!this.#dialog.open) this.#dialog.showModal();
    if (wrong) say(this.#problem, "The server does not know this key. Check it for missing or additional characters.");
    this.#input.select();
    this.#input.focus();
  }

  /** The connection is there: a key that was tried is the right one. */
  accepted() {
    if (this.#tried) this.#keys.keep(this.#tried.key, this.#tried.onDevice);
    this.#tried = null;
    this.#input.value = "";
    if (this.#dialog.open) this.#dialog.close();
  }

  /** Neither: the server could not be asked. */
  unanswered() {
    if (!this.#tried) return;
    this.#tried = null;
    this.#submit.disabled = false;
    say(this.#problem, "The server does not answer. Try again in a moment.");
  }

  #try() {
    const key = this.#input.value.trim();
    if (!key) {
      say(this.#problem, "Enter the key.");
      this.#input.focus();
      return;
    }
    this.#tried = { key, onDevice: this.#remember.checked };
    this.#submit.disabled = true;
    say(this.#problem, "");
    this.#offer(key);
  }
}
