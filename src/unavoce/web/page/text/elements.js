/**
 * A tree becomes elements, and elements that are there become like a newer tree, with as little change as can be: a text
 * that has grown is lengthened, so that what a person has selected stays selected.
 *
 * Every element and attribute of a reply is made here, and none that is not in the list.
 */

import { target } from "./links.js";

/** @typedef {import("./inline.js").Tree} Tree */
/** @typedef {import("./inline.js").Branch} Branch */
/** @typedef {{ node: Text, leaf: import("./leaves.js").Leaf }} Shown */

/** @type {Record<string, string[]>} */
const ALLOWED = {
  a: ["class", "data-host", "href", "rel", "target", "title"],
  blockquote: ["dir"],
  button: ["aria-label", "class", "type"],
  code: ["dir"],
  del: [],
  div: ["aria-label", "class", "role", "tabindex"],
  em: [],
  h3: ["dir"],
  h4: ["dir"],
  h5: ["dir"],
  h6: ["dir"],
  hr: [],
  li: ["class"],
  ol: ["dir", "start"],
  p: ["class", "dir"],
  pre: ["aria-label", "dir", "role", "tabindex"],
  span: ["aria-label", "class", "role"],
  strong: [],
  table: ["dir"],
  tbody: [],
  td: ["class"],
  th: ["class", "scope"],
  thead: [],
  tr: [],
  ul: ["dir"],
};

/**
 * Makes `nodes`, neighbours in `parent`, show `trees`; what is new stands before `next`.
 * @param {Element} parent
 * @param {ChildNode[]} nodes
 * @param {Tree[]} trees
 * @param {ChildNode | null} next
 * @param {Shown[]} shown takes in each text of the source that is shown
 * @returns {ChildNode[]} those that show the trees now
 */
export function patched(parent, nodes, trees, next, shown) {
  for (const node of nodes.slice(trees.length)) node.remove();
  return trees.map((tree, index) => {
    const old = nodes[index];
    if (old && fits(old, tree)) return renewed(old, tree, shown);
    const made = renewed(created(tree), tree, shown);
    if (old) old.replaceWith(made);
    else parent.insertBefore(made, next);
    return made;
  });
}

/** @param {ChildNode} node @param {Tree} tree */
function fits(node, tree) {
  return "runs" in tree ? node instanceof Text : node instanceof HTMLElement && node.localName === tree.name;
}

/** @param {Tree} tree @returns {ChildNode} */
function created(tree) {
  if ("runs" in tree) return document.createTextNode("");
  if (!Object.hasOwn(ALLOWED, tree.name)) throw new TypeError(`No reply holds an element ${tree.name}`);
  return document.createElement(tree.name);
}

/** @param {ChildNode} node @param {Tree} tree @param {Shown[]} shown */
function renewed(node, tree, shown) {
  if ("runs" in tree) {
    const text = /** @type {Text} */ (node);
    write(text, tree.text);
    if (tree.runs.length) shown.push({ node: text, leaf: tree });
  } else if (tree.name !== "button" || !node.isConnected) {
    const element = /** @type {HTMLElement} */ (node);
    describe(element, tree);
    patched(element, [...element.childNodes], tree.children, null, shown);
  }
  return node;
}

/** @param {Text} node @param {string} text */
function write(node, text) {
  const old = node.data;
  if (old === text) return;
  let same = text.startsWith(old) ? old.length : 0;
  if (same === 0) while (same < old.length && old[same] === text[same]) same += 1;
  node.replaceData(same, old.length - same, text.slice(same));
}

/** @param {HTMLElement} element @param {Branch} tree */
function describe(element, tree) {
  const attributes = tree.attributes ?? {};
  for (const name of element.getAttributeNames()) {
    if (!Object.hasOwn(attributes, name)) element.removeAttribute(name);
  }
  for (const [name, value] of Object.entries(attributes)) {
    if (!ALLOWED[tree.name].includes(name)) throw new TypeError(`No reply holds an attribute ${tree.name} ${name}`);
    if (name === "href" && target(value)?.href !== value) throw new TypeError("No reply links to such an address");
    if (element.getAttribute(name) !== value) element.setAttribute(name, value);
  }
}
