"""Nothing that a model or a person writes runs, asks for anything, or becomes an element that is not Markdown's."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.browser.conftest import Visiting
from tests.support.browser import Visit
from tests.support.reply_text import alone
from tests.support.server import ScriptedModel, running_server
from tests.support.talking import say
from tests.support.xss import CORPUS

# Written anew, not read from the page's own list: an addition there is to be thought of twice.
STRANGE = """(root) => {
  const allowed = {
    a: "class data-host href rel target title", blockquote: "dir", button: "aria-label class type", code: "dir",
    del: "",
    div: "aria-label class role tabindex", em: "", h3: "dir", h4: "dir", h5: "dir", h6: "dir", hr: "", li: "class",
    ol: "dir start", p: "class dir", pre: "aria-label dir role tabindex", span: "aria-label class role", strong: "",
    table: "dir", tbody: "", td: "class", th: "class scope", thead: "", tr: "", ul: "dir",
  };
  const classes = ["", "box checked", "box open", "center", "code", "code-head", "copy", "left", "picture", "plain",
    "right", "table", "task"];
  return [...root.querySelectorAll("*")].flatMap((element) => {
    const name = element.localName;
    const strange = element.getAttributeNames().filter((one) => !(allowed[name] ?? "").split(" ").includes(one));
    if (!(name in allowed) || element.namespaceURI !== "http://www.w3.org/1999/xhtml") strange.push(name);
    if (!classes.includes(element.className)) strange.push(element.className);
    if (name === "a" && !/^(https?:\\/\\/|mailto:)/.test(element.getAttribute("href"))) strange.push(element.href);
    if (name === "a" && element.rel !== "noopener noreferrer nofollow") strange.push("rel");
    return strange;
  });
}"""
EVERY_SPLIT = f"""(corpus) => {{
  const strange = {STRANGE};
  return corpus.flatMap((whole) => {{
    const found = [];
    for (let at = 0; at <= whole.length; at += 1) {{
      const there = made.place();
      const blocks = new made.Blocks(there);
      blocks.show(whole.slice(0, at), false);
      found.push(...strange(there));
      blocks.show(whole, true);
      found.push(...strange(there));
      there.remove();
    }}
    return found.length ? [[whole, found]] : [];
  }});
}}"""
RUNS = """() => { window.pwned = () => document.documentElement.setAttribute("data-pwned", ""); }"""
MANY = "\n\n".join(CORPUS)
ENDS = "The end of it all."
SAID, ANSWERED = '[data-role="user"] p', '[data-part="text"]'


async def nothing_happened(visit: Visit, url: str) -> None:
    """Nothing ran, nothing was opened, the page is where it was, and all that is shown of the messages is harmless."""
    page = visit.page
    for part in await page.locator(f"{SAID}, {ANSWERED}").all():
        assert await part.evaluate(STRANGE) == []
    assert await page.evaluate("document.documentElement.hasAttribute('data-pwned')") is False
    assert await page.locator("iframe, object, embed, base, form[action], script:not([src])").count() == 0
    assert page.url.rstrip("/") == url
    assert len(page.frames) == len(visit.context.pages) == 1
    visit.watch.check()


@pytest.fixture
def model() -> ScriptedModel:
    """Answers everything with the whole corpus, in pieces that end in the middle of everything."""
    pieces = [MANY[at : at + 7] for at in range(0, len(MANY), 7)]
    return ScriptedModel(otherwise=[*pieces, f"\n\n{ENDS}"])


def test_the_corpus_is_large() -> None:
    """Enough strings, none twice."""
    assert len(CORPUS) == len(set(CORPUS)) > 100


async def test_no_split_lets_anything_through(visit: Visiting, data_dir: Path) -> None:
    """Each string, cut in two at every place while it is written, holds nothing but Markdown's own elements."""
    async with alone(visit, data_dir) as someone:
        someone.page.on("dialog", lambda dialog: someone.watch.found(f"dialog: {dialog.message}"))
        await someone.page.evaluate(RUNS)
        for at in range(0, len(CORPUS), 20):
            assert await someone.page.evaluate(EVERY_SPLIT, CORPUS[at : at + 20]) == []
        await nothing_happened(someone, someone.page.url.rstrip("/"))


async def test_nothing_runs_in_a_conversation(visit: Visiting, data_dir: Path, model: ScriptedModel) -> None:
    """What a person writes and a model streams does nothing, neither when it comes nor from history after a reload."""
    async with running_server(data_dir, model=model) as server, visit(server.url) as someone:
        page = someone.page
        page.on("dialog", lambda dialog: someone.watch.found(f"dialog: {dialog.message}"))
        await page.add_init_script(f"({RUNS})()")
        await page.reload()
        await say(page, MANY)
        await page.locator(ANSWERED).locator("p", has_text=ENDS).wait_for()
        await nothing_happened(someone, server.url)
        shown = await page.locator(SAID).evaluate("(element) => element.textContent")
        assert shown.split() == MANY.split()
        await page.reload()
        await page.locator(ANSWERED).locator("p", has_text=ENDS).wait_for()
        await nothing_happened(someone, server.url)
