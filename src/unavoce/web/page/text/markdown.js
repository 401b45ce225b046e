/** One section of a reply as a tree: what is to be shown, and where in the section each text stands. No DOM. */

import { box, inlineTree } from "./inline.js";
import { add, leaf } from "./leaves.js";
import { defined, lexed } from "./lexing.js";
import { Cursor } from "./places.js";

/** @typedef {import("./lexing.js").Token} Token */
/** @typedef {import("./inline.js").Tree} Tree */
/** @typedef {import("./inline.js").Branch} Branch */
/** @typedef {Record<string, { href: string, title: string | null }>} Links */

/** Longer sections are shown as they are written: no chat holds such a paragraph in earnest. */
const MAX_LENGTH = 16_000;
const MAX_LINES = 1_000;
const MAX_COLUMNS = 60;
const SCROLLS = { tabindex: "0", role: "group" };

/**
 * @param {string} raw
 * @param {Links} links those defined in the whole text
 * @returns {Branch[]}
 */
export function sectionTree(raw, links) {
  if (isTooLong(raw)) return [plainTree(raw)];
  const source = readable(raw);
  return new Blocks(source).trees(lexed(source, links));
}

/**
 * The addresses that a section gives names to.
 * @param {string} raw
 * @returns {Links}
 */
export function definitions(raw) {
  const may = !isTooLong(raw) && /^[ \t>]*(?:[-*+][ \t]|\d+[.)][ \t])?[ \t>]*\[[^\]]+\]:/m.test(raw);
  return may ? defined(readable(raw)) : {};
}

/**
 * Text as it is written.
 * @param {string} raw
 * @returns {Branch}
 */
export function plainTree(raw) {
  return { name: "p", attributes: { class: "plain", dir: "auto" }, children: [whole(raw.trimEnd(), 0)] };
}

/**
 * A fenced block of code, of any length.
 * @param {string} raw
 * @returns {Branch}
 */
