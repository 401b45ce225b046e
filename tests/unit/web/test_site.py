"""The page's files over HTTP: what is found, who may keep it, and what a browser is told."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping

import httpx
import pytest
from starlette.applications import Starlette

from unavoce.web import files
from unavoce.web.site import Site

INDEX = (
    '<head><script type="module" src="assets/page/main.js"></script>'
    '<link rel="icon" href="assets/page/icon.svg"></head><p>assets/'
)
SCRIPT = 'import { lexer } from "../vendor/marked.esm.js";\n' * 40
CONTENTS = {
    "page/index.html": INDEX.encode(),
    "page/main.js": SCRIPT.encode(),
    "page/icon.svg": b"<svg/>",
    "page/style.css": b"body{}",
    "player/unavoce-player.js": b"export {};",
    "player/package.json": b"{}",
    "player/README.md": b"# The player",
    "vendor/socket.io.esm.min.js": b"export const io = 1;",
    "vendor/marked.esm.js": b"export const lexer = 1;",
    "vendor/marked.LICENSE.txt": b"MIT",
}
DIGEST = files.digest(CONTENTS)
MAIN = f"/assets/{DIGEST}/page/main.js"
EVERY_PATH = ["/", MAIN, f"/assets/{'0' * 16}/page/main.js", "/player/unavoce-player.js", "/vendor/marked.esm.js"]


async def ask(
    path: str,
    *,
    method: str = "GET",
    contents: Mapping[str, bytes] = CONTENTS,
    accept: str = "",
    known: str = "",
) -> httpx.Response:
    """What a server with these files answers."""
    transport = httpx.ASGITransport(Starlette(routes=Site(contents).routes()))
    headers = {"Accept-Encoding": accept, **({"If-None-Match": known} if known else {})}
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        return await client.request(method, path, headers=headers)


async def test_the_front_page_names_the_digest_and_is_asked_for_each_time() -> None:
    """`/` loads its files under the digest, by addresses relative to itself, and no browser takes it unasked."""
    answer = await ask("/")
    assert answer.text == (
        f'<head><script type="module" src="assets/{DIGEST}/page/main.js"></script>'
        f'<link rel="icon" href="assets/{DIGEST}/page/icon.svg">'
        f'<link rel="modulepreload" href="assets/{DIGEST}/page/main.js">'
        f'<link rel="modulepreload" href="assets/{DIGEST}/vendor/marked.esm.js"></head><p>assets/'
    )
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("page/main.js", "text/javascript; charset=utf-8"),
        ("page/style.css", "text/css; charset=utf-8"),
        ("page/icon.svg", "image/svg+xml"),
        ("player/unavoce-player.js", "text/javascript; charset=utf-8"),
        ("vendor/marked.LICENSE.txt", "text/plain; charset=utf-8"),
    ],
)
async def test_a_file_under_the_digest_is_kept_for_a_year(path: str, kind: str) -> None:
    """Its bytes, its type, and no question ever again."""
    answer = await ask(f"/assets/{DIGEST}/{path}")
    assert answer.content == CONTENTS[path]
    assert answer.headers["content-type"] == kind
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", ["player/unavoce-player.js", "player/package.json", "vendor/marked.esm.js"])
async def test_the_player_and_the_libraries_are_everybodys(path: str) -> None:
    """Without a digest they are asked for each time, and a page of any origin may import them."""
    answer = await ask(f"/{path}")
    assert answer.content == CONTENTS[path]
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"


async def test_an_older_digest_gets_what_is_there_now() -> None:
    """A page that was open while the server was renewed still finds its files, and does not keep them."""
    answer = await ask(f"/assets/{'0' * 16}/page/main.js")
    assert answer.content == CONTENTS["page/main.js"]
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("name", CONTENTS)
async def test_any_changed_byte_changes_the_digest(name: str) -> None:
    """Whatever file it is in, the front page then loads from other addresses, and has another tag itself."""
    changed = {**CONTENTS, name: CONTENTS[name] + b" "}
    before, after = await ask("/"), await ask("/", contents=changed)
    assert files.digest(changed) != DIGEST
    assert f"assets/{files.digest(changed)}/" in after.text
    assert before.headers["etag"] != after.headers["etag"]


def test_a_byte_that_moves_to_the_next_file_changes_the_digest() -> None:
    """The digest is of names and lengths as well, not of the bytes in a row."""
    assert files.digest({"a.js": b"12", "b.js": b"3"}) != files.digest({"a.js": b"1", "b.js": b"23"})
    assert files.digest({"a.js": b"1"}) != files.digest({"b.js": b"1"})
    assert files.digest({"a.js": b"1", "b.js": b"2"}) == files.digest({"b.js": b"2", "a.js": b"1"})


@pytest.mark.parametrize("path", EVERY_PATH)
async def test_what_a_browser_has_is_not_sent_again(path: str) -> None:
    """An answer's tag, alone or among others, weak or not, brings 304 without a body and with the same promises."""
    first = await ask(path)
    tag = first.headers["etag"]
    assert tag.startswith('W/"')
    for known in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        again = await ask(path, known=known)
        assert (again.status_code, again.content) == (304, b"")
        for name in ("etag", "cache-control", "x-content-type-options"):
            assert again.headers[name] == first.headers[name]
    assert (await ask(path, known='W/"other"')).status_code == 200


