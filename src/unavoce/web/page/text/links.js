/** Which addresses a reply may link to, and what is said of where they lead. */

const SCHEMES = new Set(["http:", "https:", "mailto:"]);

/**
 * @typedef {object} Target
 * @property {string} href as the browser will ask for it
 * @property {string} host where it leads, in ASCII; of mail the address
 */

/**
 * Where an address leads, or `null` where it is none that may be linked: only whole http, https and mailto addresses.
 * @param {string} address
 * @returns {Target | null}
 */
export function target(address) {
  if (!/^(?:https?:\/\/|mailto:)/i.test(address) || !URL.canParse(address)) return null;
  const url = new URL(address);
  if (!SCHEMES.has(url.protocol)) return null;
  return { href: url.href, host: url.protocol === "mailto:" ? url.pathname : url.host };
}

/**
 * Whether a link's words already say where it leads, so that it need not be said beside them.
 * @param {string} words
 * @param {Target} to
 */
export function saysItself(words, to) {
  const said = words.trim().toLowerCase();
  const url = new URL(to.href);
  if (url.username || url.password) return false;
  if (said === to.host.toLowerCase()) return true;
  const bare = to.href.toLowerCase().replace(/\/$/, "");
  return [bare, bare.replace(/^(?:https?:\/\/|mailto:)/, "")].includes(said.replace(/\/$/, ""));
}
