/** The server's key: for this visit, or for this device. It goes into no address and no log. */

const STORED_AS = "unavoce.key";

export class KeyStore {
  #visit;
  #device;
  /** @type {string | undefined} */
  #key;

  /**
   * @param {Storage | null} visit
   * @param {Storage | null} device
   */
  constructor(visit, device) {
    this.#visit = visit;
    this.#device = device;
    this.#key = read(visit) ?? read(device);
  }

  /** @returns {string | undefined} */
  get key() {
    return this.#key;
  }

  get isRemembered() {
    return read(this.#device) !== undefined;
  }

  /**
   * @param {string} key
   * @param {boolean} onDevice
   */
  keep(key, onDevice) {
    this.forget();
    this.#key = key;
    try {
      (onDevice ? this.#device : this.#visit)?.setItem(STORED_AS, key);
    } catch {
      // Storage is full or forbidden: the key holds until the page is left.
    }
  }

  forget() {
    this.#key = undefined;
    for (const storage of [this.#visit, this.#device]) {
      try {
        storage?.removeItem(STORED_AS);
      } catch {
        // Then it was not kept there either.
      }
    }
  }
}

/**
 * @param {Storage | null} storage
 * @returns {string | undefined}
 */
function read(storage) {
  try {
    return storage?.getItem(STORED_AS) || undefined;
  } catch {
    return undefined;
  }
}
