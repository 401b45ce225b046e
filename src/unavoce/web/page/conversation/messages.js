/** The list of messages: who comes after whom, those of before drawn only as they come near. */
import { element } from "../dom.js";

/** So near, in heights of what is seen, messages of before are drawn. */
const NEAR = "150% 0px";
/** So much of a frame goes into drawing them. */
const DRAWING_MS = 5;

/** @typedef {import("./reply-message.js").ReplyMessage} ReplyMessage */
/** @typedef {{ role: string, text: string, heardText?: string, replyId?: string, at: number }} Told a message as history tells it */

export class Messages {
  #list;
  #drawer;
  #newReply;
  /** @type {Map<string, ReplyMessage>} */
  #replies = new Map();
  /** What was said, by the id of the reply to it, or without one by when. @type {Map<string | number, HTMLElement>} */
  #said = new Map();
  /** @type {Set<(count: number) => void>} */
  #listeners = new Set();

  /**
   * @param {HTMLElement} list
   * @param {HTMLElement} scroller
   * @param {(replyId: string) => ReplyMessage} newReply
   */
  constructor(list, scroller, newReply) {
    this.#list = list;
    this.#newReply = newReply;
    this.#drawer = new Drawer(scroller);
  }

  /** @param {(count: number) => void} listener told now, and whenever messages come or go */
  watch(listener) {
    this.#listeners.add(listener);
    listener(this.#list.childElementCount);
  }

  /** @param {string} replyId */
  get(replyId) {
    return this.#replies.get(replyId);
  }

  /**
   * What the person said, at the end of the list.
   * @param {string} text
   */
  say(text) {
    const said = drawSaid(text);
    this.#list.append(said);
    this.#changed();
    return said;
  }

  /** What was refused. @param {HTMLElement} said */
  takeBack(said) {
    said.remove();
    this.#changed();
  }

  /** @param {HTMLElement} said @param {string} replyId what came of it */
  answered(said, replyId) {
    this.#said.set(replyId, said);
    said.after(this.reply(replyId).element);
  }

  /** The reply of this id, at the end of the list if it is new. @param {string} replyId */
  reply(replyId) {
    const known = this.#replies.get(replyId);
    if (known) return known;
    const message = this.#newReply(replyId);
    this.#replies.set(replyId, message);
    this.#list.append(message.element);
    this.#changed();
    return message;
  }

  /**
   * Makes the list as history tells it; what is on the page already stays as it is. What history does not tell (yet)
   * comes after.
   * @param {Told[]} history
   */
  merge(history) {
    const told = new Set(history.map((message, place) => this.#elementOf(message, history[place + 1]?.replyId)));
    const shown = [...this.#list.children];
    const wanted = [...told, ...shown.filter((one) => !told.has(/** @type {HTMLElement} */ (one)))];
    // Moving an element takes the focus from it.
    if (wanted.some((one, place) => one !== shown[place])) this.#list.replaceChildren(...wanted);
    this.#changed();
  }

  /**
   * @param {Told} told
   * @param {string | undefined} answer the reply that comes after it
   */
  #elementOf(told, answer) {
    return told.replyId ? this.#recalled(told.replyId, told).element : this.#recallSaid(told.text, answer ?? told.at);
  }

  /**
   * @param {string} text
   * @param {string | number} key
   */
  #recallSaid(text, key) {
    const said = this.#said.get(key) ?? drawSaid(text);
    this.#said.set(key, said);
    return said;
  }

  /**
   * @param {string} replyId
   * @param {Told} told
   */
  #recalled(replyId, told) {
    const known = this.#replies.get(replyId);
    if (known) {
      known.toldAgain(told);
      return known;
    }
    const message = this.#newReply(replyId);
    message.recall(told);
    this.#replies.set(replyId, message);
    this.#drawer.watch(message);
    return message;
  }

  #changed() {
    for (const listener of this.#listeners) listener(this.#list.childElementCount);
  }
}

/** Has messages of before drawn as they come near to what is seen: a thousand at once would hold up the page. */
class Drawer {
  /** @type {Map<Element, ReplyMessage>} */
  #waiting = new Map();
  /** @type {Set<Element>} */
  #near = new Set();
  #frame = 0;
  #observer;

  /** @param {HTMLElement} scroller */
  constructor(scroller) {
    this.#observer = new IntersectionObserver((entries) => this.#seen(entries), { root: scroller, rootMargin: NEAR });
  }

  /** @param {ReplyMessage} message */
  watch(message) {
    this.#waiting.set(message.element, message);
    this.#observer.observe(message.element);
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #seen(entries) {
    for (const { isIntersecting, target } of entries) {
      if (isIntersecting) this.#near.add(target);
      else this.#near.delete(target);
    }
    if (this.#near.size) this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  /** As many as a frame has room for. */
  #draw() {
    const startedMs = performance.now();
    this.#frame = 0;
    for (const element of this.#near) {
      this.#near.delete(element);
      this.#observer.unobserve(element);
      this.#waiting.get(element)?.draw();
      this.#waiting.delete(element);
      if (performance.now() - startedMs > DRAWING_MS) break;
    }
    if (this.#near.size) this.#frame = requestAnimationFrame(() => this.#draw());
  }
}

/** @param {string} text @returns {HTMLElement} */
function drawSaid(text) {
  return element(
    "li",
    { class: "message user-message", "data-part": "message", "data-role": "user" },
    element("h2", { class: "visually-hidden" }, "You said"),
    element("p", { class: "user-text", dir: "auto" }, text),
  );
}
