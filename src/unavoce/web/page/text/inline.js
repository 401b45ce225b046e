/** What stands inside a paragraph, a heading or a cell: marked's tokens become a tree of our own. */

import { add, addDecoded, addRun, leaf } from "./leaves.js";
import { saysItself, target } from "./links.js";
import { aligned } from "./places.js";

/** @typedef {import("./lexing.js").Token} Token */
/** @typedef {import("./leaves.js").Leaf} Leaf */
/** @typedef {import("./places.js").Places} Places */
/** @typedef {{ name: string, attributes?: Record<string, string>, children: Tree[] }} Branch */
/** @typedef {Branch | Leaf} Tree */

/** Deeper than anybody means it, the source is shown. */
const MAX_DEPTH = 20;
const WRAPPERS = new Map([
  ["strong", "strong"],
  ["em", "em"],
  ["del", "del"],
]);

/**
 * @param {Token[]} tokens their raw texts, one after the other, are what the places belong to
 * @param {Places} places
 * @returns {Tree[]}
 */
export function inlineTree(tokens, places) {
  const builder = new Builder(0);
  builder.take(tokens, places);
  return builder.children;
}

class Builder {
  /** @param {number} depth */
  constructor(depth) {
    this.depth = depth;
    /** @type {Tree[]} */
    this.children = [];
  }

  /** @param {Token[]} tokens @param {Places} places */
  take(tokens, places) {
    let at = 0;
    for (const token of tokens) {
      const end = at + token.raw.length;
      this.#token(token, places.slice(at, end + 1));
      at = end;
    }
  }

  /** @param {Token} token @param {Places} places those of its raw text */
  #token(token, places) {
    const name = WRAPPERS.get(token.type);
    if (this.depth >= MAX_DEPTH) add(this.#text(), token.raw, places);
    else if (name) this.#wrapped(token, places, name);
    else if (token.type === "link") this.#link(token, places);
    else if (token.type === "image") this.#image(token, places);
    else this.#words(token, places);
  }

  /** @param {Token} token @param {Places} places */
  #words(token, places) {
    if (token.type === "codespan") this.#code(token, places);
    else if (token.type === "escape") add(this.#text(), token.raw.slice(1), places.slice(1));
    else if (token.type === "br") addRun(this.#text(), "\n", places[0], places[token.raw.length - 1] + 1);
    else if (token.type === "checkbox") return;
    else if (token.type === "plain") add(this.#text(), token.raw, places);
    else addDecoded(this.#text(), token.raw, places);
  }

  /** The leaf that text goes to: neighbouring texts are one. @returns {Leaf} */
  #text() {
    const last = this.children.at(-1);
    if (last && "runs" in last) return last;
    const fresh = leaf();
    this.children.push(fresh);
    return fresh;
  }

  /** @param {Token} token @param {Places} places @param {string} name */
  #wrapped(token, places, name) {
    const mark = (token.raw.length - token.text.length) / 2;
    this.children.push({ name, children: this.#inside(token, places.slice(mark)) });
  }

  /** @param {Token} token @param {Places} places those of its text */
  #inside(token, places) {
    const inner = new Builder(this.depth + 1);
    inner.take(token.tokens ?? [], places);
    return inner.children;
  }

  /** @param {Token} token @param {Places} places */
  #code(token, places) {
    const ticks = token.raw.length - token.raw.replace(/^`+/, "").length;
    const trimmed = token.raw.length - token.text.length > 2 * ticks ? 1 : 0;
    const inner = leaf();
    add(inner, token.text, places.slice(ticks + trimmed));
    this.children.push({ name: "code", attributes: { dir: "ltr" }, children: [inner] });
  }

  /** @param {Token} token @param {Places} places */
  #link(token, places) {
    const to = target(token.href);
    if (!to) {
      addDecoded(this.#text(), token.raw, places);
      return;
    }
    const label = labelPlaces(token, places);
    this.children.push({ name: "a", attributes: linkAttributes(token.text, to), children: this.#inside(token, label) });
  }

  /** Nothing is fetched: a picture is a link to it, called by its description. @param {Token} token @param {Places} places */
  #image(token, places) {
    const to = target(token.href);
    if (!to) {
      addDecoded(this.#text(), token.raw, places);
      return;
    }
    const inner = leaf();
    if (token.text) addDecoded(inner, token.text, labelPlaces(token, places));
    else addRun(inner, "picture", places[0], places[0] + token.raw.length);
    this.children.push({ name: "a", attributes: { class: "picture", ...linkAttributes("", to) }, children: [inner] });
  }
}

/** @param {Token} token @param {Places} places @returns {Places} */
function labelPlaces(token, places) {
  const inRaw = aligned(token.text, token.raw, /^(?:!\[|\[|<)?/.exec(token.raw)?.[0].length ?? 0);
  return inRaw.map((index) => places[Math.min(index, places.length - 1)]);
}

/**
 * @param {string} words
 * @param {import("./links.js").Target} to
 * @returns {Record<string, string>}
 */
function linkAttributes(words, to) {
  /** @type {Record<string, string>} */
  const host = saysItself(words, to) ? {} : { "data-host": to.host };
  return { href: to.href, rel: "noopener noreferrer nofollow", target: "_blank", title: to.href, ...host };
}

/** @param {boolean} checked @returns {Branch} */
export function box(checked) {
  const state = checked ? "done" : "to do";
  return {
    name: "span",
    attributes: { class: `box ${checked ? "checked" : "open"}`, role: "img", "aria-label": state },
    children: [],
  };
}
