/**
 * What is kept over a reload: which session this is, and in this tab alone, where its listener was.
 *
 * The session is remembered for this tab first, so that two tabs may be in different ones, and for the browser, so that
 * a new tab comes to the session that was begun last. The resume point is written as the page is left and taken away as
 * it is loaded: a duplicated tab gets a copy of the session storage, but never of a resume point, and stays silent.
 */
import { attempt } from "../storage.js";

const SESSION = "unavoce.session";
const RESUME = "unavoce.resume";

export class SessionMemory {
  #tab;
  #browser;
  #forgotten = false;

  /**
   * @param {Pick<Storage, "getItem" | "setItem" | "removeItem"> | null} tab null where the browser allows none
   * @param {Pick<Storage, "getItem" | "setItem" | "removeItem"> | null} browser likewise
   */
  constructor(tab, browser) {
    this.#tab = tab;
    this.#browser = browser;
  }

  /** @returns {string | undefined} */
  get sessionId() {
    return attempt(() => this.#tab?.getItem(SESSION)) ?? attempt(() => this.#browser?.getItem(SESSION)) ?? undefined;
  }

  /** @param {string} sessionId */
  remember(sessionId) {
    this.#forgotten = false;
    attempt(() => this.#tab?.setItem(SESSION, sessionId));
    attempt(() => this.#browser?.setItem(SESSION, sessionId));
  }

  /** The session is over, or is left: nothing leads back to it. A later one of another tab is not touched. */
  forget() {
    const sessionId = this.sessionId;
    this.#forgotten = true;
    attempt(() => this.#tab?.removeItem(SESSION));
    attempt(() => this.#tab?.removeItem(RESUME));
    attempt(() => this.#browser?.getItem(SESSION) === sessionId && this.#browser?.removeItem(SESSION));
  }

  /** @param {unknown} point as `conversation.resumePoint()` gives it, when the page is left */
  leave(point) {
    if (!this.#forgotten) attempt(() => this.#tab?.setItem(RESUME, JSON.stringify(point)));
  }

  /**
   * The resume point, once.
   * @returns {unknown}
   */
  takeResumePoint() {
    const stored = attempt(() => this.#tab?.getItem(RESUME));
    attempt(() => this.#tab?.removeItem(RESUME));
    return attempt(() => JSON.parse(stored ?? "null")) ?? undefined;
  }
}