@pytest.mark.parametrize(
    ("accept", "compressed"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("*", True),
        ("gzip;q=1.0, *;q=0", True),
        ("", False),
        ("br", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000, *", False),
        ("*;q=0", False),
        ("identity", False),
    ],
)
async def test_gzip_only_where_it_is_taken(accept: str, compressed: bool) -> None:
    """The compressed form goes to those who accept it; what is read is the same; caches are told."""
    answer = await ask(MAIN, accept=accept)
    assert answer.headers.get("content-encoding") == ("gzip" if compressed else None)
    assert answer.text == SCRIPT
    assert answer.headers["vary"] == "Accept-Encoding"
    size = len(gzip.compress(SCRIPT.encode(), mtime=0)) if compressed else len(SCRIPT)
    assert int(answer.headers["content-length"]) == size


async def test_what_would_grow_is_sent_as_it_is() -> None:
    """A file that gzip does not make smaller has one form only."""
    answer = await ask(f"/assets/{DIGEST}/page/icon.svg", accept="gzip")
    assert answer.content == b"<svg/>"
    assert not {"content-encoding", "vary"} & set(answer.headers)


@pytest.mark.parametrize("path", EVERY_PATH)
async def test_no_type_is_guessed(path: str) -> None:
    """A file is what the server says it is."""
    assert (await ask(path)).headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/", f"/assets/{DIGEST}/page/icon.svg", "/player/absent.js"])
async def test_every_document_is_under_the_policy(path: str) -> None:
    """Nothing but our own scripts, styles, pictures and connections; no framing, no guessing of types, no referrer."""
    headers = (await ask(path)).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "connect-src": "'self'",
        "img-src": "'self'",
        "font-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "microphone=()" in headers["permissions-policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/page/main.js",
        "/page/index.html",
        "/index.html",
        "/assets/page/main.js",
        f"/assets/{DIGEST}/",
        f"/assets/{DIGEST}/page",
        f"/assets/{DIGEST.upper()}0/page/main.js",
        f"/assets/{DIGEST}/../page/main.js",
        f"/assets/{DIGEST}/page/main.js/",
        f"/assets/{DIGEST}/page/%2e%2e/page/main.js",
        f"/assets/{DIGEST}/%2e%2e/site.py",
        f"/assets/{DIGEST}//page/main.js",
        f"/assets/{DIGEST}/page/main.js%00",
        f"/assets/{DIGEST}/page/main.js%0a",
        f"/assets/{DIGEST}/page%5cmain.js",
        "/player/%2e%2e/page/main.js",
        "/player/..%2f..%2ferrors.py",
        "/player//etc/passwd",
        "/vendor/socket.io.esm.min.js.map",
        "/site.py",
    ],
)
async def test_only_the_files_of_the_list_are_found(path: str) -> None:
    """Any other path is 404, however it is written."""
    answer = await ask(path)
    assert answer.status_code == 404
    assert "lexer" not in answer.text


@pytest.mark.parametrize("path", EVERY_PATH)
async def test_head_and_other_methods(path: str) -> None:
    """HEAD has the headers of GET; whoever would write is told what there is."""
    got, head = await ask(path), await ask(path, method="HEAD")
    assert head.status_code == 200
    assert head.headers == got.headers
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        refused = await ask(path, method=method)
        assert refused.status_code == 405
        assert {one.strip() for one in refused.headers["allow"].split(",")} == {"GET", "HEAD"}


async def test_without_its_libraries_the_page_says_so() -> None:
    """A copy of the source that was never built serves a page with what is missing and what to type, as an error."""
    bare = {name: content for name, content in CONTENTS.items() if not name.startswith("vendor/")}
    assert Site(bare).missing == ("vendor/socket.io.esm.min.js", "vendor/marked.esm.js")
    for known in ("", "*"):
        answer = await ask("/", contents=bare, known=known)
        assert answer.status_code == 503
        assert "vendor/marked.esm.js" in answer.text
        assert "make serve" in answer.text
        assert answer.headers["cache-control"] == "no-cache"


def test_the_etag_is_of_the_bytes() -> None:
    """The tag of a file is its own digest's, so that a new server knows it again."""
    file = files.prepared("page/main.js", SCRIPT.encode())
    assert file.etag == f'W/"{hashlib.sha256(SCRIPT.encode()).hexdigest()[:16]}"'
    assert gzip.decompress(file.gzipped) == SCRIPT.encode()
