"""Whatever OpenAI's speech API refuses here, it refuses in OpenAI's shape, and never as a fault of the server's."""

from __future__ import annotations

import builtins
import json
from pathlib import Path
from typing import Any

import openai
import pytest
from tests.support.openai_client import asked, asking, bare, engine_that, said, wanting
from tests.support.server import quick_engine, running_server

from unavoce.engines.fake import Step

JSON = {"content-type": "application/json"}


def check_refusal(answer: Any, status: int, code: str, param: str | None = None) -> str:
    """The answer is that refusal, all of it in OpenAI's shape; its message."""
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert (answer.status_code, error["code"], error["param"]) == (status, code, param)
    kinds = {429: "rate_limit_error", 503: "server_error"}
    assert error["type"] == kinds.get(status, "invalid_request_error")
    message: str = error["message"]
    assert message
    return message


WRONG = [
    ({"model": None}, 400, "invalid_value", "model"),
    ({"model": ""}, 400, "invalid_value", "model"),
    ({"model": "whisper-1"}, 404, "model_not_found", "model"),
    ({"model": "m" * 201}, 400, "invalid_value", "model"),
    ({"voice": "nobody"}, 400, "unknown_voice", "voice"),
    ({"voice": "second/tone"}, 400, "unknown_voice", "voice"),
    ({"voice": "v" * 201}, 400, "invalid_value", "voice"),
    ({"voice": {}}, 400, "invalid_value", "voice"),
    ({"voice": {"id": 3}}, 400, "invalid_value", "voice"),
    ({"voice": ["tone"]}, 400, "invalid_value", "voice"),
    ({"model": "fake", "voice": "nobody"}, 400, "unknown_voice", "voice"),
    ({"input": ""}, 400, "empty", "input"),
    ({"input": " \n"}, 400, "empty", "input"),
    ({"input": 7}, 400, "invalid_value", "input"),
    ({"input": "a" * 20_001}, 400, "too_long", "input"),
    ({"response_format": "ogg"}, 400, "invalid_value", "response_format"),
    ({"stream_format": "websocket"}, 400, "invalid_value", "stream_format"),
    ({"speed": 0.2}, 400, "invalid_value", "speed"),
    ({"speed": 4.1}, 400, "invalid_value", "speed"),
    ({"speed": "fast"}, 400, "invalid_value", "speed"),
    ({"instructions": 3}, 400, "invalid_value", "instructions"),
]


async def test_fields_that_are_wrong(data_dir: Path) -> None:
    """Each is named; no engine is asked."""
    async with running_server(data_dir) as server, bare(server.url) as client:
        for fields, *refusal in WRONG:
            check_refusal(await client.post("/v1/audio/speech", json=wanting(**fields)), *refusal)
        for name in ("model", "voice", "input"):
            body = {key: value for key, value in wanting().items() if key != name}
            refusal = await client.post("/v1/audio/speech", json=body)
            check_refusal(refusal, 400, "missing_required_parameter", name)
        assert asked(server.engine) == []


async def test_what_is_refused_is_not_quoted(data_dir: Path) -> None:
    """A text in the wrong place does not come back in a message."""
    async with running_server(data_dir) as server, bare(server.url) as client:
        for fields in ({"input": ["my secret"]}, {"speed": "my secret"}, {"response_format": "my secret"}):
            answer = await client.post("/v1/audio/speech", json=wanting(**fields))
            assert answer.status_code == 400
            assert "secret" not in answer.text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"\xff\xfe",
        b'{"input": "\\ud800", "model": "tts-1", "voice": "alloy"}',
        b'{"input": NaN',
    ],
)
async def test_bodies_that_are_not_json(data_dir: Path, body: bytes) -> None:
    """Cut off, too deep, not UTF-8, half of a character: refused as such."""
    async with running_server(data_dir) as server, bare(server.url, **JSON) as client:
        check_refusal(await client.post("/v1/audio/speech", content=body), 400, "invalid_json")


@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"', b"3"])
async def test_json_that_is_no_object(data_dir: Path, body: bytes) -> None:
    """Is refused without naming a field."""
    async with running_server(data_dir) as server, bare(server.url, **JSON) as client:
        check_refusal(await client.post("/v1/audio/speech", content=body), 400, "invalid_value")


