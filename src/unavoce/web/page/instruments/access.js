/**
 * The server's key, and the plain HTTP routes it opens. The key is kept for this visit or for this device, and goes into
 * no address and no log.
 */
import { attempt } from "../storage.js";

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
    // Where storage is full or forbidden, the key holds until the page is left.
    attempt(() => (onDevice ? this.#device : this.#visit)?.setItem(STORED_AS, key));
  }

  forget() {
    this.#key = undefined;
    for (const storage of [this.#visit, this.#device]) attempt(() => storage?.removeItem(STORED_AS));
  }
}

/**
 * @param {Storage | null} storage
 * @returns {string | undefined}
 */
function read(storage) {
  return attempt(() => storage?.getItem(STORED_AS)) || undefined;
}

/** How long an answer is waited for. */
const PATIENCE_MS = 10_000;

/** The server wants a key, and has not been given one of its own. */
export class KeyNeeded extends Error {}

export class Api {
  #key;

  /** @param {() => string | undefined} key asked for at each request, as it may change */
  constructor(key) {
    this.#key = key;
  }

  /**
   * The answer to a GET as JSON. Throws KeyNeeded, and an Error in plain words where there is no usable answer.
   * @param {string} path
   * @returns {Promise<{ status: number, body: unknown }>}
   */
  async get(path) {
    const answer = await this.#fetch(path);
    if (answer.status === 401) throw new KeyNeeded("The server wants a key.");
    try {
      return { status: answer.status, body: await answer.json() };
    } catch {
      throw new Error("The server's answer could not be read.");
    }
  }

  /** @param {string} path */
  async #fetch(path) {
    const key = this.#key();
    const headers = key ? { Authorization: `Bearer ${key}` } : undefined;
    try {
      return await fetch(path, { headers, cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
    } catch {
      throw new Error("The server does not answer. Is it still running?");
    }
  }
}
