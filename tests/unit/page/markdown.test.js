import assert from "node:assert/strict";
import { test } from "node:test";
import { shownAt } from "../../../src/unavoce/web/page/text/leaves.js";
import { definitions, fencedTree, plainTree, sectionTree } from "../../../src/unavoce/web/page/text/markdown.js";
import { Sections } from "../../../src/unavoce/web/page/text/sections.js";
import { growing, sample, tidySample } from "./samples.js";

const MANY = 3000;

/** All sections of a text as trees. */
function trees(text) {
  const sections = new Sections().of(text);
  const links = Object.assign({}, ...sections.map(({ from, to }) => definitions(text.slice(from, to))).reverse());
  return sections.map(({ from, to, fenced }) => {
    const raw = text.slice(from, to);
    return { raw, trees: fenced ? [fencedTree(raw)] : sectionTree(raw, links) };
  });
}

/** A tree in short: names, and texts as they are. */
function written(tree) {
  if ("runs" in tree) return tree.text;
  return `<${tree.name}>${tree.children.map(written).join("")}</${tree.name}>`;
}

const html = (text) =>
  trees(text)
    .flatMap((section) => section.trees.map(written))
    .join("");

function leaves(tree) {
  return "runs" in tree ? [tree] : tree.children.flatMap(leaves);
}

test("Markdown as people and models write it", () => {
  const cases = {
    "Hi *there* **you**, ~~not~~ `a*b`":
      "<p>Hi <em>there</em> <strong>you</strong>, <del>not</del> <code>a*b</code></p>",
    "# One\n## Two\n###### Six": "<h3>One</h3><h4>Two</h4><h6>Six</h6>",
    "One\n===\nTwo\n---": "<h3>One</h3><h4>Two</h4>",
    "a\nb  \nc\\\nd": "<p>a\nb\nc\nd</p>",
    "> a\n> > b\nlazy": "<blockquote><p>a</p><blockquote><p>b\nlazy</p></blockquote></blockquote>",
    "- a\n  - b\n\n    c": "<ul><li><p>a</p><ul><li><p>b</p><p>c</p></li></ul></li></ul>",
    "2. a": "<ol><li><p>a</p></li></ol>",
    "* * *": "<hr></hr>",
    "\\*a\\* \\\\ \\a": "<p>*a* \\ \\a</p>",
    "&lt;b&gt; AT&amp;T &#65;&#x42; &nbsp;&hellip; &nosuch; &#0;": "<p><b> AT&T AB \u00a0… &nosuch; \ufffd</p>",
    "`&amp;` and `` a`b ``": "<p><code>&amp;</code> and <code>a`b</code></p>",
    "<b>x</b> **y**": "<p><b>x</b> <strong>y</strong></p>",
    "[a *b*](https://c.example)": "<p><a>a <em>b</em></a></p>",
    "![a](https://c.example/d.png)": "<p><a>a</a></p>",
    "[a][b]\n\n[b]: https://c.example": "<p><a>a</a></p>",
    "one<br>two<br/>three": "<p>one\ntwo\nthree</p>",
    "|a|b|\n|-|-|\n|1|x \\| y|":
      "<div><table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td>x | y</td></tr></tbody></table></div>",
    "```py\na\n\nb\n```\nc":
      "<div><div><span>py</span><button></button></div><pre><code>a\n\nb</code></pre></div><p>c</p>",
    "- [x] a": "<ul><li><span></span><p>a</p></li></ul>",
  };
  for (const [text, expected] of Object.entries(cases)) assert.equal(html(text), expected);
});

test("HTML, whole pages of it, is text", () => {
  for (const text of [
    "<script>alert(1)</script>",
    "<div>\n\n**a**\n\n</div>",
    "<!-- a\n\nb -->",
    "<pre>\n<b>\n</pre>",
  ]) {
    const shown = trees(text).flatMap((section) => section.trees.flatMap(leaves));
    assert.equal(shown.map((leaf) => leaf.text.trim()).join(""), text.replaceAll("**", "").replaceAll("\n\n", ""));
  }
});

/** Fails where a run is before the one before it, or is not what stands there. */
function checkPlaces(raw, runs, hint) {
  let last = 0;
  for (const { from, to, length, text } of runs) {
    assert.ok(from >= last && to >= from && to <= raw.length, hint);
    last = to;
    // In code a line's end is shown as a blank.
    if (length === to - from) assert.equal(raw.slice(from, to).replace(/\s/g, " "), text.replace(/\s/g, " "), hint);
  }
}

