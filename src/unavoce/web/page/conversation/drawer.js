/** Has messages of before drawn as they come near to what is seen: a thousand at once would hold up the page. */

const NEAR = "150% 0px";

/** @typedef {{ element: HTMLElement, draw: () => void }} Drawable */

export class Drawer {
  /** @type {Map<Element, Drawable>} */
  #waiting = new Map();
  #observer;

  /** @param {HTMLElement} scroller */
  constructor(scroller) {
    this.#observer = new IntersectionObserver((entries) => this.#seen(entries), { root: scroller, rootMargin: NEAR });
  }

  /** @param {Drawable} message */
  watch(message) {
    this.#waiting.set(message.element, message);
    this.#observer.observe(message.element);
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #seen(entries) {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      this.#observer.unobserve(target);
      this.#waiting.get(target)?.draw();
      this.#waiting.delete(target);
    }
  }
}
