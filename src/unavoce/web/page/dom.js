/** Elements in one expression. Text goes in as text: nothing here reads markup. */

/** @typedef {Record<string, string | number | boolean | null | undefined>} Attributes */

/**
 * An HTML element. An attribute that is `false`, `null` or `undefined` is left out; `true` is one without a value.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} name
 * @param {Attributes} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/**
 * An SVG element, likewise.
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} name
 * @param {Attributes} [attributes]
 * @param {...(Node | string)} children
 * @returns {SVGElementTagNameMap[K]}
 */
export function svg(name, attributes = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

/**
 * Sets the text only where it differs, so that a screen reader is not told the same again.
 * @param {Element} target
 * @param {string} text
 */
export function say(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/**
 * @template {Element} E
 * @param {E} target
 * @param {Attributes} attributes
 * @param {(Node | string)[]} children
 * @returns {E}
 */
function filled(target, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    target.setAttribute(name, value === true ? "" : String(value));
  }
  target.append(...children);
  return target;
}
