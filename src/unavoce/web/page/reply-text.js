/** A reply's text, as it is: stands in until Markdown is drawn. */
export class ReplyText {
  #element;
  #whole = "";
  /** @type {[number, number] | null} */
  #mark = null;
  /** @type {number | null} */
  #heard = null;
  #due = 0;

  /** @param {HTMLElement} element */
  constructor(element) {
    this.#element = element;
  }

  /** @param {string} whole */
  update(whole) {
    this.#whole = whole;
    this.#later();
  }

  /** @param {number} from @param {number} to */
  mark(from, to) {
    this.#mark = [from, to];
    this.#later();
  }

  unmark() {
    this.#mark = null;
    this.#later();
  }

  /** @param {number | null} upTo */
  setHeard(upTo) {
    this.#heard = upTo;
    this.#later();
  }

  finish() {}

  #later() {
    this.#due ||= requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    this.#due = 0;
    const [from, to] = this.#mark ?? [0, 0];
    const heard = this.#heard ?? this.#whole.length;
    const mark = document.createElement("mark");
    mark.textContent = this.#whole.slice(from, to);
    const rest = document.createElement("span");
    rest.className = "not-heard";
    rest.textContent = this.#whole.slice(heard);
    this.#element.replaceChildren(this.#whole.slice(0, from), mark, this.#whole.slice(to, heard), rest);
  }
}
