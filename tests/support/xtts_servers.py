"""Stand-ins for the four kinds of XTTS server, on a free port.

What they answer is what coqui-tts 0.28.0 and xtts-api-server 0.9.0 answer (`make test-xtts` puts them side by side),
and what was seen of xtts-streaming-server, which no package index has.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from tests.support.web import Web
from tests.support.xtts_model import HEADER, LANGUAGES, PITCH_HZ, Kind, Server, failed_as_asked, streamed, whole

Endpoint = Callable[[Server, Request], Any]


# -- xtts-streaming-server


async def _studio_speakers(server: Server, _: Request) -> Response:
    embedding = {
        name: {"speaker_embedding": [PITCH_HZ[name] / 1024, -0.5], "gpt_cond_latent": [[1.0, 2.0], [0.5, 3.0]]}
        for name in server.speakers
    }
    return JSONResponse(embedding)


async def _clone(server: Server, request: Request) -> Response:
    if b"RIFF" not in await request.body():
        return PlainTextResponse("Internal Server Error", 500)
    return JSONResponse({"gpt_cond_latent": [[9.0]], "speaker_embedding": [0.107421875]})


async def _streaming_speak(server: Server, request: Request) -> Response:
    wish = await request.json()
    server.wishes.append(wish)
    if not isinstance(wish.get("stream_chunk_size"), str) or "gpt_cond_latent" not in wish:
        return JSONResponse({"detail": [{"loc": ["body"], "msg": "wrong", "input": wish}]}, 422)
    pitch = {round(hertz / 1024, 6): name for name, hertz in PITCH_HZ.items()}
    speaker = pitch.get(round(wish["speaker_embedding"][0], 6), server.speakers[0])
    failed = await failed_as_asked(server, whole=False)
    if failed is None and wish["language"] not in LANGUAGES:
        return streamed(server, b"", wish["text"], "")
    return failed or streamed(server, HEADER if wish["add_wav_header"] else b"", wish["text"], speaker)


# -- xtts-api-server

LANGUAGE_NAMES = {
    "Arabic": "ar",
    "Brazilian Portuguese": "pt",
    "Chinese": "zh-cn",
    "Czech": "cs",
    "Dutch": "nl",
    "English": "en",
    "French": "fr",
    "German": "de",
    "Italian": "it",
    "Polish": "pl",
    "Russian": "ru",
    "Spanish": "es",
    "Turkish": "tr",
    "Japanese": "ja",
    "Korean": "ko",
    "Hungarian": "hu",
    "Hindi": "hi",
}


async def _api_languages(server: Server, _: Request) -> Response:
    return JSONResponse({"languages": LANGUAGE_NAMES})


async def _api_stream(server: Server, request: Request) -> Response:
    wish = dict(request.query_params)
    server.wishes.append(wish)
    if missing := {"text", "speaker_wav", "language"} - set(wish):
        return JSONResponse({"detail": [{"type": "missing", "loc": ["query", name]} for name in sorted(missing)]}, 422)
    if not server.local_model:
        return JSONResponse({"detail": "HTTP Streaming is only supported for local models."}, 400)
    if wish["language"].lower() not in LANGUAGES:
        return JSONResponse({"detail": "Language code sent is either unsupported or misspelled."}, 400)
    return await failed_as_asked(server, whole=False) or streamed(server, HEADER, wish["text"], wish["speaker_wav"])


async def _api_whole(server: Server, request: Request) -> Response:
    wish = await request.json()
    server.wishes.append(wish)
    if wish["language"] not in LANGUAGES:
        return JSONResponse({"detail": "Error: 400: Language code sent is either unsupported or misspelled."}, 500)
    if wish["speaker_wav"] not in server.speakers:
        return JSONResponse({"detail": f"Error: Speaker {wish['speaker_wav']} not found."}, 500)
    if failed := await failed_as_asked(server, whole=True):
        return failed
    wav = await whole(server, wish["text"], wish["speaker_wav"])
    note = b"LIST" + (26).to_bytes(4, "little") + b"INFOISFT" + (14).to_bytes(4, "little") + b"Lavf60.16.100\0"
    return Response(wav[:36] + note + wav[36:], media_type="audio/wav")


# -- coqui-tts tts-server


async def _coqui_voices(server: Server, _: Request) -> Response:
    lines = [name.replace("'", "&#39;") + " multilingual u\n" for name in server.speakers]
    return HTMLResponse("".join(lines), headers={"Connection": "close"})


async def _coqui_page(server: Server, _: Request) -> Response:
    options = [f'<option value="{code}" SELECTED>{code}</option>"' for code in sorted(LANGUAGES)]
    return HTMLResponse(f'<select id="language_id" name=language_id>\n{" ".join(options)}\n</select>')


async def _coqui_speak(server: Server, request: Request) -> Response:
    wish = dict(parse_qsl((await request.body()).decode()))
    server.wishes.append(wish)
    if not wish.get("text", "").strip():
        return JSONResponse({"error": "Text parameter is required"}, 400)
    if wish["language_id"] not in LANGUAGES:
        return JSONResponse({"error": f"TTS synthesis failed: '{wish['language_id']}'"}, 500)
    if len(wish["text"]) > 400:
        reason = " \u2757 XTTS can only generate text with a maximum of 400 tokens."
        return JSONResponse({"error": f"TTS synthesis failed: {reason}"}, 500)
    speaker = wish.get("speaker_id") or wish["speaker_wav"]
    if failed := await failed_as_asked(server, whole=True):
        return failed
    return Response(await whole(server, wish["text"], speaker), media_type="audio/wav", headers={"Connection": "close"})


# -- OpenAI's way


async def _openai_speak(server: Server, request: Request) -> Response:
    if server.key and request.headers.get("authorization") != f"Bearer {server.key}":
        return JSONResponse({"error": {"message": f"no: {request.headers.get('authorization')}"}}, 401)
    if request.method == "GET":
        return JSONResponse({"detail": "Method Not Allowed"}, 405)
    wish = await request.json()
    server.wishes.append(wish)
    if failed := await failed_as_asked(server, whole=False):
        return failed
    unknown = b"\xff\xff\xff\xff"
    head = HEADER[:4] + unknown + HEADER[8:40] + unknown
    return streamed(server, head, wish["input"], wish["voice"])


async def _openai_voices(server: Server, _: Request) -> Response:
    return JSONResponse({"voices": server.speakers}) if server.speakers else JSONResponse({}, 404)


# -- others


async def _any_page(server: Server, _: Request) -> Response:
    return HTMLResponse("<!doctype html>\n<title>A router</title>\n<p>Please log in.</p>")


async def _piper_voices(server: Server, _: Request) -> Response:
    return JSONResponse({"en_US-joe-medium": {"key": "en_US-joe-medium"}})


ROUTES: dict[Kind, dict[str, Endpoint]] = {
    "streaming": {
        "GET /languages": lambda server, _: _json(LANGUAGES),
        "GET /studio_speakers": _studio_speakers,
        "POST /clone_speaker": _clone,
        "POST /tts_stream": _streaming_speak,
    },
    "api-server": {
        "GET /languages": _api_languages,
        "GET /speakers_list": lambda server, _: _json(server.speakers),
        "GET /get_tts_settings": lambda server, _: _json({"temperature": 0.75, "speed": 1}),
        "GET /tts_stream": _api_stream,
        "POST /tts_to_audio/": _api_whole,
    },
    "coqui": {
        "GET /": _coqui_page,
        "GET /voices": _coqui_voices,
        "POST /api/tts": _coqui_speak,
        "POST /v1/audio/speech": _openai_speak,
    },
    "openai": {
        "GET /v1/audio/speech": _openai_speak,
        "POST /v1/audio/speech": _openai_speak,
        "GET /v1/audio/voices": _openai_voices,
    },
    "page": {"GET /{path:path}": _any_page, "POST /{path:path}": _any_page},
    "piper": {"GET /voices": _piper_voices},
}


async def _json(value: Any) -> Response:
    return JSONResponse(value)


def _app(server: Server) -> Starlette:
    def bound(endpoint: Endpoint) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            server.asked.append((request.method, request.url.path))
            response: Response = await endpoint(server, request)
            return response

        return answer

    routes = [
        Route(path, bound(endpoint), methods=[method])
        for method, path, endpoint in (
            (*route.split(" ", 1), endpoint) for route, endpoint in ROUTES[server.kind].items()
        )
    ]
    not_found = {404: _not_found} if server.kind in ("streaming", "api-server") else {}
    return Starlette(routes=routes, exception_handlers=not_found)


async def _not_found(_: Request, __: Exception) -> Response:
    """As FastAPI says it."""
    return JSONResponse({"detail": "Not Found"}, 404)


@asynccontextmanager
async def standing_in(kind: Kind, port: int = 0, **about: Any) -> AsyncIterator[Server]:
    """A server of that kind in this loop, until the block ends."""
    server = Server(kind, **about)
    with socket.create_server(("127.0.0.1", port)) as listening:
        server.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        web = Web(uvicorn.Config(_app(server), lifespan="off", log_config=None, timeout_graceful_shutdown=1))
        serving = asyncio.create_task(web.serve(sockets=[listening]))
        await web.ready.wait()
        try:
            yield server
        finally:
            server.model.gate.set()
            web.stop()
            await serving
            if server.work:
                await asyncio.wait(set(server.work))
