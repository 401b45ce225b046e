/** What a browser keeps for the page, where it lets it. */

/**
 * The browser's storage of that kind, or null where it is forbidden: then even asking for it throws.
 * @param {"localStorage" | "sessionStorage"} kind
 * @returns {Storage | null}
 */
export function storageOf(kind) {
  try {
    return window[kind];
  } catch {
    return null;
  }
}

/**
 * Storage may be full, forbidden, or hold what is not ours: then nothing is remembered.
 * @template T
 * @param {() => T} act
 * @returns {T | undefined}
 */
export function attempt(act) {
  try {
    return act();
  } catch {
    return undefined;
  }
}
