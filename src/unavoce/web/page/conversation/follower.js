/**
 * Keeps in view what is new: the sentence that is heard, or without a voice the end of the text. It never fights the
 * reader: whoever scrolls stays where they are until they come back to the end, press "To the end", or say something.
 */

/** So near the end counts as there. */
const NEAR_PX = 4;
/** From so far away the button is worth its place. */
const AWAY_PX = 120;
/** Where the sentence that is heard is kept, as a share of what is seen. */
const EYE_LEVEL = 0.3;
const GLIDE_MS = 1_000;

export class Follower {
  #scroller;
  #button;
  /** `voice`: the voice where there is one; `end`: the end of the text; `nothing`: the reader reads. @type {"voice" | "end" | "nothing"} */
  #follows = "voice";
  /** Where the sentence that is heard stands. @type {(() => Range | null) | null} */
  #spoken = null;
  #setPx = 0;
  #glidesUntilMs = 0;
  #calm = matchMedia("(prefers-reduced-motion: reduce)");

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
    for (const hand of ["wheel", "touchmove", "pointerdown", "keydown"])
      scroller.addEventListener(hand, () => this.#taken(), { passive: true });
    button.addEventListener("click", () => {
      // The button goes; the focus stays with what it moved.
      scroller.focus({ preventScroll: true });
      this.#go("end");
    });
    const grown = new ResizeObserver(() => this.#show(false));
    grown.observe(content);
    grown.observe(scroller);
    this.#go("voice");
  }

  /** The person has said something, and wants to follow what comes. */
  follow() {
    this.#spoken = null;
    this.#go("voice");
  }

  /** @param {(() => Range | null) | null} spoken where the sentence that is heard stands; null: none is any more */
  voice(spoken) {
    this.#spoken = spoken;
    // Where it was silenced is where the reader wants to go on.
    if (!spoken && this.#follows === "voice" && this.#leftPx > NEAR_PX) this.#follow("nothing");
    // The mark is drawn with the next frame.
    else if (spoken) requestAnimationFrame(() => this.#show(true));
  }

  get #leftPx() {
    const { scrollHeight, clientHeight, scrollTop } = this.#scroller;
    return scrollHeight - clientHeight - scrollTop;
  }

  get #wantedPx() {
    const { scrollHeight, clientHeight, scrollTop } = this.#scroller;
    const endPx = Math.max(0, scrollHeight - clientHeight);
    const spoken = this.#follows === "voice" ? this.#spoken?.()?.getBoundingClientRect() : null;
    if (!spoken?.height) return endPx;
    const heardPx = spoken.top - this.#scroller.getBoundingClientRect().top + scrollTop;
    return Math.max(0, Math.min(endPx, Math.round(heardPx - clientHeight * EYE_LEVEL)));
  }

  /** @param {"voice" | "end" | "nothing"} what */
  #follow(what) {
    this.#follows = what;
    // The browser keeps what is read where it is, when something above it changes its height; otherwise this does.
    this.#scroller.style.setProperty("overflow-anchor", what === "nothing" ? "auto" : "none");
  }

  /** @param {"voice" | "end"} what */
  #go(what) {
    this.#follow(what);
    this.#show(false);
  }

  /** @param {boolean} gently the eye is to follow, where much moves at once */
  #show(gently) {
    if (this.#follows !== "nothing") this.#scrollTo(this.#wantedPx, gently);
    this.#button.hidden = this.#leftPx < AWAY_PX;
  }

  /**
   * @param {number} px
   * @param {boolean} gently
   */
  #scrollTo(px, gently) {
    const glides = performance.now() < this.#glidesUntilMs;
    if (glides && px === this.#setPx) return;
    this.#setPx = px;
    const gliding = (gently || glides) && !this.#calm.matches && Math.abs(px - this.#scroller.scrollTop) > NEAR_PX;
    this.#glidesUntilMs = gliding ? performance.now() + GLIDE_MS : 0;
    this.#scroller.scrollTo({ top: px, behavior: gliding ? "smooth" : "instant" });
  }

  /** The reader has a hand on it. */
  #taken() {
    this.#glidesUntilMs = 0;
  }

  #scrolled() {
    const moved = Math.abs(this.#scroller.scrollTop - this.#setPx) > 1;
    if (!moved) this.#glidesUntilMs = 0;
    else if (performance.now() >= this.#glidesUntilMs) this.#read();
    this.#button.hidden = this.#leftPx < AWAY_PX;
  }

  /** Somebody else than this has scrolled. */
  #read() {
    this.#setPx = this.#scroller.scrollTop;
    if (this.#leftPx > NEAR_PX) this.#follow("nothing");
    else if (this.#follows === "nothing") this.#follow("end");
  }
}
