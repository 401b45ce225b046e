/** marked's lexer with bounds: what it would read too long or too deep stays the plain text that it is. */

import { Lexer, Tokenizer } from "../../vendor/marked.esm.js";

/** @typedef {{ type: string, raw: string, text: string, tokens?: Token[], [more: string]: any }} Token */

/** Quotes and lists in each other. */
const MAX_DEPTH = 10;
/** marked's time grows with length times special characters; so much of it is a few milliseconds. */
const MAX_COST = 1_000_000;
const MAX_SECTION_COST = 3_000_000;
/** Longer runs of blanks make some of its expressions look back again and again. */
const LONG_GAP = /[ \t]{200}/;
const SPECIAL = /[\\<>![\]`*~_@&]|https?:|www\./g;

/** HTML is never read as such: `tag` and `html` find nothing, and what looks like it is text. */
class PlainTokenizer extends Tokenizer {
  html() {
    return undefined;
  }

  tag() {
    return undefined;
  }
}

class BoundedLexer extends Lexer {
  /** @param {Record<string, { href: string, title: string | null }>} links */
  constructor(links) {
    super({ gfm: true, breaks: true, tokenizer: new PlainTokenizer() });
    /** @type {Record<string, { href: string, title: string | null }>} */
    this.links = /** @type {any} */ (this.tokens).links;
    Object.assign(this.links, links);
    this.depth = 0;
    this.spent = 0;
  }

  /** @param {string} source @returns {Token[]} */
  tokensOf(source) {
    this.blockTokens(source, this.tokens);
    for (const { src, tokens } of this.inlineQueue) {
      if (this.affords(src)) this.inlineTokens(src, tokens);
      else tokens.push(plain(src));
    }
    return [...this.tokens];
  }

  /** @param {string} source @param {Token[]} [tokens] @param {boolean} [cut] */
  blockTokens(source, tokens = [], cut = false) {
    this.depth += 1;
    try {
      if (this.depth <= MAX_DEPTH) return super.blockTokens(source, tokens, cut);
      tokens.push({ type: "text", raw: source, text: source, tokens: [plain(source)] });
      return tokens;
    } finally {
      this.depth -= 1;
    }
  }

  /** @param {string} text */
  affords(text) {
    const cost = text.length * (text.match(SPECIAL)?.length ?? 0);
    if (cost > MAX_COST || LONG_GAP.test(text)) return false;
    this.spent += cost;
    return this.spent <= MAX_SECTION_COST;
  }
}

/**
 * The tokens of one section.
 * @param {string} source lines end in `\n`
 * @param {Record<string, { href: string, title: string | null }>} links those defined elsewhere in the text
 */
export function lexed(source, links) {
  return new BoundedLexer(links).tokensOf(source);
}

/**
 * The addresses that one section gives names to.
 * @param {string} source
 * @returns {Record<string, { href: string, title: string | null }>}
 */
export function defined(source) {
  const lexer = new BoundedLexer({});
  lexer.blockTokens(source, lexer.tokens);
  return lexer.links;
}

/** @param {string} text @returns {Token} */
function plain(text) {
  return { type: "plain", raw: text, text };
}
