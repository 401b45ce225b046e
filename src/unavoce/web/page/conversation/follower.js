/**
 * Keeps what is new in view, and never fights the reader: whoever scrolls up stays where they are until they come back
 * to the end, press "To the end", or say something.
 */

/** So near the end counts as there. */
const NEAR_PX = 4;
/** From so far away the button is worth its place. */
const AWAY_PX = 120;

export class Follower {
  #scroller;
  #button;
  #follows = true;
  #lastTopPx = 0;

  /**
   * @param {HTMLElement} scroller
   * @param {HTMLElement} content what grows in it
   * @param {HTMLElement} button "To the end"
   */
  constructor(scroller, content, button) {
    this.#scroller = scroller;
    this.#button = button;
    // What scrolls is to be scrolled by keys too.
    scroller.tabIndex = 0;
    scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    button.addEventListener("click", () => this.toEnd());
    const grown = new ResizeObserver(() => this.#grew());
    grown.observe(content);
    grown.observe(scroller);
  }

  /** Go to the end, and stay there. */
  toEnd() {
    this.#follows = true;
    this.#grew();
  }

  get #leftPx() {
    const { scrollHeight, clientHeight, scrollTop } = this.#scroller;
    return scrollHeight - clientHeight - scrollTop;
  }

  #grew() {
    if (this.#follows) {
      this.#scroller.scrollTop = this.#scroller.scrollHeight;
      this.#lastTopPx = this.#scroller.scrollTop;
    }
    this.#showButton();
  }

  #scrolled() {
    const { scrollTop } = this.#scroller;
    if (this.#leftPx <= NEAR_PX) this.#follows = true;
    else if (scrollTop < this.#lastTopPx) this.#follows = false;
    this.#lastTopPx = scrollTop;
    this.#showButton();
  }

  #showButton() {
    this.#button.hidden = this.#follows || this.#leftPx < AWAY_PX;
  }
}
