/** Markdown made by chance, the same for the same number: whole pieces as models write them, and what makes trouble. */

const PIECES = [
  "Some plain words here, and more. ",
  "It's *very* good. ",
  "**Bold words** then _soft_ ones. ",
  "a ",
  "a\n",
  "the same word the same word\n",
  "\n\n",
  "\n",
  "- an item\n",
  "- an item with `code`\n  and a second line\n",
  "  - a nested item **b**\n",
  "    1. deeper\n",
  "1. first\n2. second\n",
  "1) one\n",
  "7. seven\n\n   its second paragraph\n",
  "* star\n",
  "+ plus\n",
  "- [x] done\n- [ ] to do\n",
  "# A heading\n",
  "## A *heading* ##\n",
  "Under it\n========\n",
  "Under\n---\n",
  "---\n",
  "***\n",
  "> quoted words\n> go on\n",
  "> > deep\nlazy line\n",
  "> - item in a quote\n>   more\n",
  "```js\nconst a = `b`;\n\n# no heading\n```\n",
  "```\nopen\n",
  "~~~\n```\n~~~\n",
  "- item\n  ```\n  code\n  ```\n",
  "    indented code\n\n    more of it\n",
  "| a | b |\n|---|:-:|\n| 1 | *2* |\n| x \\| y | `z` |\n",
  "|a|\n|-|\n",
  "[words](https://example.com/a_b) ",
  "[words][ref] and [ref] ",
  "\n\n[ref]: https://example.org/ 'title'\n\n",
  "[Ref]: https://second.example/\n",
  "![picture](https://example.com/i.png) ",
  "<https://example.com> https://example.org/x_y_z. www.example.com ",
  "AT&amp;T &copy; &#8212; &nosuch; &amp ",
  "\\*not soft\\* and \\\\ ",
  "<b>not bold</b> <br> ",
  "~~gone~~ ~kept ",
  "`` co`de `` ",
  "***both*** **a *b* c** ",
  "*open ",
  "**open ",
  "`open ",
  "[open ",
  "[open](https://exa",
  "two spaces  \nnext\n",
  "backslash\\\nnext\n",
  "\t",
  "    ",
  "  ",
  "> ",
  "- ",
  "1. ",
  "🙂 naïve 日本語 שלום ",
  "\u202eturned ",
  "=",
  "-",
  "|",
  "*",
  "_",
  "`",
  "]",
  "(",
  "\r\n",
  "&",
  "<",
];

const WHOLE_BLOCKS = [
  "Some *plain* words [here](https://example.com), and more.\nA second line.",
  "# A heading",
  "Under it\n========",
  "Under\nthat\n---",
  "---",
  "***",
  "- an item\n- **another**\n  - nested\n    more of it\n- third",
  "- loose\n\n- items\n\n  of two paragraphs",
  "1. first\n2. second\n   - inside",
  "3) third\n4) fourth",
  "- [x] done\n- [ ] to do",
  "- with code:\n  ```js\n  a\n\n  b\n  ```\n- next",
  "> quoted words\n> go on\n> > deeper",
  "> - item in a quote\n>   more",
  "```js\nconst a = `b`;\n\n# no heading\n- no item\n```",
  "~~~\n```\n~~~",
  "  ```\n  indented fence\n  ```",
  "    indented code\n\n    more of it",
  "| a | b |\n|---|:-:|\n| 1 | *2* |\n| x \\| y | `z` |",
  "[ref]: https://example.org/ 'title'",
  "words with a [ref] and [words][ref]",
  "<div>\nnot an element\n</div>",
  "A line:\n- and items at once\n- under it",
  "A line:\n1. and numbers\n2. under it\nlazily gone on",
];

/** Whole blocks with blank lines between them, as models mostly write. @param {number} seed */
export function tidySample(seed) {
  const chance = chances(seed);
  const count = 1 + Math.floor(chance() * 8);
  return Array.from({ length: count }, () => WHOLE_BLOCKS[Math.floor(chance() * WHOLE_BLOCKS.length)]).join("\n\n");
}

/** Numbers from 0 to 1 (mulberry32). @param {number} seed */
export function chances(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** @param {number} seed */
export function sample(seed) {
  const chance = chances(seed);
  const count = 1 + Math.floor(chance() * 14);
  return Array.from({ length: count }, () => PIECES[Math.floor(chance() * PIECES.length)]).join("");
}

/** The beginnings of a text as it grows, the last of them the whole. @param {string} text @param {number} seed */
export function growing(text, seed) {
  const chance = chances(seed);
  const most = 1 + Math.floor(chance() * 12);
  const beginnings = [];
  for (let length = 0; length < text.length; ) {
    length = Math.min(text.length, length + 1 + Math.floor(chance() * most));
    beginnings.push(text.slice(0, length));
  }
  return beginnings;
}
