"""Which modules a page loads at once, by the text of its scripts."""

from __future__ import annotations

from unavoce.web import modules

SCRIPT = b"""
/** @import { A } from "./types.js" */
import "./first.js";
import { b } from "../player/second.js";
import {
  c,
  d as e,
} from "./third.js";
import f, * as g from "./deep/fourth.js";
export { h } from "./fifth.js";
export * from "./sixth.js";
import { outside } from "bare";

export const address = "./not-this.js";
export const lazily = () => import("./nor-this.js");
/** @type {import("./nor-that.js").Type} */
const text = 'import "./nor-here.js"';
"""


def test_static_imports_are_found_and_nothing_else() -> None:
    """Every form of import and export by a relative path; neither types, nor calls, nor strings, nor bare names."""
    assert modules.imports("page/main.js", SCRIPT) == [
        "page/first.js",
        "player/second.js",
        "page/third.js",
        "page/deep/fourth.js",
        "page/fifth.js",
        "page/sixth.js",
    ]


def test_everything_that_is_loaded_is_named_once() -> None:
    """Nearest first, through circles, and with what is not there, so that it is missed early."""
    contents = {
        "page/index.html": b'<link href="assets/page/a.css"><script src="assets/page/a.js"></script>',
        "page/a.js": b'import "./b.js";\nimport "../player/c.js";\n',
        "page/b.js": b'import "./a.js";\nimport "./absent.js";\nimport "../player/c.js";\n',
        "player/c.js": b"",
        "page/d.js": b"",
    }
    assert modules.loaded("page/index.html", contents) == [
        "page/a.css",
        "page/a.js",
        "page/b.js",
        "player/c.js",
        "page/absent.js",
    ]
