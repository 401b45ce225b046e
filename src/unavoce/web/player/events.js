// Named events and who listens to them.

/**
 * A listener that throws does not keep the others, or the player, from going on: its error comes up as an uncaught one.
 * @template {{ [name: string]: any }} Events the payload of each event, by name
 */
export class Emitter {
  /** @type {Map<keyof Events, Set<(payload: any) => void>>} */
  #listeners = new Map();

  /**
   * @template {keyof Events} Name
   * @param {Name} name
   * @param {(payload: Events[Name]) => void} listener
   * @returns {() => void} takes the listener away again
   */
  on(name, listener) {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    // One of its own, so that a function that listens twice is called twice and taken away once.
    const own = (/** @type {Events[Name]} */ payload) => listener(payload);
    listeners.add(own);
    return () => void listeners.delete(own);
  }

  /**
   * @template {keyof Events} Name
   * @param {Name} name
   * @param {Events[Name]} payload
   */
  emit(name, payload) {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      try {
        listener(payload);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  clear() {
    this.#listeners.clear();
  }
}