async def test_a_number_that_is_none_is_no_speed(data_dir: Path) -> None:
    """Python's JSON knows NaN; nothing is spoken at it."""
    async with running_server(data_dir) as server, bare(server.url, **JSON) as client:
        for number in ("NaN", "Infinity", "1e999"):
            body = json.dumps(wanting(speed=1.5)).replace("1.5", number)
            answer = await client.post("/v1/audio/speech", content=body)
            assert answer.status_code == 400
        assert asked(server.engine) == []


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_other_content_types(data_dir: Path, kind: str | None) -> None:
    """What is not said to be JSON is not read; the message says what to send."""
    headers = {"content-type": kind} if kind else {}
    async with running_server(data_dir) as server, bare(server.url, **headers) as client:
        answer = await client.post("/v1/audio/speech", content=json.dumps(wanting()))
        assert "application/json" in check_refusal(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON"])
async def test_json_by_its_other_names(data_dir: Path, kind: str) -> None:
    """A parameter and capital letters are no difference."""
    async with running_server(data_dir) as server, bare(server.url, **{"content-type": kind}) as client:
        assert (await client.post("/v1/audio/speech", content=json.dumps(wanting()))).status_code == 200


async def test_a_body_that_is_too_large(data_dir: Path) -> None:
    """Is refused in OpenAI's shape, whether its size was said before or not."""

    async def pieces() -> Any:
        for _ in range(3):
            yield b" " * 1_000

    async with running_server(data_dir, max_body_bytes=2_000) as server, bare(server.url, **JSON) as client:
        for body in (b" " * 2_001, pieces()):
            check_refusal(await client.post("/v1/audio/speech", content=body), 413, "too_large")
        padded = json.dumps(wanting()).encode().ljust(2_000)
        assert (await client.post("/v1/audio/speech", content=padded)).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/audio/speech", "POST"),
        ("PUT", "/v1/audio/speech", "POST"),
        ("HEAD", "/v1/audio/speech", "POST"),
        ("POST", "/v1/models", "GET"),
        ("DELETE", "/v1/models/tts-1", "GET"),
        ("POST", "/v1/audio/voices", "GET"),
    ],
)
async def test_wrong_methods(data_dir: Path, method: str, path: str, allowed: str) -> None:
    """405, with the one that is right."""
    async with running_server(data_dir) as server, bare(server.url) as client:
        answer = await client.request(method, path)
        assert answer.headers["allow"] == allowed
        if method == "HEAD":
            assert answer.status_code == 405
        else:
            check_refusal(answer, 405, "method_not_allowed")


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/audio/transcriptions", "/v1/", "/v1/audio/speech/"])
async def test_other_routes(data_dir: Path, path: str) -> None:
    """What is not offered says what is."""
    async with running_server(data_dir) as server, bare(server.url) as client:
        answer = await client.post(path, json={})
        assert "/v1/audio/speech" in check_refusal(answer, 404, "unknown_url")


async def test_an_unknown_model_is_not_found(data_dir: Path) -> None:
    """The client's own error for it."""
    async with running_server(data_dir) as server, asking(server.url) as client:
        with pytest.raises(openai.NotFoundError):
            await client.models.retrieve("gpt-9")


async def test_a_long_name_of_a_model_is_not_told_back_whole(data_dir: Path) -> None:
    """The refusal holds its first 200 characters."""
    async with running_server(data_dir) as server, bare(server.url) as client:
        message = check_refusal(await client.get("/v1/models/" + "x" * 20_000), 404, "model_not_found", "model")
        assert "x" * 200 in message
        assert "x" * 201 not in message


