"""The document as a page. Elements are built, never pasted together: whatever stands in the document is text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree.ElementTree import Element, tostring

from unavoce.server.openapi.schema_words import bounds, fields, kind

Told = Mapping[str, Any]
Part = Element | str


def page(document: Told, assets: str) -> str:
    """HTML of the whole document. `assets`: where the page's style sheets are, as the browser sees it."""
    info = document["info"]
    main = _element(
        "main",
        _element("h1", f"{info['title']} ", _element("small", info["version"])),
        _element("p", *_words(info.get("description", ""))),
        _element("p", _element("a", "The same for programs", href="openapi.json"), f" (OpenAPI {document['openapi']})"),
        _contents(document),
        *_operations(document),
        *_of_every_route(document),
        *_schemas(document),
    )
    head = _head(f"{info['title']}: HTTP", assets)
    html = _element("html", head, _element("body", main, **{"class": "reference"}), lang="en")
    return "<!doctype html>\n" + tostring(html, encoding="unicode", method="html") + "\n"


def _head(title: str, assets: str) -> Element:
    sheets = [_element("link", rel="stylesheet", href=f"{assets}/page/{name}.css") for name in ("style", "reference")]
    return _element(
        "head",
        _element("meta", charset="utf-8"),
        _element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        _element("meta", name="color-scheme", content="light dark"),
        _element("title", title),
        _element("link", rel="icon", href=f"{assets}/page/icon.svg"),
        _element("script", src=f"{assets}/page/appearance.js"),
        *sheets,
    )


# -- operations


def _each(document: Told) -> Iterator[tuple[str, str, Told]]:
    """Method, path and operation."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def _contents(document: Told) -> Element:
    items = [
        _element("li", _element("a", _route(method, path), href=f"#{operation['operationId']}"))
        for method, path, operation in _each(document)
    ]
    return _element("nav", _element("ul", *items), **{"aria-label": "Routes"})


def _route(method: str, path: str) -> Element:
    return _element("code", _element("b", method), f" {path}")


def _operations(document: Told) -> Iterator[Element]:
    for tag in document.get("tags", []):
        yield _element("h2", tag["name"])
        yield from (_operation(*one) for one in _each(document) if tag["name"] in one[2]["tags"])


def _operation(method: str, path: str, operation: Told) -> Element:
    return _element(
        "section",
        _element("h3", _route(method, path)),
        _element("p", _element("b", operation["summary"])),
        _element("p", *_words(operation["description"])),
        *([_element("p", _key(operation["security"]))] if "security" in operation else []),
        *_parameters(operation.get("parameters", [])),
        *_body(operation.get("requestBody")),
        _element("h4", "Answers"),
        *(_answer(status, one) for status, one in operation["responses"].items() if "$ref" not in one),
        id=operation["operationId"],
    )


def _of_every_route(document: Told) -> Iterator[Element]:
    """Told once, and referred to by each."""
    yield _element("h2", "What any route may answer")
    yield _element("section", *(_answer(status, one) for status, one in document["components"]["responses"].items()))


def _key(security: list[Told]) -> str:
    ways = {"bearer": "Authorization: Bearer", "basic": "the password of Basic authentication"}
    return "Asks for a key, as " + " or ".join(ways[name] for one in security for name in one) + "."


def _parameters(parameters: list[Told]) -> Iterator[Element]:
    if not parameters:
        return
    yield _element("h4", "Parameters")
    items: list[Part] = []
    for one in parameters:
        needed = "" if one["required"] else ", optional"
        items.append(_term(one["name"], f"in the {one['in']}{needed}, ", one["schema"]))
        items.append(_element("dd", *_words(one["description"])))
    yield _element("dl", *items)


def _body(body: Told | None) -> Iterator[Element]:
    if body is None:
        return
    yield _element("h4", "Request")
    yield from (_media(name, media) for name, media in body["content"].items())


def _answer(status: str, answer: Told) -> Element:
    summary = _element("summary", _element("b", status), f" {answer['description']}")
    headers = [_element("p", _element("code", name), f" {one['description']}") for name, one in _headers(answer)]
    media = [_media(name, one) for name, one in answer.get("content", {}).items()]
    return _element("details", summary, *headers, *media)


def _headers(answer: Told) -> list[tuple[str, Told]]:
    return list(answer.get("headers", {}).items())


def _media(name: str, media: Told) -> Element:
    parts: list[Part] = [_element("p", _element("code", name), ": ", *_type(media["schema"]))]
    if "example" in media:
        example = media["example"]
        text = example if isinstance(example, str) else json.dumps(example, indent=2, ensure_ascii=False)
        parts.append(_element("pre", _element("code", text), tabindex="0"))
    return _element("div", *parts)


# -- schemas


def _schemas(document: Told) -> Iterator[Element]:
    schemas = document["components"]["schemas"]
    if schemas:
        yield _element("h2", "Bodies")
    yield from (_schema(name, schema) for name, schema in schemas.items())


def _schema(name: str, schema: Told) -> Element:
    items: list[Part] = []
    for field, one, needed in fields(schema):
        items.append(_term(field, "" if needed else "optional, ", one))
        items.append(_element("dd", *_words(one.get("description", ""))))
    told = _element("p", *_words(schema.get("description", "")))
    shape = _element("dl", *items) if items else _element("p", *_type(schema))
    return _element("section", _element("h3", _element("code", name)), told, shape, id=f"schema-{name}")


def _term(name: str, before: str, schema: Told) -> Element:
    return _element("dt", _element("code", name), _element("span", " ", before, *_type(schema)))


def _type(schema: Told) -> list[Part]:
    """Its kind and its bounds, with links to the bodies it names."""
    parts: list[Part] = []
    for word in re.split(r"(→\w+)", kind(schema)):
        name = word.removeprefix("→")
        parts.append(_element("a", name, href=f"#schema-{name}") if word.startswith("→") else word)
    return [*parts, bounds(schema)]


# -- elements


def _words(text: str) -> list[Part]:
    """`text`, what stands between backticks as code."""
    return [_element("code", part) if odd % 2 else part for odd, part in enumerate(text.split("`"))]


def _element(tag: str, /, *parts: Part, **attributes: str) -> Element:
    element = Element(tag, attributes)
    last: Element | None = None
    for part in parts:
        if isinstance(part, Element):
            element.append(part)
            last = part
        elif last is None:
            element.text = (element.text or "") + part
        else:
            last.tail = (last.tail or "") + part
    return element
