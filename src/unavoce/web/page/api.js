/** The server's plain HTTP routes, with the key where one is needed. */

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
