/** One reply: its text, what went wrong with it, and the line that says how it was made. */
import { element } from "../dom.js";
import { ReplyText } from "../text/reply-text.js";
import { heardUpTo, placeOf } from "./heard.js";

/** What a line of the page holds, roughly, and its height with the space around it. */
const CHARACTERS_A_LINE = 68;
const LINE_PX = 28;
const LINE_BELOW_PX = 76;

/** @typedef {import("./messages.js").Told} Told */
/** @typedef {{ from: number, to: number, soundMs: number }} Sentence its place in the text, and the length of its sound */

export class ReplyMessage {
  #text;
  #whole = "";
  #heardUpTo = 0;
  /** @type {Map<number, Sentence>} */
  #sentences = new Map();
  /** @type {number | null} */
  #speaking = null;
  #notes = element("div", { class: "reply-notes" });
  #place = element("div", { class: "reply-text", "data-part": "text", dir: "auto" });
  /** @type {(() => HTMLElement | null) | null} */
  #line;
  /** Of before, and not drawn yet: stands as plain text. */
  #recalled = false;
  #own = false;

  /**
   * @param {string} replyId
   * @param {() => HTMLElement | null} line what stands below it, made when it is drawn
   */
  constructor(replyId, line) {
    this.replyId = replyId;
    this.#line = line;
    this.#text = new ReplyText(this.#place);
    this.element = element(
      "li",
      { class: "message reply", "data-part": "message", "data-role": "assistant", "data-reply": replyId },
      element("h2", { class: "visually-hidden" }, "unavoce answered"),
      this.#place,
      this.#notes,
    );
    this.state = "waiting";
  }

  /**
   * It begins, or its sound comes here, or does not any more.
   * @param {boolean} own its sound comes here
   */
  begin(own) {
    this.#own = own;
    this.draw();
    this.#notHeardFrom(null);
  }

  /**
   * It is of before: shown as plain text until it is drawn.
   * @param {Told} told
   */
  recall({ text, heardText }) {
    this.#whole = text;
    this.#recalled = true;
    this.#place.textContent = text;
    this.state = "complete";
    // So long as it is far away, as tall as it is likely to be.
    const lines = Math.ceil(text.length / CHARACTERS_A_LINE);
    this.element.style.setProperty("contain-intrinsic-block-size", `auto ${lines * LINE_PX + LINE_BELOW_PX}px`);
    const heardTo = heardText === undefined ? null : placeOf(text, heardText);
    this.#heardUpTo = heardTo ?? text.length;
    if (heardTo !== null) this.#cutShort(heardTo, "Not heard to its end");
  }

  /** Drawn for good, with the line below it. */
  draw() {
    const line = this.#line?.();
    if (line) this.element.append(line);
    this.#line = null;
    if (!this.#recalled) return;
    this.#recalled = false;
    this.#place.replaceChildren();
    this.#text.update(this.#whole);
    this.#text.finish();
  }

  /** @param {"waiting" | "writing" | "complete" | "aborted" | "failed"} state */
  set state(state) {
    this.element.dataset.state = state;
  }

  /** Its sound comes here. */
  get own() {
    return this.#own;
  }

  /** Where the sentence that is heard stands on the page. */
  get marked() {
    return this.#text.marked;
  }

  /** Nothing more comes of it, though it may still be heard. */
  get ended() {
    return ["complete", "aborted", "failed"].includes(this.element.dataset.state ?? "");
  }

  /** @param {string} whole */
  update(whole) {
    if (whole === this.#whole) return;
    if (!this.#whole) this.state = "writing";
    this.#whole = whole;
    if (this.#recalled) this.draw();
    this.#text.update(whole);
  }

  /**
   * @param {number} number
   * @param {number} from
   * @param {number} to
   */
  sentence(number, from, to) {
    this.#sentences.set(number, { soundMs: 0, ...this.#sentences.get(number), from, to });
    if (number === this.#speaking) this.#text.mark(from, to);
  }

  /**
   * @param {number} number
   * @param {number} durationMs of a chunk of its sound
   */
  chunk(number, durationMs) {
    const known = this.#sentences.get(number);
    if (known) known.soundMs += durationMs;
  }

  /** @param {number | null} number the sentence that is heard now */
  speaking(number) {
    this.#speaking = number;
    this.element.classList.toggle("is-heard", number !== null);
    const sentence = number === null ? undefined : this.#sentences.get(number);
    if (!sentence) return this.#text.unmark();
    // What stands before it was heard, or passed over as it says nothing; also before a reload.
    this.#heardUpTo = Math.max(this.#heardUpTo, sentence.from);
    this.#text.mark(sentence.from, sentence.to);
  }

  /**
   * @param {number} number
   * @param {number} lengthMs that was heard of that sentence
   */
  heard(number, lengthMs) {
    const sentence = this.#sentences.get(number);
    if (!sentence) return;
    const share = sentence.soundMs ? lengthMs / sentence.soundMs : 1;
    this.#heardUpTo = Math.max(this.#heardUpTo, heardUpTo(this.#whole, sentence, share));
  }

  /**
   * @param {string} reason
   * @param {string} whole
   * @param {boolean} speaks
   */
  end(reason, whole, speaks) {
    this.update(whole);
    this.#text.finish();
    this.state = reason === "aborted" || reason === "failed" ? reason : "complete";
    // That it was stopped the line below says.
    if (reason === "aborted" && speaks && this.#own) this.#notHeardFrom(this.#heardUpTo);
  }

  /** It was stopped while it was still heard, after its end had come. */
  stopped() {
    this.#cutShort(this.#heardUpTo, "Stopped");
  }

  /**
   * History knows how far one was heard whose sound does not come here.
   * @param {Told} told
   */
  toldAgain({ text, heardText }) {
    const settled = this.element.dataset.state === "aborted" || this.#noteOf("stopped");
    if (settled && !this.#own && heardText !== undefined) this.#notHeardFrom(placeOf(text, heardText));
  }

  /**
   * @param {number} heardUpTo
   * @param {string} words
   */
  #cutShort(heardUpTo, words) {
    this.note("stopped", words);
    this.#notHeardFrom(heardUpTo);
  }

  /** @param {number | null} place null: as if all had been */
  #notHeardFrom(place) {
    this.#text.setHeard(place);
    if (place === null && this.element.dataset.state === "complete") this.#noteOf("stopped")?.remove();
  }

  /**
   * @param {string} kind each is said once
   * @param {string} words
   */
  note(kind, words) {
    const before = this.#noteOf(kind);
    const note = element("p", { class: "reply-note", "data-note": kind }, words);
    if (before) before.replaceWith(note);
    else this.#notes.append(note);
  }

  /** @param {string} kind */
  #noteOf(kind) {
    return this.#notes.querySelector(`[data-note="${kind}"]`);
  }
}
