/** The blocks of a growing text in the page: only those whose source has changed are read and drawn again. */

import { patched } from "./elements.js";
import { closers } from "./held-back.js";
import { definitions, fencedTree, plainTree, sectionTree } from "./markdown.js";
import { Sections } from "./sections.js";

/** @typedef {import("./markdown.js").Links} Links */
/** @typedef {import("./inline.js").Branch} Branch */

/** Addresses that links by name may have; more are not looked up outside their own section. */
const MAX_LINKS = 100;
/** Sections that are drawn in one go: a few milliseconds' worth. */
const MAX_AT_ONCE = 300;

/**
 * @typedef {object} Drawn
 * @property {number} from
 * @property {number} to
 * @property {string} raw
 * @property {boolean} fenced
 * @property {string} ending what was read behind it as if it were there, while more may come
 * @property {ChildNode[]} nodes
 * @property {Element} parent of the nodes: the list where the section is an item of one
 * @property {string} list which kind of list the section is an item of, or ""
 * @property {import("./elements.js").Shown[]} shown
 */

export class Blocks {
  #text = "";
  #sections = new Sections();
  /** @type {Drawn[]} */
  #drawn = [];
  /** @type {Links} */
  #links = Object.create(null);
  /** How many sections have been asked for addresses. */
  #asked = 0;

  /** @param {Element} element */
  constructor(element) {
    this.element = element;
  }

  get drawn() {
    return this.#drawn;
  }

  /**
   * @param {string} text
   * @param {boolean} complete nothing will follow
   * @returns {boolean} whether all is drawn; else the same is to be asked again, in the next frame
   */
  show(text, complete) {
    if (!text.startsWith(this.#text)) this.clear();
    this.#text = text;
    const sections = this.#sections.of(text);
    this.#dropFrom(sections.length);
    const all = this.#drawSome(sections, complete);
    const settled = complete ? sections.length : this.#sections.known.length - 1;
    this.#learn(Math.min(settled, this.#drawn.length));
    return all;
  }

  /**
   * Draws what has changed, up to a bound.
   * @param {import("./sections.js").Section[]} sections
   * @param {boolean} complete
   */
  #drawSome(sections, complete) {
    let left = MAX_AT_ONCE;
    for (const [index, section] of sections.entries()) {
      const isOpen = !complete && index === sections.length - 1;
      if (!isOpen && isSame(this.#drawn[index], section)) continue;
      if (left === 0) return false;
      left -= 1;
      this.#draw(index, section, isOpen);
    }
    return true;
  }

  clear() {
    this.element.replaceChildren();
    this.#text = "";
    this.#sections = new Sections();
    this.#drawn = [];
    this.#links = Object.create(null);
    this.#asked = 0;
  }

  /** @param {Drawn} block @param {Links} fresh */
  #collect(block, fresh) {
    if (block.fenced) return;
    for (const [name, link] of Object.entries(definitions(block.raw))) {
      const known = Object.keys(this.#links).length + Object.keys(fresh).length;
      if (known < MAX_LINKS && !Object.hasOwn(this.#links, name) && !Object.hasOwn(fresh, name)) fresh[name] = link;
    }
  }

  /** @param {number} index @param {import("./sections.js").Section} section @param {boolean} isOpen */
  #draw(index, { from, to, fenced }, isOpen) {
    const raw = this.#text.slice(from, to);
    const ending = isOpen && !fenced ? closers(raw.trimEnd()) : "";
    const trees = treesOf(ending ? raw.trimEnd() + ending : raw, fenced, this.#links);
    const list = listKind(raw, trees);
    const previous = this.#drawn[index - 1];
    const joins = list !== "" && previous?.list === list;
    /** @type {Drawn | undefined} */
    let old = this.#drawn[index];
    if (old && (old.list !== list || (joins && old.parent !== previous.parent))) {
      this.#dropFrom(index);
      old = undefined;
    }
    this.#drawn[index] = this.#inPlace(
      { from, to, fenced, ending, raw, list },
      trees,
      joins ? previous.parent : null,
      old,
    );
  }

  /**
   * @param {Omit<Drawn, "nodes" | "parent" | "shown">} source
   * @param {Branch[]} trees
   * @param {Element | null} joined the list that the section is a further item of
   * @param {Drawn | undefined} old
   * @returns {Drawn}
   */
  #inPlace(source, trees, joined, old) {
    /** @type {import("./elements.js").Shown[]} */
    const shown = [];
    const next = old?.nodes.at(-1)?.nextSibling ?? null;
    if (!source.list) {
      const nodes = patched(this.element, old?.nodes ?? [], trees, next, shown);
      return { ...source, nodes, parent: this.element, shown };
    }
    const list = joined ?? old?.parent ?? this.#newList(trees[0]);
    const items = /** @type {Branch[]} */ (trees[0].children);
    return { ...source, nodes: patched(list, old?.nodes ?? [], items, next, shown), parent: list, shown };
  }

  /** @param {Branch} tree */
  #newList(tree) {
    const [list] = patched(this.element, [], [{ ...tree, children: [] }], null, []);
    return /** @type {Element} */ (list);
  }

  /** @param {number} index */
  #dropFrom(index) {
    for (const { nodes, parent } of this.#drawn.splice(index)) {
      for (const node of nodes) node.remove();
      if (parent !== this.element && !parent.hasChildNodes()) parent.remove();
    }
  }

  /**
   * Takes in the addresses that the sections before `end` give names to, and draws anew what mentions one of them.
   * @param {number} end
   */
  #learn(end) {
    /** @type {Links} */
    const fresh = Object.create(null);
    for (; this.#asked < end; this.#asked += 1) this.#collect(this.#drawn[this.#asked], fresh);
    const names = Object.keys(fresh);
    if (names.length === 0) return;
    Object.assign(this.#links, fresh);
    this.#drawn.forEach((block, index) => {
      if (mentions(block.raw, names)) this.#draw(index, block, block.ending !== "");
    });
  }
}

/** @param {Drawn | undefined} old @param {import("./sections.js").Section} section */
function isSame(old, { from, to, fenced }) {
  return old !== undefined && old.from === from && old.to === to && old.fenced === fenced && old.ending === "";
}

/**
 * A section that cannot be read is shown as it is written, and the fault is told as one that nobody has caught.
 * @param {string} raw
 * @param {boolean} fenced
 * @param {Links} links
 */
function treesOf(raw, fenced, links) {
  try {
    return fenced ? [fencedTree(raw)] : sectionTree(raw, links);
  } catch (error) {
    reportError(error);
    return [plainTree(raw)];
  }
}

/**
 * Which kind of list a section is an item of; items of one kind that follow each other are one list.
 * @param {string} raw
 * @param {Branch[]} trees
 */
function listKind(raw, trees) {
  if (trees.length !== 1 || !["ul", "ol"].includes(trees[0].name)) return "";
  return `${trees[0].name} ${/^\s*\d*(\S)/.exec(raw)?.[1]}`;
}

/**
 * @param {string} raw
 * @param {string[]} names as marked folds them
 */
function mentions(raw, names) {
  if (!raw.includes("[")) return false;
  const folded = raw
    .toLowerCase()
    .replace(/[\s>]+/g, " ")
    .replaceAll("[ ", "[");
  return names.some((name) => folded.includes(`[${name}`));
}
