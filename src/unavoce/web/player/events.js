// Named events and who listens to them.

/** @template {object} Events the payload of each event, by name */
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
    this.#listeners.set(name, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  /** @template {keyof Events} Name @param {Name} name @param {Events[Name]} payload */
  emit(name, payload) {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      try {
        listener(payload);
      } catch (error) {
        // One that throws does not keep the others, or the player, from going on. It comes up as an uncaught error.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
