import assert from "node:assert/strict";
import { test } from "node:test";
import { closers, settledLength } from "../../../src/unavoce/web/page/text/held-back.js";

const shown = (text) => text.slice(0, settledLength(text));

test("marks whose meaning the next characters decide are held back", () => {
  const cases = {
    "a\n-": "a\n",
    "a\n- ": "a\n",
    "a\n- b": "a\n- b",
    "a\n12.": "a\n",
    "a\n12. b": "a\n12. b",
    "a\n##": "a\n",
    "a\n```": "a\n",
    "a\n```py": "a\n```py",
    "a\n---": "a\n",
    "a\n| --": "a\n",
    "a **": "a ",
    "a **b": "a **b",
    "a **b*": "a **b",
    "a [b": "a ",
    "a [b](https://c": "a ",
    "a [b](https://c)": "a [b](https://c)",
    "a [b]": "a ",
    "a [b] c": "a [b] c",
    "a [b][c": "a ",
    "a [b](c) d": "a [b](c) d",
    "a\n- [x] ": "a\n",
    "a\n- [x] b": "a\n- [x] b",
    "a\n\n[b]: https://c": "a\n\n",
    "a\n\n| b | c": "a\n\n",
    "a\n\n| b | c |\n|--": "a\n\n",
    "a\n\n| b | c |\n|---|---|\n": "a\n\n| b | c |\n|---|---|\n",
    "a\n\n| b\nc": "a\n\n| b\nc",
    "AT&": "AT",
    "a\\": "a",
  };
  for (const [text, expected] of Object.entries(cases)) assert.equal(shown(text), expected, text);
});

test("no more than the end of a line is held back", () => {
  assert.equal(settledLength("a\n".repeat(10)), 20);
  assert.ok(settledLength(`a [${"b".repeat(1000)}`) > 700);
  assert.ok(settledLength("-".repeat(1000)) >= 0);
});

test("what is open at the end is closed, the last first", () => {
  const cases = {
    "a *b": "*",
    "a **b": "**",
    "a **b *c": "***",
    "a **b** c": "",
    "`a **b": "`",
    "**a `b": "`**",
    "``a ` b": "``",
    "~~a _b": "_~~",
    snake_case_name: "",
    "2 * 3 * 4": "",
    "- a": "",
    "* a": "",
    "*a*\n\n**b": "**",
    "\\*a": "",
    "a\n\n**b**": "",
    "- a\n  ```\n  b = **c": "",
    "- a\n  ```\n  b\n  ```\n  **c": "**",
  };
  for (const [text, expected] of Object.entries(cases)) assert.equal(closers(text), expected, text);
});
