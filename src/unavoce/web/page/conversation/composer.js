/** Where one writes: Enter sends, Shift + Enter begins a line; while a reply runs or sounds it can be stopped. */
import { say } from "../dom.js";

/**
 * @typedef {object} Listener
 * @property {(message: string) => Promise<void>} send throws what the server refused it with
 * @property {() => Promise<void>} stop
 */

export class Composer {
  #input;
  #send;
  #stop;
  #problem;
  #listener;
  #busy = false;

  /**
   * @param {object} parts
   * @param {HTMLElement} parts.form
   * @param {HTMLElement} parts.send
   * @param {HTMLElement} parts.stop
   * @param {HTMLElement} parts.problem where a refusal is said
   * @param {Listener} listener
   */
  constructor({ form, send, stop, problem }, listener) {
    this.#input = /** @type {HTMLTextAreaElement} */ (form.querySelector("textarea"));
    this.#send = send;
    this.#stop = stop;
    this.#problem = problem;
    this.#listener = listener;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#input.addEventListener("keydown", (event) => this.#key(event));
    this.#input.addEventListener("input", () => this.#changed());
    this.#stop.addEventListener("click", () => this.#stopped());
    document.addEventListener("keydown", (event) => this.#escape(event));
    this.#changed();
  }

  /** On a phone that would bring up the keyboard, over the page that one came to see. */
  focus() {
    if (matchMedia("(hover: hover)").matches) this.#input.focus({ preventScroll: true });
  }

  /** @param {boolean} busy a reply runs or sounds */
  busy(busy) {
    this.#busy = busy;
    this.#changed();
  }

  /** @param {string} message */
  async say(message) {
    say(this.#problem, "");
    try {
      await this.#listener.send(message);
    } catch (error) {
      this.#giveBack(message, /** @type {Error} */ (error).message);
    }
  }

  #submit() {
    const message = this.#input.value.trim();
    if (!message) return;
    this.#input.value = "";
    this.#changed();
    void this.say(message);
  }

  /**
   * The words come back before what was written meanwhile.
   * @param {string} message
   * @param {string} reason
   */
  #giveBack(message, reason) {
    this.#input.value = [message, this.#input.value].filter(Boolean).join("\n");
    this.#changed();
    say(this.#problem, `Not sent. ${reason}`);
  }

  #stopped() {
    this.#input.focus({ preventScroll: true });
    void this.#listener.stop();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    // While an input method composes, Enter takes what it offers; Safari says so only by the key code.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.#submit();
  }

  /** @param {KeyboardEvent} event */
  #escape(event) {
    if (event.key !== "Escape" || event.isComposing || event.defaultPrevented || !this.#busy) return;
    void this.#listener.stop();
  }

  #changed() {
    const empty = !this.#input.value.trim();
    // The one that has the focus must not vanish under it.
    if (document.activeElement === this.#stop && !this.#busy) this.#input.focus({ preventScroll: true });
    this.#stop.hidden = !this.#busy;
    this.#send.hidden = this.#busy && empty;
    this.#send.toggleAttribute("disabled", empty);
    if (!CSS.supports("field-sizing", "content")) this.#grow();
  }

  #grow() {
    this.#input.style.setProperty("height", "auto");
    this.#input.style.setProperty("height", `${this.#input.scrollHeight}px`);
  }
}
