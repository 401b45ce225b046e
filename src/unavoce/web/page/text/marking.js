/**
 * Marks a stretch of the source in what is shown of it, with the CSS Custom Highlight API: the elements stay as they
 * are, so that neither a selection nor a screen reader is disturbed. Browsers without it mark whole blocks, by a class.
 */

import { shownAt } from "./leaves.js";

/**
 * @typedef {object} Block
 * @property {number} from of its source in the text
 * @property {number} to
 * @property {ChildNode[]} nodes
 * @property {import("./elements.js").Shown[]} shown
 */

/** @typedef {"spoken" | "unheard"} Kind */

const HAS_HIGHLIGHTS = typeof Highlight === "function" && "highlights" in CSS;
/** @type {Map<Kind, Highlight>} one for all replies of the page */
const highlights = new Map();

/** @param {Kind} kind @returns {Highlight} */
function highlight(kind) {
  let made = highlights.get(kind);
  if (!made) {
    made = new Highlight();
    made.priority = kind === "spoken" ? 2 : 1;
    highlights.set(kind, made);
    CSS.highlights.set(kind, made);
  }
  return made;
}

export class Mark {
  /** @param {Kind} kind */
  constructor(kind) {
    this.kind = kind;
    /** @type {{ from: number, to: number } | null} */
    this.place = null;
    /** @type {StaticRange | null} */
    this.range = null;
    /** @type {Element[]} */
    this.elements = [];
  }

  /**
   * Shows the mark where its place is now.
   * @param {Block[]} blocks
   */
  show(blocks) {
    this.#clear();
    if (!this.place) return;
    const { from, to } = this.place;
    if (this.#byClass) {
      // A block that was heard in part counts as heard.
      const isMarked = (/** @type {Block} */ block) => (this.kind === "unheard" ? block.from >= from : block.to > from);
      this.#showByClass(blocks.filter((block) => block.from < to && isMarked(block)));
      return;
    }
    this.range = rangeOf(blocks, from, to);
    if (this.range) put(this.range, highlight(this.kind));
  }

  /** Where colours are forced, every highlight is as loud as a selection. */
  get #byClass() {
    return !HAS_HIGHLIGHTS || (this.kind === "unheard" && matchMedia("(forced-colors: active)").matches);
  }

  /** @param {Block[]} blocks */
  #showByClass(blocks) {
    this.elements = blocks.flatMap((block) => block.nodes).filter((node) => node instanceof Element);
    for (const element of this.elements) element.classList.add(this.kind);
  }

  #clear() {
    if (this.range) highlight(this.kind).delete(this.range);
    for (const element of this.elements) element.classList.remove(this.kind);
    this.range = null;
    this.elements = [];
  }
}

/**
 * Those of replies that are no longer on the page go.
 * @param {StaticRange} range
 * @param {Highlight} into
 */
function put(range, into) {
  for (const other of into) if (!other.startContainer.isConnected) into.delete(other);
  into.add(range);
}

/**
 * What is shown of a stretch of the source, or `null` where that is nothing. Not a live range: that would end where an
 * element is moved, and it is made anew whenever the text is.
 * @param {Block[]} blocks
 * @param {number} from
 * @param {number} to
 * @returns {StaticRange | null}
 */
function rangeOf(blocks, from, to) {
  const start = spot(blocks, from, false);
  const end = spot(blocks, to, true);
  if (!start || !end || !isBefore(start, end)) return null;
  return new StaticRange({
    startContainer: start.node,
    startOffset: start.at,
    endContainer: end.node,
    endOffset: end.at,
  });
}

/** @typedef {{ node: Text, at: number }} Spot */

/** @param {Spot} start @param {Spot} end */
function isBefore(start, end) {
  if (start.node === end.node) return start.at < end.at;
  return Boolean(start.node.compareDocumentPosition(end.node) & Node.DOCUMENT_POSITION_FOLLOWING);
}

/**
 * @param {Block[]} blocks
 * @param {number} offset
 * @param {boolean} end the last place before `offset` is meant, else the first one behind it
 */
function spot(blocks, offset, end) {
  const step = end ? -1 : 1;
  for (let index = blockAt(blocks, offset); blocks[index]; index += step) {
    const { from, shown } = blocks[index];
    for (const { node, leaf } of end ? [...shown].reverse() : shown) {
      const runs = leaf.runs;
      const holds = end ? runs[0].from + from < offset : runs[runs.length - 1].to + from > offset;
      if (holds) return { node, at: shownAt(leaf, offset - from, end) };
    }
  }
  return null;
}

/** The block that holds `offset`, or the last one. @param {Block[]} blocks @param {number} offset */
function blockAt(blocks, offset) {
  let low = 0;
  let high = blocks.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (blocks[middle].to > offset) high = middle;
    else low = middle + 1;
  }
  return low;
}