async def test_keys(data_dir: Path) -> None:
    """Every route asks for one, in OpenAI's shape, and the client knows the error; the key is in no answer."""
    async with running_server(data_dir, api_keys=("sk-right",)) as server:
        async with asking(server.url, "sk-wrong") as client:
            with pytest.raises(openai.AuthenticationError) as refused:
                await said(client)
            assert "sk-wrong" not in str(refused.value)
        async with bare(server.url) as client:
            for method, path in (
                ("POST", "/v1/audio/speech"),
                ("GET", "/v1/audio/voices"),
                ("GET", "/v1/audio/models"),
                ("GET", "/v1/models"),
                ("GET", "/v1/models/tts-1"),
                ("GET", "/v1/anything"),
            ):
                answer = await client.request(method, path)
                check_refusal(answer, 401, "invalid_api_key")
                assert answer.headers["www-authenticate"] == "Bearer"
        assert asked(server.engine) == []
        async with asking(server.url, "sk-right") as client:
            assert await said(client)


async def test_busy(data_dir: Path) -> None:
    """Where as many replies run as may, one more is told to come back, and can."""
    engine = engine_that(Step(hang_after=1, pieces=2), "Certainly.", s_per_char=0.3)
    async with running_server(data_dir, engine=engine, max_replies=1) as server, bare(server.url) as client:
        async with client.stream("POST", "/v1/audio/speech", json=wanting("Certainly.")) as running:
            assert running.status_code == 200
            answer = await client.post("/v1/audio/speech", json=wanting())
            check_refusal(answer, 429, "busy")
            assert int(answer.headers["retry-after"]) >= 1
            async with asking(server.url) as official:
                with pytest.raises(openai.RateLimitError):
                    await said(official)
        await server.app.chat.ended()
        assert (await client.post("/v1/audio/speech", json=wanting())).status_code == 200


async def test_one_callers_share(data_dir: Path) -> None:
    """A caller with as many replies as one may have is told so, in the same manner."""
    engine = engine_that(Step(hang_after=1, pieces=2), "Certainly.", s_per_char=0.3)
    async with (
        running_server(data_dir, engine=engine, max_replies_per_caller=1) as server,
        bare(server.url) as client,
        client.stream("POST", "/v1/audio/speech", json=wanting("Certainly.")) as running,
    ):
        assert running.status_code == 200
        answer = await client.post("/v1/audio/speech", json=wanting())
        check_refusal(answer, 429, "too_many")
        assert int(answer.headers["retry-after"]) >= 1


async def test_a_server_that_stops_takes_nothing_new(data_dir: Path) -> None:
    """And says when another is there."""
    async with running_server(data_dir) as server, bare(server.url) as client:
        server.app.stopping.told()
        answer = await client.post("/v1/audio/speech", json=wanting())
        check_refusal(answer, 503, "stopping")
        assert int(answer.headers["retry-after"]) >= 1


async def test_refusals_are_counted(data_dir: Path) -> None:
    """`/metrics` tells how many this door refused, and why."""
    async with running_server(data_dir) as server, bare(server.url) as client:
        for _ in range(2):
            await client.post("/v1/audio/speech", json=wanting(voice="nobody"))
        counted = (await client.get("/metrics")).text
        assert [line for line in counted.splitlines() if 'door="openai"' in line and line.endswith(" 2.0")]


@pytest.mark.parametrize("stream_format", ["audio", "sse"])
async def test_nobody_can_speak(data_dir: Path, stream_format: str) -> None:
    """No sound at all is an error with a status, also where events were asked for."""
    engine = quick_engine()
    engine.script = lambda *_: Step(fail_after=0)
    async with running_server(data_dir, engine=engine) as server, asking(server.url) as client:
        with pytest.raises(openai.InternalServerError) as refused:
            await said(client, stream_format=stream_format)
        check_refusal(refused.value.response, 503, "speech_failed")


async def test_without_the_encoders(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MP3 says what to install; WAV still speaks."""
    ordinary = builtins.__import__

    def without_av(name: str, *rest: Any, **named: Any) -> Any:
        if name == "av":
            raise ImportError("no module named av")
        return ordinary(name, *rest, **named)

    async with running_server(data_dir) as server, bare(server.url) as client:
        monkeypatch.setattr(builtins, "__import__", without_av)
        answer = await client.post("/v1/audio/speech", json=wanting(response_format="mp3"))
        told = check_refusal(answer, 400, "unsupported_format", "response_format")
        assert "pip install 'unavoce[codecs]'" in told
        assert (await client.post("/v1/audio/speech", json=wanting(response_format="wav"))).status_code == 200