test("every text that is shown knows where it stands in the source, in order", () => {
  for (let seed = 0; seed < MANY; seed += 1) {
    for (const { raw, trees: shown } of trees(sample(seed))) {
      const runs = shown
        .flatMap(leaves)
        .flatMap((leaf) => leaf.runs.map((run) => ({ ...run, text: leaf.text.slice(run.at, run.at + run.length) })));
      checkPlaces(raw, runs, `seed ${seed}: ${JSON.stringify({ raw, runs })}`);
    }
  }
});

test("a place inside what stands for something else is at its edge", () => {
  const [leaf] = leaves(sectionTree("a &amp; b", {})[0]);
  assert.equal(leaf.text, "a & b");
  assert.deepEqual(
    [0, 2, 4, 7, 8, 9].map((offset) => [shownAt(leaf, offset, false), shownAt(leaf, offset, true)]),
    [
      [0, 0],
      [2, 2],
      [2, 3],
      [3, 3],
      [4, 4],
      [5, 5],
    ],
  );
});

test("sections of a growing text are those of the whole, and none but the last two changes", () => {
  for (let seed = 0; seed < MANY; seed += 1) {
    const text = sample(seed);
    const whole = new Sections().of(text);
    const sections = new Sections();
    let before = [];
    for (const beginning of growing(text, seed)) {
      const now = sections.of(beginning);
      const settled = sections.known.length - 1;
      assert.deepEqual(now.slice(0, before.length), before, `seed ${seed}`);
      before = now.slice(0, Math.max(0, settled)).map((section) => ({ ...section }));
    }
    assert.deepEqual(sections.of(text), whole, `seed ${seed}: ${JSON.stringify(text)}`);
  }
});

test("a text that is read section by section is the text read at once", () => {
  for (let seed = 0; seed < MANY; seed += 1) {
    const text = tidySample(seed);
    const atOnce = sectionTree(text, definitions(text)).map(written).join("");
    // The items of a list are put together in the page.
    const joined = html(text).replaceAll(/<\/(ul|ol)><\1>/g, "");
    assert.equal(joined, atOnce.replaceAll(/<\/(ul|ol)><\1>/g, ""), `seed ${seed}: ${JSON.stringify(text)}`);
  }
});

test("sections are cut where Markdown does not mind", () => {
  const cut = (text) => new Sections().of(text).map(({ from, to }) => text.slice(from, to));
  assert.deepEqual(cut("a\nb\n\nc\n# d\ne"), ["a\nb\n\n", "c\n", "# d\n", "e"]);
  assert.deepEqual(cut("a:\n- b\n  c\n\n  d\n- e\nlazy\n\nf"), ["a:\n", "- b\n  c\n\n  d\n", "- e\nlazy\n\n", "f"]);
  assert.deepEqual(cut("```\na\n\n# b\n```\nc"), ["```\na\n\n# b\n```\n", "c"]);
  assert.deepEqual(cut("    a\n\n    b\nc"), ["    a\n\n    b\n", "c"]);
  assert.deepEqual(cut("1. a\n   ```\n   b\n\n   c\n   ```\n2. d"), ["1. a\n   ```\n   b\n\n   c\n   ```\n", "2. d"]);
});

test("what is too long to be read is shown as it is written", () => {
  const words = "Words and more *words*. ".repeat(1000);
  assert.deepEqual(sectionTree(words, {}), [plainTree(words)]);
  assert.match(written(sectionTree("a *b* ".repeat(900), {})[0]), /^<p>a \*b\*/);
  assert.match(written(sectionTree(`${"|a".repeat(100)}\n${"|-".repeat(100)}`, {})[0]), /^<p>\|a\|a/);
});

test("nothing that is repeated ten thousand times breaks anything", () => {
  const pieces = [
    "[",
    "*",
    "_",
    "`",
    ">",
    "> ",
    "- ",
    "1. ",
    "![",
    "\\",
    "~",
    "<",
    "<a ",
    "<!--",
    "&#",
    "a@",
    "[a](",
    "|",
    "*_`[<!~",
  ];
  const lines = pieces.map((piece) => `${piece}\n`);
  for (const piece of [...pieces, ...lines, "http://a.", "[a]: b\n", "a\n", "a\n-\n", "\t", " ", "\u2028", "\0"]) {
    for (const text of [piece.repeat(10_000), piece.repeat(900), `a${piece.repeat(10_000)}b`]) {
      const shown = trees(text).flatMap((section) => section.trees.flatMap(leaves));
      for (const leaf of shown) assert.ok(leaf.runs.every((run) => run.to >= run.from));
    }
  }
  const deep = Array.from({ length: 300 }, (_, depth) => `${"  ".repeat(depth)}- a`).join("\n");
  assert.equal(
    trees(deep)
      .flatMap((section) => section.trees.flatMap(leaves))
      .join("").length > 0,
    true,
  );
});
