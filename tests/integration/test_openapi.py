"""The OpenAPI document against the application's routes, an independent validator, and whoever asks for it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest
import schemathesis
from starlette.routing import BaseRoute, Route
from tests.fuzz.documented import IMPLIED, strict
from tests.support.server import running_server

from unavoce.server.openapi import html
from unavoce.server.openapi.document import OPERATIONS, document
from unavoce.web import files
from unavoce.web.site import POLICY

DOCUMENT, OPEN = document(asks_for_key=True), document(asks_for_key=False)
SERVED = files.read()


def test_it_is_openapi() -> None:
    """The specification's own schema and JSON Schema's for every body have nothing against it, keys or no keys."""
    for told in (DOCUMENT, OPEN):
        schemathesis.openapi.from_dict(told).validate()
        for name, schema in told["components"]["schemas"].items():
            jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})
            assert schema["description"], name


async def test_it_names_every_route_of_the_application_and_no_other(data_dir: Path) -> None:
    """Path by path and method by method; HEAD goes with GET."""
    async with running_server(data_dir) as server:
        routes = server.app.http.routes
    there = {(method, _shape(route.path)) for route in routes for method in _methods(route)}
    told = {(method.upper(), _shape(path)) for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert told == there - {(method, path) for method, path in there if method in IMPLIED}


def _methods(route: BaseRoute) -> set[str]:
    assert isinstance(route, Route)
    # OpenAI's routes take every method, to refuse all but one in OpenAI's shape.
    return set(route.methods or {route.endpoint.method} - {""})


def _shape(path: str) -> str:
    """A path without the names of its parameters."""
    return re.sub(r"\{[^}]*\}", "{}", path)


def test_every_example_is_what_it_is_an_example_of() -> None:
    """Each fits its schema, whose fields it may not exceed, and each body that has a model has an example."""
    told = strict(DOCUMENT)
    examples = 0
    for place, media in _media(told):
        if "example" in media:
            schema = {**media["schema"], "components": told["components"]}
            jsonschema_rs.Draft202012Validator(schema).validate(media["example"])
            examples += 1
        else:
            assert "$ref" not in media["schema"], f"no example: {place}"
    assert examples


def answers(told: dict[str, Any], operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Status and answer, wherever it stands."""
    for status, one in operation["responses"].items():
        yield status, told["components"]["responses"][one["$ref"].rpartition("/")[2]] if "$ref" in one else one


