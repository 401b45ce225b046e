/** The list of messages: who comes after whom, those of before drawn only as they come near. */
import { Drawer } from "./drawer.js";
import { placeOf } from "./heard.js";
import { ReplyMessage } from "./reply-message.js";
import { UserMessage } from "./user-message.js";

/** @typedef {{ role: string, text: string, heardText?: string, replyId?: string }} Told a message as history tells it */

export class Messages {
  #list;
  #drawer;
  #lineOf;
  /** @type {Map<string, ReplyMessage>} */
  #replies = new Map();
  /** What was said before a reply, by the reply's id. @type {Map<string, UserMessage>} */
  #before = new Map();
  /** @type {Set<(count: number) => void>} */
  #listeners = new Set();

  /**
   * @param {HTMLElement} list
   * @param {HTMLElement} scroller
   * @param {(replyId: string) => HTMLElement} lineOf what stands below a reply
   */
  constructor(list, scroller, lineOf) {
    this.#list = list;
    this.#lineOf = lineOf;
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

  /** @param {string} text */
  say(text) {
    const message = new UserMessage(text);
    this.#list.append(message.element);
    this.#changed();
    return message;
  }

  /** What was refused. @param {UserMessage} message */
  takeBack(message) {
    message.element.remove();
    this.#changed();
  }

  /** @param {UserMessage} message @param {string} replyId what came of it */
  answered(message, replyId) {
    this.#before.set(replyId, message);
    message.element.after(this.reply(replyId).element);
  }

  /** The reply of this id, at the end of the list if it is new. @param {string} replyId */
  reply(replyId) {
    const known = this.#replies.get(replyId);
    if (known) return known;
    const message = new ReplyMessage(replyId, () => this.#lineOf(replyId));
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
    const order = history.map((told, place) => this.#elementOf(told, history[place + 1]?.replyId));
    const rest = [...this.#list.children].filter((shown) => !order.includes(/** @type {HTMLLIElement} */ (shown)));
    const wanted = [...order, ...rest];
    // Moving an element takes the focus from it.
    if (wanted.some((element, place) => element !== this.#list.children[place])) this.#list.replaceChildren(...wanted);
    this.#changed();
  }

  /**
   * @param {Told} told
   * @param {string | undefined} answer the reply that comes after it
   */
  #elementOf(told, answer) {
    if (told.role === "user") return this.#saidBefore(told.text, answer).element;
    return told.replyId ? this.#recalled(told.replyId, told).element : new UserMessage(told.text).element;
  }

  /**
   * @param {string} text
   * @param {string | undefined} answer
   */
  #saidBefore(text, answer) {
    const known = answer === undefined ? undefined : this.#before.get(answer);
    const message = known ?? new UserMessage(text);
    if (answer !== undefined) this.#before.set(answer, message);
    return message;
  }

  /**
   * @param {string} replyId
   * @param {Told} told
   */
  #recalled(replyId, { text, heardText }) {
    const known = this.#replies.get(replyId);
    const message = known ?? new ReplyMessage(replyId, () => this.#lineOf(replyId));
    const heard = heardText === undefined ? null : placeOf(text, heardText);
    if (known) known.heardElsewhere(heard);
    else {
      message.recall(text, heard);
      this.#replies.set(replyId, message);
      this.#drawer.watch(message);
    }
    return message;
  }

  #changed() {
    for (const listener of this.#listeners) listener(this.#list.childElementCount);
  }
}