export function fencedTree(raw) {
  const [, indent, fence, info] = /^( {0,3})([`~]{3,})(.*)/.exec(raw) ?? ["", "", "```", ""];
  // The code of an indented fence loses the indent line by line.
  if (indent && !isTooLong(raw)) return sectionTree(raw, {})[0];
  const first = raw.indexOf("\n") + 1 || raw.length;
  const closing = new RegExp(`\n {0,3}${fence[0]}{${fence.length},}[ \t]*\\s*$`);
  const end = closing.exec(raw.slice(first - 1))?.index ?? raw.length;
  const code = raw.slice(first, Math.max(first, first - 1 + end)).replace(/\r?\n$/, "");
  return codeTree(info, whole(code, first));
}

/** @param {string} raw */
function isTooLong(raw) {
  return raw.length > MAX_LENGTH || (raw.length > MAX_LINES && raw.split("\n", MAX_LINES + 1).length > MAX_LINES);
}

/** marked takes other line ends for characters: each becomes one that it knows, of the same length. @param {string} raw */
function readable(raw) {
  return raw
    .replaceAll("\r\n", " \n")
    .replace(/[\r\u2028\u2029]/g, "\n")
    .replaceAll("\0", "\ufffd");
}

class Blocks {
  /** @param {string} source */
  constructor(source) {
    this.cursor = new Cursor(source);
    /** Of quotes and lists around. */
    this.depth = 0;
  }

  /**
   * The first letter that has a direction decides for a whole list or quote: so its marks stand on the side of its text.
   * @returns {Record<string, string>}
   */
  get #direction() {
    return this.depth === 0 ? { dir: "auto" } : {};
  }

  /** @param {Token[]} tokens @returns {Branch[]} */
  #inside(tokens) {
    this.depth += 1;
    const trees = this.trees(tokens);
    this.depth -= 1;
    return trees;
  }

  /** @param {Token[]} tokens @returns {Branch[]} */
  trees(tokens) {
    return tokens.flatMap((token) => this.#tree(token) ?? []);
  }

  /** @param {Token} token @returns {Branch | null} */
  #tree(token) {
    switch (token.type) {
      case "space":
      case "def":
      case "checkbox":
        return null;
      case "hr":
        return { name: "hr", children: [] };
      case "heading":
        return this.#heading(token);
      case "blockquote":
        return { name: "blockquote", attributes: this.#direction, children: this.#inside(token.tokens ?? []) };
      case "list":
        return this.#list(token);
      case "code":
        return this.#code(token);
      case "table":
        return this.#table(token);
      default:
        return this.#paragraph(token);
    }
  }

  /** @param {Token} token */
  #paragraph(token) {
    const places = this.cursor.lines(token.text);
    return { name: "p", attributes: this.#direction, children: inlineTree(token.tokens ?? [], places) };
  }

  /** The page has headings of its own above: a reply's begin with the third level. @param {Token} token */
  #heading(token) {
    const marked = /^ {0,3}#/.test(token.raw);
    if (marked) this.cursor.skip(/#{1,6}[ \t]*/);
    const places = marked ? this.cursor.within(token.text) : this.cursor.lines(token.text);
    const name = `h${Math.min(6, token.depth + 2)}`;
    return { name, attributes: this.#direction, children: inlineTree(token.tokens ?? [], places) };
  }

  /** @param {Token} token @returns {Branch} */
  #list(token) {
    const items = token.items.map((/** @type {Token} */ item) => this.#item(item));
    if (!token.ordered) return { name: "ul", attributes: this.#direction, children: items };
    /** @type {Record<string, string>} */
    const start = token.start === 1 ? {} : { start: String(token.start) };
    return { name: "ol", attributes: { ...start, ...this.#direction }, children: items };
  }

  /** A paragraph in an item is one in tight lists too: so nothing changes its place when a blank line comes. @param {Token} item */
  #item(item) {
    const inside = this.#inside(item.tokens ?? []);
    if (!item.task) return { name: "li", children: inside };
    return { name: "li", attributes: { class: "task" }, children: [box(item.checked), ...inside] };
  }

  /** @param {Token} token */
  #code(token) {
    if (!token.codeBlockStyle) this.cursor.skip(/[`~]{3,}.*(?:\n|$)/);
    const code = leaf();
    add(code, token.text, this.cursor.lines(token.text));
    if (!token.codeBlockStyle) this.cursor.skip(/^[ \t>]*[`~]{3,}[ \t]*(?:\n|$)/);
    return codeTree(token.lang ?? "", code);
  }

  /** @param {Token} token @returns {Branch} */
  #table(token) {
    if (token.header.length > MAX_COLUMNS) return this.#asWritten(token);
    const rows = [token.header, null, ...token.rows];
    const lines = token.raw.split("\n");
    const shown = rows.flatMap((cells, index) => this.#row(cells, lines[index] ?? "") ?? []);
    const parts = [{ name: "thead", children: shown.slice(0, 1) }];
    if (shown.length > 1) parts.push({ name: "tbody", children: shown.slice(1) });
    return {
      name: "div",
      attributes: { class: "table", "aria-label": "Table", ...SCROLLS },
      children: [{ name: "table", attributes: this.#direction, children: parts }],
    };
  }

  /** @param {Token[] | null} cells none of the line of dashes @param {string} line @returns {Branch | null} */
  #row(cells, line) {
    const [begin] = this.cursor.lines(line);
    if (!cells) return null;
    const row = new Cursor(this.cursor.source);
    row.at = begin;
    const limit = begin + line.trimEnd().length;
    return { name: "tr", children: cells.map((cell) => cellTree(cell, row, limit)) };
  }

  /** @param {Token} token */
  #asWritten(token) {
    const text = leaf();
    const raw = token.raw.trimEnd();
    add(text, raw, this.cursor.lines(raw));
    return { name: "p", attributes: { class: "plain", ...this.#direction }, children: [text] };
  }
}

/** @param {Token} cell @param {Cursor} row @param {number} limit @returns {Branch} */
function cellTree(cell, row, limit) {
  const written = cell.text.replaceAll("|", "\\|");
  const from = row.within(written, limit)[0];
  const places = row.source.startsWith(written, from) ? pipesAligned(cell.text, from) : [];
  /** @type {Record<string, string>} */
  const align = cell.align ? { class: cell.align } : {};
  const name = cell.header ? "th" : "td";
  /** @type {Record<string, string>} */
  const scope = cell.header ? { scope: "col" } : {};
  const children = inlineTree(cell.tokens ?? [], places.length ? places : Array(cell.text.length + 1).fill(from));
  return { name, attributes: { ...scope, ...align }, children };
}

/** Each pipe in a cell has a backslash before it, which is not shown. @param {string} text @param {number} from */
function pipesAligned(text, from) {
  let at = from;
  const places = text.split("").map((unit) => {
    at += unit === "|" ? 2 : 1;
    return at - 1;
  });
  return [...places, at];
}

/** @param {string} info what stands behind the fence @param {import("./leaves.js").Leaf} code @returns {Branch} */
function codeTree(info, code) {
  const language = leaf();
  language.text = info.trim().split(/\s/)[0].slice(0, 40);
  const button = {
    name: "button",
    attributes: { type: "button", class: "copy", "aria-label": "Copy code" },
    children: [],
  };
  return {
    name: "div",
    attributes: { class: "code" },
    children: [
      { name: "div", attributes: { class: "code-head" }, children: [{ name: "span", children: [language] }, button] },
      {
        name: "pre",
        attributes: { dir: "ltr", "aria-label": "Code", ...SCROLLS },
        children: [{ name: "code", children: [code] }],
      },
    ],
  };
}

/** @param {string} text @param {number} from */
function whole(text, from) {
  return { text, runs: text ? [{ at: 0, length: text.length, from, to: from + text.length }] : [] };
}
