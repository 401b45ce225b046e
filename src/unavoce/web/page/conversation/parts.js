/** The places in index.html that modules fill, by their `data-part`. */

/**
 * @param {string} name
 * @param {ParentNode} [within]
 * @returns {HTMLElement}
 */
export function part(name, within = document) {
  const found = within.querySelector(`[data-part="${name}"]`);
  if (!(found instanceof HTMLElement)) throw new Error(`index.html has no part "${name}".`);
  return found;
}
