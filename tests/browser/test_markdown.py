"""A reply's text in the page: Markdown as elements, drawn while it grows, the spoken sentence marked in it."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from playwright.async_api import expect
from tests.browser.conftest import Visiting
from tests.support.axe import barriers
from tests.support.bidi import Bidi
from tests.support.firefox import visiting_firefox
from tests.support.reply_text import ASSETS, BEGIN, alone, marked, shown, utf16
from tests.support.server import running_server

from unavoce.text import SentenceStream

REPLY = """# A short guide to *tea*

Tea is a leaf, a leaf, and **hot water**. It is a leaf! See [the guide](https://example.com/tea_and_water)
or https://example.org/a_b_c for more; AT&amp;T sells none, and 2 \\* 2 is 4.
![A pot](https://example.com/pot.png) stands by.

1. Boil the water. Boil it well.
2. Pour the water; wait `3 min`.

   Do not stir it. **Never** stir it!
3. Drink:
   - slowly,
   - slowly and *quietly*.

> The cup was empty. "Fill it", he said.
> > And it was full. Full!
he added lazily.

| Tea | Minutes | Note |
|-----|--------:|------|
| Green | 2 | A \\| B, never more. |
| Black | 4 | **Strong**<br>and dark. |

```python
tea = "leaf"  # Not spoken. At all.
```

- [x] Kettle is on.
- [ ] Cup is warm.

A second heading
----------------

* Item one. Item one again.
+ Another list 🙂 with naïve words. 日本語です。שלום עולם.

He said ***it all*** and ~~nothing~~ more, snake_case_name and `a  b` too
with a line
broken thrice. <b>Not bold.</b> Dr. Smith paid $3.50 at 10:30 a.m. on May 3rd. The end &mdash; really.
"""

MARKED = """([whole, places]) => {
  text.update(whole);
  text.finish();
  return places.map(([from, to]) => {
    text.mark(from, to);
    return [String(text.marked ?? ""), CSS.highlights.get("spoken").size];
  });
}"""
SPLITS = """(seeds) => seeds.flatMap((seed) => {
  const whole = made.sample(seed);
  const [grown, atOnce] = [made.place(), made.place()];
  const blocks = new made.Blocks(grown);
  for (const beginning of made.growing(whole, seed)) blocks.show(beginning, false);
  blocks.show(whole, true);
  const other = new made.Blocks(atOnce);
  other.show(whole, true);
  const places = (of) => JSON.stringify(of.drawn.map(({ from, shown }) => [from, shown.map(({ leaf }) => leaf)]));
  const same = grown.isEqualNode(atOnce) && places(blocks) === places(other);
  const answer = same ? [] : [[seed, whole, grown.innerHTML, atOnce.innerHTML]];
  grown.remove();
  atOnce.remove();
  return answer;
})"""

GROWS = """(seeds) => seeds.flatMap((seed) => {
  const whole = made.tidySample(seed);
  const there = made.place();
  const drawn = new made.Drawn(there);
  let before = "";
  const changes = [];
  for (let length = 1; length <= whole.length; length += 1) {
    drawn.show(whole.slice(0, length), false);
    const now = there.textContent.trimEnd();
    if (!now.startsWith(before)) changes.push([whole.slice(0, length), before, now]);
    before = now;
  }
  there.remove();
  // A link by name is none until the name is given an address.
  return whole.includes("[ref]") ? [] : changes;
})"""


def words(text: str) -> str:
    """Letters and digits one after the other: nothing stands between the cells of a table."""
    return "".join(re.findall(r"\w+", text))


def displayed_words(sentence: str) -> str:
    """A sentence's words without what Markdown is made of, roughly: enough for the samples here."""
    plain = re.sub(r"^\s*(?:\d+[.)]|[-*+>#|]+|\[[ x]\]|\s)+(?=\s|\w|\W)", "", sentence)
    plain = re.sub(r"^\[[ x]\] ", "", plain)
    plain = re.sub(r"\]\([^)]*\)", "]", plain)
    plain = re.sub(r"(?<![A-Za-z])_|_(?![A-Za-z])", "", plain)
    return words(html.unescape(plain.replace("<br>", " ")))


async def test_every_sentence_is_marked_where_it_stands(visit: Visiting, data_dir: Path) -> None:
    """For each sentence that the server cuts, what is marked is the sentence's words, whichever Markdown is around."""
    stream = SentenceStream()
    sentences = [*stream.feed(REPLY), *stream.end()]
    assert len(sentences) > 25
    places = [(utf16(REPLY, one.start), utf16(REPLY, one.end)) for one in sentences]
    async with alone(visit, data_dir) as someone:
        found = await someone.page.evaluate(MARKED, [REPLY, places])
    for sentence, (text, count) in zip(sentences, found, strict=True):
        assert words(text) == displayed_words(sentence.text), sentence.text
        assert count == 1


async def test_firefox_marks_the_same(firefox: Bidi, data_dir: Path) -> None:
    """Firefox draws a reply and marks a sentence in it as Chromium does."""
    async with running_server(data_dir) as server, visiting_firefox(firefox, server.url) as someone:
        await someone.page.evaluate(
            f"""async () => {{
              const {{ ReplyText, prepare }} = await import("{ASSETS}/page/text/reply-text.js");
              await prepare();
              window.place = document.querySelector("main").appendChild(document.createElement("article"));
              window.text = new ReplyText(place);
              text.update("See *the* [guide](https://example.com).\\n\\n- One. **Two.**");
              text.finish();
            }}"""
        )
        assert (
            await someone.page.evaluate("() => { text.mark(0, 39); return String(text.marked); }") == "See the guide."
        )
        assert await someone.page.evaluate("() => { text.mark(48, 56); return String(text.marked); }") == "Two."
        assert await someone.page.evaluate("() => place.querySelectorAll('.spoken').length") == 0


async def test_any_split_gives_the_same_document(visit: Visiting, data_dir: Path) -> None:
    """However a text arrives, its document is in the end that of the whole drawn at once, and so are its places."""
    async with alone(visit, data_dir) as someone:
        for first in range(0, 600, 100):
            different = await someone.page.evaluate(SPLITS, list(range(first, first + 100)))
            assert different == []


async def test_what_is_shown_stays_as_it_is(visit: Visiting, data_dir: Path) -> None:
    """Written letter by letter, a text only ever grows: no mark is shown that vanishes once its meaning is known."""
    async with alone(visit, data_dir) as someone:
        changes = await someone.page.evaluate(GROWS, list(range(80)))
        assert changes == []


async def test_a_selection_stays_while_the_text_grows(visit: Visiting, data_dir: Path) -> None:
    """What a person has selected, in a finished block or in the one being written, stays selected."""
    async with alone(visit, data_dir) as someone:
        kept = await someone.page.evaluate(
            """async () => {
              const whole = "First *words* here.\\n\\n- one\\n- two **three** four";
              text.update(whole);
              await frames();
              const nodes = [...place.querySelectorAll("*")];
              const [begin, end] = ["p", "strong"].map((name) => place.querySelector(name).firstChild);
              getSelection().setBaseAndExtent(begin, 0, end, 5);
              const before = String(getSelection());
              for (const more of [" five", " *six* seven", "\\n- eight\\n", "\\n\\n# Nine\\n"]) {
                text.update(text.whole = (text.whole ?? whole) + more);
                await frames();
              }
              text.finish();
              return [before, String(getSelection()), nodes.every((node) => place.contains(node)), place.textContent];
            }"""
        )
        assert kept[0] == kept[1]
        assert "words" in kept[0]
        assert kept[2]
        assert kept[3].endswith("five six seveneightNine")


async def test_text_is_drawn_once_a_frame(visit: Visiting, data_dir: Path) -> None:
    """A hundred pieces in one turn are drawn together, with the next frame; the end of the text at once."""
    async with alone(visit, data_dir) as someone:
        seen = await someone.page.evaluate(
            """async () => {
              let whole = "";
              for (let count = 0; count < 100; count += 1) text.update((whole += "word "));
              const before = place.textContent;
              await frames(2);
              const after = place.textContent;
              text.update(`${whole}**end`);
              text.finish();
              return [before, after.length, place.textContent.slice(-5)];
            }"""
        )
        assert seen == ["", 500, "**end"]


async def test_a_very_long_text_is_drawn_frame_by_frame(visit: Visiting, data_dir: Path) -> None:
    """Five thousand items are drawn some at a time, so that nothing else waits for them, and become one list."""
    whole = "".join(f"- item {number}\n" for number in range(5000))
    async with alone(visit, data_dir) as someone:
        await shown(someone.page, whole)
        assert 0 < await someone.page.locator("article li").count() < 5000
        await someone.seen("document.querySelectorAll('article li').length === 5000")
        assert await someone.page.locator("article > ul").count() == 1


async def test_a_mark_follows_the_text(visit: Visiting, data_dir: Path) -> None:
    """A sentence marked before its text is drawn is marked with it, and stays so while more is written."""
    async with alone(visit, data_dir) as someone:
        seen = await someone.page.evaluate(
            """async () => {
              const seen = [];
              text.mark(4, 22);
              const now = "Hm. This is **it** now. More";
              for (const whole of ["Hm. This", "Hm. This is **it", now, `${now}\\n\\nand more`]) {
                text.update(whole);
                await frames(2);
                seen.push(String(text.marked));
              }
              text.unmark();
              return [...seen, text.marked, CSS.highlights.get("spoken").size];
            }"""
        )
        assert seen == ["This", "This is it", "This is it now", "This is it now", None, 0]


async def test_what_was_not_heard_is_paler(visit: Visiting, data_dir: Path) -> None:
    """Everything behind the last word heard, also when its message is moved, until the whole counts as heard again."""
    async with alone(visit, data_dir) as someone:
        await shown(someone.page, "One two.\n\n- three\n- four\n")
        await someone.page.evaluate("text.setHeard(4)")
        assert await marked(someone.page, "unheard") == ["two.threefour"]
        await someone.page.evaluate("place.parentNode.prepend(place)")
        assert await marked(someone.page, "unheard") == ["two.threefour"]
        await someone.page.evaluate("text.setHeard(null)")
        assert await marked(someone.page, "unheard") == []


async def test_forced_colours_mark_what_was_not_heard_by_class(visit: Visiting, data_dir: Path) -> None:
    """There a highlight would be as loud as the spoken sentence's: blocks that were not heard at all have a class."""
    async with alone(visit, data_dir, forced_colors="active") as someone:
        await shown(someone.page, "One two.\n\n- three\n- four\n")
        await someone.page.evaluate("text.setHeard(4)")
        assert await marked(someone.page, "unheard") == []
        assert await someone.page.locator("article .unheard").all_text_contents() == ["three", "four"]


async def test_a_reply_that_is_gone_leaves_no_mark(visit: Visiting, data_dir: Path) -> None:
    """A message that is taken from the page is forgotten with the next mark."""
    async with alone(visit, data_dir) as someone:
        await shown(someone.page, "One two.")
        await someone.page.evaluate(
            """() => {
              text.setHeard(4);
              place.remove();
              const other = new made.ReplyText(made.place());
              other.update("Three four.");
              other.finish();
              other.setHeard(6);
            }"""
        )
        assert await marked(someone.page, "unheard") == ["four."]


async def test_browsers_without_highlights_mark_the_block(visit: Visiting, data_dir: Path) -> None:
    """Where there are no custom highlights, the block that is spoken has a class, and loses it again."""
    async with alone(visit, data_dir) as someone:
        await someone.page.add_init_script("delete window.Highlight;")
        await someone.page.reload()
        await someone.page.evaluate(BEGIN)
        await shown(someone.page, "One.\n\nTwo.\n\n- Three.\n- Four.\n")
        seen = await someone.page.evaluate(
            """() => [[6, 10], [14, 20], null].map((place_) => {
              if (place_) text.mark(...place_);
              else text.unmark();
              return [...place.querySelectorAll(".spoken")].map((element) => element.textContent);
            })"""
        )
        assert seen == [["Two."], ["Three."], []]


async def test_a_copied_block_of_code_is_the_code(visit: Visiting, data_dir: Path) -> None:
    """The button, reached by keyboard, copies what stands in the block and nothing else, and says so."""
    async with alone(visit, data_dir, permissions=["clipboard-read", "clipboard-write"]) as someone:
        await shown(someone.page, "Do:\n\n```sh\nls -l | wc\n\necho '<b>'\n```\n")
        button = someone.page.get_by_role("button", name="Copy code")
        await button.focus()
        await button.press("Enter")
        await expect(someone.page.get_by_role("button", name="Copied")).to_be_visible()
        assert await someone.page.evaluate("navigator.clipboard.readText()") == "ls -l | wc\n\necho '<b>'"


async def test_code_is_copied_without_a_clipboard_too(visit: Visiting, data_dir: Path) -> None:
    """Where the browser has no clipboard for this page (not https), the code is selected and copied."""
    async with alone(visit, data_dir) as someone:
        await shown(someone.page, "```\na\n```\n")
        await someone.page.evaluate("() => { Object.defineProperty(navigator, 'clipboard', { value: undefined }); }")
        await someone.page.get_by_role("button", name="Copy code").click()
        await someone.page.locator("button.copied, button.selected").wait_for()
        assert await someone.page.evaluate("String(getSelection())") == "a"


async def test_a_section_that_cannot_be_read_is_shown_as_written(visit: Visiting, data_dir: Path) -> None:
    """A fault while Markdown is read costs that section its form, not its text; the others stay, and it is told."""
    async with alone(visit, data_dir) as someone:
        someone.watch.foresee("as the test has it")
        await someone.page.evaluate(
            """async () => {
              const { Lexer } = await import("/assets/0123456789abcdef/vendor/marked.esm.js");
              const { blockTokens } = Lexer.prototype;
              Lexer.prototype.blockTokens = function (source, ...more) {
                if (source.includes("bad")) throw new Error("as the test has it");
                return blockTokens.call(this, source, ...more);
              };
            }"""
        )
        document = await shown(someone.page, "*Good*.\n\n*bad*.\n\n*Good again*.")
        await someone.watch.until(lambda: any("as the test has it" in fault for fault in someone.watch.faults))
        assert document == (
            '<p dir="auto"><em>Good</em>.</p><p class="plain" dir="auto">*bad*.</p>'
            '<p dir="auto"><em>Good again</em>.</p>'
        )


async def test_text_is_shown_where_the_reader_of_markdown_cannot_be_loaded(visit: Visiting, data_dir: Path) -> None:
    """A lost connection leaves the text as it was written; the next one that is drawn tries again."""
    async with alone(visit, data_dir) as someone:
        someone.watch.foresee("drawing.js")
        await someone.page.route("**/drawing.js", lambda route: route.abort())
        await someone.page.evaluate(
            """async () => {
              const { ReplyText } = await import("/assets/aaaaaaaaaaaaaaaa/page/text/reply-text.js");
              window.other = new ReplyText(window.there = made.place());
              other.update("*a*");
              other.finish();
            }"""
        )
        await someone.seen("there.textContent === '*a*'")
        await someone.page.unroute("**/drawing.js")


async def test_links_say_where_they_lead(visit: Visiting, data_dir: Path) -> None:
    """Links open elsewhere, tell nobody where from, and show their host unless their words do."""
    async with alone(visit, data_dir) as someone:
        await shown(someone.page, "[Bank](https://evil.example/a) https://fine.example/b [x](javascript:alert`1`)")
        links = someone.page.locator("article a")
        assert await links.evaluate_all(
            "(all) => all.map((a) => [a.href, a.rel, a.target, a.dataset.host ?? null])"
        ) == [
            ["https://evil.example/a", "noopener noreferrer nofollow", "_blank", "evil.example"],
            ["https://fine.example/b", "noopener noreferrer nofollow", "_blank", None],
        ]
        said = await links.first.evaluate("(a) => getComputedStyle(a, '::after').content")
        assert "evil.example" in said


async def test_text_from_right_to_left(visit: Visiting, data_dir: Path) -> None:
    """Paragraphs, quotes, whole lists and tables run as their first words do; an override ends with its paragraph."""
    whole = "שלום (a).\n\n- אחת\n- two\n\n> שלום\n\n| שם | b |\n|-|-|\n\n\u202eturned\n\nnot turned"
    async with alone(visit, data_dir) as someone:
        await shown(someone.page, whole)
        directions = await someone.page.evaluate(
            "() => ['p', 'ul', 'li', 'blockquote', 'table', ':scope > p:last-child'].map((name) =>"
            " getComputedStyle(place.querySelector(name)).direction)"
        )
        assert directions == ["rtl", "rtl", "rtl", "rtl", "rtl", "ltr"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_there_are_no_barriers(visit: Visiting, data_dir: Path, scheme: str) -> None:
    """axe-core finds nothing in a reply that has everything in it, on a phone, marked and partly unheard."""
    async with alone(visit, data_dir, color_scheme=scheme, viewport={"width": 390, "height": 844}) as someone:
        await shown(someone.page, REPLY)
        await someone.page.evaluate("() => { text.mark(30, 60); text.setHeard(900); }")
        found = await barriers(someone.page)
    assert found == []


async def test_nothing_is_wider_than_a_phone(visit: Visiting, data_dir: Path) -> None:
    """A wide table and long lines of code scroll in themselves, long words break, and the page keeps its width."""
    table = f"{'|a long cell' * 12}|\n{'|-' * 12}|"
    wide = "\n\n".join(
        [table, f"```\n{'x' * 300}\n```", f"{'w' * 300} `{'c' * 300}`", f"https://example.com/{'y' * 300}"]
    )
    async with alone(visit, data_dir, viewport={"width": 390, "height": 844}) as someone:
        await shown(someone.page, wide)
        widths = await someone.page.evaluate(
            "() => [...place.children].map((element) => Math.max(element.scrollWidth, element.offsetWidth))"
            ".concat(place.offsetWidth)"
        )
        first, *others, place = widths
        assert first > place
        assert all(width <= place for width in others)