def _media(told: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every body of every operation, and its parameters, which have a schema and an example likewise."""
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            bodies = [operation.get("requestBody", {}), *(one for _, one in answers(told, operation))]
            for number, body in enumerate(bodies):
                for kind, media in body.get("content", {}).items():
                    yield f"{method} {path}, body {number}, {kind}", media
            yield from ((f"{method} {path}, {one['name']}", one) for one in operation.get("parameters", []))


def test_nothing_is_described_twice() -> None:
    """Of two operations with one method and path the document would hold the later, and nobody would see the other."""
    described = [(one.method, one.path) for one in OPERATIONS]
    assert len(set(described)) == len(described)


def test_every_operation_has_a_name_of_its_own() -> None:
    """Generated clients call their methods by it."""
    names = [operation["operationId"] for methods in DOCUMENT["paths"].values() for operation in methods.values()]
    assert len(set(names)) == len(names)


# -- who asks


async def test_people_and_programs_get_the_same_document(data_dir: Path) -> None:
    """`/docs` is a page unless JSON is preferred, which is then what `/openapi.json` answers: that of this server."""
    async with running_server(data_dir) as server, httpx.AsyncClient(base_url=server.url) as client:
        told = (await client.get("/openapi.json")).json()
        assert told == json.loads(json.dumps(OPEN))
        assert (await client.get("/docs", headers={"Accept": "application/json"})).json() == told
        page = await client.get("/docs", headers={"Accept": "text/html,application/json;q=0.9,*/*;q=0.8"})
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert page.headers["content-security-policy"] == POLICY
        assert page.text == html.page(told, f"assets/{files.digest(SERVED)}")


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "text/html"),
        ("*/*", "text/html"),
        ("application/json, text/plain", "application/json"),
        ("text/html;q=0.5, application/json;q=0.6", "application/json"),
        ("application/json;q=0", "text/html"),
        ("application/json;q=many, ;;q=,,", "text/html"),
        ("APPLICATION/JSON; charset=utf-8", "application/json"),
    ],
)
async def test_accept_decides_by_weight(data_dir: Path, accept: str, kind: str) -> None:
    """The heavier of the two wins, the page where they weigh the same, and nonsense weighs nothing."""
    async with running_server(data_dir) as server, httpx.AsyncClient(base_url=server.url) as client:
        answer = await client.get("/docs", headers={"Accept": accept})
        assert answer.headers["content-type"].partition(";")[0] == kind


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
async def test_a_browser_may_send_the_key_as_a_password(data_dir: Path, path: str) -> None:
    """With keys set, neither route answers without one, both say how it may come, and any name goes with it."""
    async with (
        running_server(data_dir, api_keys=("sesame:1",)) as server,
        httpx.AsyncClient(base_url=server.url) as client,
    ):
        refused = await client.get(path)
        assert refused.status_code == 401
        assert refused.headers.get_list("www-authenticate") == ["Bearer", 'Basic realm="unavoce", charset="UTF-8"']
        for name, key, status in (("", "sesame:1", 200), ("käthe", "sesame:1", 200), ("sesame:1", "", 401)):
            assert (await client.get(path, auth=httpx.BasicAuth(name.encode(), key.encode()))).status_code == status
        for nonsense in ("Basic", "Basic !", "Basic YQ", "Basic " + "A" * 9_000, "basic OnNlc2FtZQ=="):
            assert (await client.get(path, headers={"Authorization": nonsense})).status_code == 401
        elsewhere = await client.get("/api/health", auth=httpx.BasicAuth(b"", b"sesame:1"))
        assert (elsewhere.status_code, elsewhere.headers.get_list("www-authenticate")) == (401, ["Bearer"])


# -- the page


class _Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, attribute: str) -> list[str]:
        return [attributes[attribute] or "" for _, attributes in self.tags if attribute in attributes]


def test_the_page_tells_all_of_the_document() -> None:
    """Every path, parameter, body, field, description and status stands on it."""
    page = _Page(html.page(DOCUMENT, "assets"))
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            wanted = [f"{method.upper()} {path}", operation["summary"], operation["description"].replace("`", "")]
            wanted += [f"{status} {one['description']}" for status, one in answers(DOCUMENT, operation)]
            wanted += [one["name"] for one in operation.get("parameters", [])]
            assert all(one in page.text for one in wanted), path
    for name, schema in DOCUMENT["components"]["schemas"].items():
        described = [one.get("description", "").replace("`", "") for one in schema.get("properties", {}).values()]
        assert all(one in page.text for one in [name, *schema.get("properties", {}), *described]), name


def test_the_page_keeps_the_policy_and_its_links_lead_somewhere() -> None:
    """No code or style in it, no address but its own, every address there, every name once."""
    page = _Page(html.page(DOCUMENT, "assets"))
    names = page.all("id")
    assert len(set(names)) == len(names)
    for tag, attributes in page.tags:
        assert tag not in {"style", "base", "iframe", "object", "embed", "form"}
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        assert tag != "script" or "src" in attributes
    for address in [*page.all("href"), *page.all("src")]:
        if address.startswith("#"):
            assert address[1:] in names
        else:
            assert address == "openapi.json" or address.removeprefix("assets/") in SERVED, address


HOSTILE = "</p><script src=//evil.example></script><img src=x onerror=alert(1)> &amp; \" onclick='x' `<b>` \x00\ud800"


def test_whatever_stands_in_the_document_is_text() -> None:
    """With every string hostile the page has the elements and attributes that it had, and no others."""

    def spoilt(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {one: spoilt(inner, one) for one, inner in value.items()}
        if isinstance(value, list):
            return [spoilt(inner, name) for inner in value]
        return HOSTILE if isinstance(value, str) and name in SPOILT else value

    plain, hostile = _Page(html.page(DOCUMENT, "assets")), _Page(html.page(spoilt(DOCUMENT), "assets"))
    assert {tag for tag, _ in hostile.tags} <= {tag for tag, _ in plain.tags}
    assert {name for _, held in hostile.tags for name in held} == {name for _, held in plain.tags for name in held}
    assert hostile.all("src") == plain.all("src")
    assert "<script src=//evil.example></script>" in hostile.text


SPOILT = {"title", "version", "description", "summary", "example", "code", "message", "detail", "enum", "pattern"}
