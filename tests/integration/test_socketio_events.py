"""Every event, field, acknowledgement and code that docs/protocol.md promises, seen by python-socketio's client."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import numpy as np
import pytest
from tests.support.client import check_order, decoded, joined, listening, names
from tests.support.protocol import check_acknowledgement, check_event
from tests.support.server import Answer, ScriptedModel, quick_engine, running_server

from unavoce.engines.fake import FakeEngine, Step
from unavoce.errors import EngineRefused, EngineUnavailable

TWO_SENTENCES = ("Good evening, sir. ", "Dinner is ", "served.")
TEXT = "".join(TWO_SENTENCES)


def model(**answers: Answer) -> ScriptedModel:
    return ScriptedModel(dict(answers), otherwise=TWO_SENTENCES)


async def test_every_event_of_a_reply_has_exactly_the_fields_of_the_page(data_dir: Path) -> None:
    """Names, fields and types of all events of a spoken reply are those of docs/protocol.md."""
    async with running_server(data_dir, model=model()) as server, listening(server.url) as listener:
        _, reply = await listener.say("Hello")
        events = await listener.end(reply)
        assert set(names(events)) == {
            "chat:token",
            "chat:sentence",
            "chat:audio_chunk",
            "chat:text_done",
            "chat:audio_done",
            "chat:done",
        }
        for name, payload in listener.events:
            if name != "ack":
                check_event(name, payload)


async def test_the_values_of_a_replys_events_agree_with_each_other(data_dir: Path) -> None:
    """Places, numbers, durations, texts and counts of one reply fit together."""
    async with running_server(data_dir, model=model()) as server, listening(server.url) as listener:
        session, reply = await listener.say("Hello")
        events = await listener.end(reply)
        assert all(payload["sessionId"] == session for _, payload in events)
        text = ""
        for token in listener.payloads(reply, "chat:token"):
            assert token["start"] == len(text)
            text += token["text"]
        assert text == TEXT
        sentences = listener.payloads(reply, "chat:sentence")
        assert [one["sentence"] for one in sentences] == [0, 1]
        assert all(TEXT[one["start"] : one["end"]].strip() == one["text"].strip() for one in sentences)
        chunks = listener.chunks(reply)
        assert [chunk["index"] for chunk in chunks] == list(range(len(chunks)))
        for chunk in chunks:
            assert abs(len(decoded(chunk)) / chunk["sampleRate"] * 1000 - chunk["durationMs"]) <= 1
        assert [chunk["text"] for chunk in chunks if chunk["text"]] == [one["text"] for one in sentences]
        assert [chunk["sentence"] for chunk in chunks if chunk["last"]] == [0, 1]
        assert {(chunk["engine"], chunk["voice"], chunk["cache"]) for chunk in chunks} == {("fake", "tone", "none")}
        (end,) = listener.payloads(reply, "chat:audio_done")
        assert (end["totalChunks"], end["reason"], end["engines"], end["skipped"]) == (
            len(chunks),
            "complete",
            ["fake"],
            [],
        )
        (done,) = listener.payloads(reply, "chat:done")
        assert (done["text"], done["reason"]) == (TEXT, "complete")
        order = ["firstToken", "firstSentence", "firstAudio", "lastAudio"]
        assert all(done["timings"][name] is not None for name in [*order, "lastToken"])
        assert sorted(order, key=lambda name: done["timings"][name]) == order


async def test_the_acknowledgement_comes_first_and_the_end_in_order(data_dir: Path) -> None:
    """A reply's id is acknowledged before its first event; its events follow in the order of the page."""
    async with running_server(data_dir, model=model()) as server, listening(server.url) as listener:
        _, reply = await listener.say("Hello")
        check_order(await listener.end(reply))
        first = next(place for place, (_, payload) in enumerate(listener.events) if payload.get("replyId") == reply)
        acknowledged = next(place for place, (name, _) in enumerate(listener.events) if name == "ack")
        assert acknowledged < first


async def test_every_acknowledgement_has_exactly_the_fields_of_the_page(data_dir: Path) -> None:
    """All eight events are acknowledged as docs/protocol.md says, when they are taken and when they are not."""
    async with running_server(data_dir, model=model()) as server, listening(server.url) as listener:
        sent = await listener.call("chat:send", {"message": "Hello"})
        session, reply = sent["sessionId"], sent["replyId"]
        await listener.end(reply)
        begun = await listener.call("speak:start", {"sessionId": session})
        spoken = begun["replyId"]
        answers = [
            ("chat:send", sent),
            ("speak:start", begun),
            ("speak:text", await listener.call("speak:text", {"replyId": spoken, "text": "At your service."})),
            ("speak:end", await listener.call("speak:end", {"replyId": spoken})),
            ("chat:played", await listener.call("chat:played", {"replyId": reply, "index": 0, "positionMs": 1.5})),
            ("chat:join", await listener.call("chat:join", {"sessionId": session, "after": {reply: 0}})),
            ("chat:abort", await listener.call("chat:abort", {"sessionId": session})),
            ("chat:history", await listener.call("chat:history", {"sessionId": session})),
        ]
        for event, answer in answers:
            assert answer["ok"] is True, (event, answer)
            check_acknowledgement(event, answer)
            check_acknowledgement(event, await listener.call(event, {}))
        assert {one["replyId"] for one in answers[5][1]["replies"]} == {reply, spoken}


async def test_text_only_replies_have_no_sound(data_dir: Path) -> None:
    """With speak false there is no chunk, no audio_done and no call of the engine."""
    async with running_server(data_dir, model=model()) as server, listening(server.url) as listener:
        await listener.until(lambda: ("engine:status", "healthy") in [(n, p.get("status")) for n, p in listener.events])
        rehearsals = len(server.engine.calls)
        _, reply = await listener.say("Hello", speak=False)
        events = await listener.end(reply)
        check_order(events, speaks=False)
        for name, payload in events:
            check_event(name, payload)
        assert len(server.engine.calls) == rehearsals
        (done,) = listener.payloads(reply, "chat:done")
        assert done["timings"]["firstAudio"] is None
        assert done["timings"]["lastAudio"] is None


async def test_engine_status_comes_on_connecting_and_at_each_change(data_dir: Path) -> None:
    """A client learns how each engine is when it connects and whenever that changes; `since` is Unix ms."""
    async with running_server(data_dir) as server, listening(server.url) as listener:
        await listener.until(lambda: any(name == "engine:status" for name, _ in listener.events))
        server.chain.failed("fake", EngineUnavailable("pulled out"))
        await listener.until(lambda: any(payload.get("reason") == "pulled out" for _, payload in listener.events))
        statuses = [payload for name, payload in listener.events if name == "engine:status"]
        for status in statuses:
            check_event("engine:status", status)
            assert abs(status["since"] - time.time() * 1000) < 600_000
        assert statuses[-1]["status"] == "down"
        async with listening(server.url) as late:
            await late.until(lambda: late.events)
            assert late.events[0] == ("engine:status", statuses[-1])


async def test_replies_of_one_session_and_of_several_run_side_by_side(data_dir: Path) -> None:
    """Three replies of a session and two of others overlap; each is whole, in order, and its own session's only."""
    gate = asyncio.Event()
    held: Answer = ("One moment, sir. ", gate, "Here it is.")
    script = ScriptedModel(otherwise=held)
    async with (
        running_server(data_dir, model=script) as server,
        listening(server.url) as one,
        listening(server.url) as other,
    ):
        session, first = await one.say("1")
        mine = [first] + [(await one.say(str(number), sessionId=session))[1] for number in (2, 3)]
        others = [(await other.say(str(number)))[1] for number in (4, 5)]
        for listener, replies in ((one, mine), (other, others)):
            for reply in replies:
                await listener.reach(reply, "chat:token")
        assert script.open == 5, "all five are being written"
        gate.set()
        for listener, replies in ((one, mine), (other, others)):
            for reply in replies:
                check_order(await listener.end(reply))
                assert listener.payloads(reply, "chat:done")[0]["text"] == "One moment, sir. Here it is."
                assert joined(listener.chunks(reply)).size
        assert not any(one.of(reply) for reply in others)
        assert not any(other.of(reply) for reply in mine)


async def test_interrupt_stops_the_sessions_other_replies_only(data_dir: Path) -> None:
    """With interrupt the session's running reply ends as aborted; another session's reply goes on."""
    gate = asyncio.Event()
    script = model(wait=("Let me see. ", gate, "Now."))
    async with (
        running_server(data_dir, model=script) as server,
        listening(server.url) as one,
        listening(server.url) as other,
    ):
        session, stopped = await one.say("wait")
        _, spared = await other.say("wait")
        await other.reach(spared, "chat:token")
        _, second = await one.say("Hello", sessionId=session, interrupt=True)
        check_order(await one.end(stopped))
        assert one.payloads(stopped, "chat:done")[0]["reason"] == "aborted"
        check_order(await one.end(second))
        assert one.payloads(second, "chat:done")[0]["reason"] == "complete"
        gate.set()
        await other.end(spared)
        assert other.payloads(spared, "chat:done")[0]["reason"] == "complete"


async def test_voice_and_speed_are_as_asked_for(data_dir: Path) -> None:
    """A named voice speaks, twice the speed takes half the time, and an unknown voice is refused by name."""
    engine = quick_engine(voices=("tone", "bell"))
    async with running_server(data_dir, engine=engine, model=model()) as server, listening(server.url) as listener:
        lengths = []
        for fields in ({}, {"voice": "bell"}, {"voice": "fake/bell"}, {"speed": 2.0}, {"speed": None, "voice": None}):
            _, reply = await listener.say("Hello", **fields)
            await listener.end(reply)
            asked = str(fields.get("voice") or "tone").removeprefix("fake/")
            assert {chunk["voice"] for chunk in listener.chunks(reply)} == {asked}
            lengths.append(sum(chunk["durationMs"] for chunk in listener.chunks(reply)))
        assert lengths[3] < 0.75 * lengths[0]
        assert lengths[4] == lengths[0]
        answer = await listener.call("chat:send", {"message": "Hello", "voice": "no such voice"})
        assert answer["error"]["code"] == "unknown_voice"
        assert "'no such voice'" in answer["error"]["message"]
        assert "bell" in answer["error"]["message"]


async def test_opus_decodes_to_the_same_length_and_tone(data_dir: Path) -> None:
    """With format opus each chunk is an Ogg file of its own that decodes to its duration and has the voice's pitch."""
    async with (
        running_server(data_dir, model=model(), sample_rate_hz=24_000) as server,
        listening(server.url) as listener,
    ):
        _, plain = await listener.say("Hello", format="wav")
        _, packed = await listener.say("Hello", format="opus")
        await listener.end(plain)
        await listener.end(packed)
        wav, opus = joined(listener.chunks(plain)), []
        for chunk in listener.chunks(packed):
            check_event("chat:audio_chunk", chunk)
            assert chunk["contentType"] == "audio/ogg; codecs=opus"
            assert chunk["audio"][:4] == b"OggS"
            opus.append(decoded(chunk))
        samples = np.concatenate(opus)
        times = len(samples) / len(wav)
        assert times in (1.0, 2.0), "48 kHz or 24 kHz, to the sample"
        pitches = [np.argmax(np.abs(np.fft.rfft(one)[: len(wav) // 2])) for one in (wav, samples)]
        assert abs(int(pitches[0]) - int(pitches[1])) <= 2


async def test_history_tells_who_said_what_and_what_was_heard(data_dir: Path) -> None:
    """Messages stand in order, with their replies' ids; heardText follows chat:played and is absent without sound."""
    async with running_server(data_dir, model=model()) as server, listening(server.url) as listener:
        session, reply = await listener.say("Hello")
        await listener.end(reply)
        chunks = listener.chunks(reply)
        first = next(chunk for chunk in chunks if chunk["last"])
        whole = {"replyId": reply, "index": first["index"], "positionMs": first["durationMs"]}
        await listener.ok("chat:played", whole)
        await listener.ok("chat:abort", {"sessionId": session})
        _, silent = await listener.say("And in writing?", sessionId=session, speak=False)
        await listener.end(silent)
        answer = await listener.ok("chat:history", {"sessionId": session})
        messages = answer["messages"]
        check_acknowledgement("chat:history", answer)
        assert [(one["role"], one["text"], one.get("replyId")) for one in messages] == [
            ("user", "Hello", None),
            ("assistant", TEXT, reply),
            ("user", "And in writing?", None),
            ("assistant", TEXT, silent),
        ]
        assert messages[1]["heardText"].strip() == "Good evening, sir."
        assert "heardText" not in messages[3]
        assert [one["at"] for one in messages] == sorted(one["at"] for one in messages)
        assert abs(messages[0]["at"] - time.time() * 1000) < 600_000


async def test_the_model_sees_what_was_heard_of_a_stopped_reply(data_dir: Path) -> None:
    """A later message's prompt holds the earlier turns; of a stopped reply only what was played."""
    script = model()
    async with running_server(data_dir, model=script) as server, listening(server.url) as listener:
        session, reply = await listener.say("Hello")
        await listener.end(reply)
        first = next(chunk for chunk in listener.chunks(reply) if chunk["last"])
        played = {"replyId": reply, "index": first["index"], "positionMs": first["durationMs"]}
        await listener.ok("chat:played", played)
        assert (await listener.ok("chat:abort", {"sessionId": session, "replyId": reply}))["aborted"] == 1
        _, second = await listener.say("And now?", sessionId=session)
        await listener.end(second)
        assert [(one.role, one.text.strip()) for one in script.asked[-1]] == [
            ("user", "Hello"),
            ("assistant", "Good evening, sir."),
            ("user", "And now?"),
        ]
        _, third = await listener.say("Go on.", sessionId=session)
        await listener.end(third)
        assert [one.text for one in script.asked[-1]][-2:] == [TEXT, "Go on."], "one that was not stopped is whole"


async def test_abort_in_mid_reply_leaves_nothing_but_the_end(data_dir: Path) -> None:
    """After the acknowledgement of chat:abort only end events come, and the model and the engine have stopped."""
    script = ScriptedModel(otherwise=[*(f"This is sentence {number}, sir. " for number in range(200)), asyncio.Event()])
    async with running_server(data_dir, model=script) as server, listening(server.url) as listener:
        session, reply = await listener.say("Talk")
        await listener.reach(reply, "chat:audio_chunk", 2)
        assert (await listener.ok("chat:abort", {"sessionId": session, "replyId": reply}))["aborted"] == 1
        events = await listener.end(reply)
        acknowledged = max(place for place, (name, _) in enumerate(listener.events) if name == "ack")
        after = [name for name, payload in listener.events[acknowledged + 1 :] if payload.get("replyId") == reply]
        assert after == [one for one in ("chat:text_done", "chat:audio_done", "chat:done") if one in after]
        assert after[-2:] == ["chat:audio_done", "chat:done"]
        check_order(events)
        assert listener.payloads(reply, "chat:audio_done")[0]["totalChunks"] == len(listener.chunks(reply))
        assert {payload["reason"] for _, payload in events if "reason" in payload} == {"aborted"}
        assert script.open == 0
        assert (await listener.ok("chat:abort", {"sessionId": session, "replyId": reply}))["aborted"] == 0


async def test_abort_after_done_settles_what_was_heard_without_an_event(data_dir: Path) -> None:
    """A reply that is over but still playing can be stopped once; no event follows, and heardText stays as it was."""
    async with running_server(data_dir, model=model()) as server, listening(server.url) as listener:
        session, reply = await listener.say("Hello")
        await listener.end(reply)
        await listener.ok("chat:played", {"replyId": reply, "index": 0, "positionMs": 0})
        before = len(listener.of(reply))
        assert (await listener.ok("chat:abort", {"sessionId": session}))["aborted"] == 1
        assert (await listener.ok("chat:abort", {"sessionId": session}))["aborted"] == 0
        settled = (await listener.ok("chat:history", {"sessionId": session}))["messages"][1]["heardText"]
        assert settled in TEXT
        assert settled != TEXT
        last = len(listener.chunks(reply)) - 1
        await listener.ok("chat:played", {"replyId": reply, "index": last, "positionMs": 60_000})
        assert (await listener.ok("chat:history", {"sessionId": session}))["messages"][1]["heardText"] == settled
        assert len(listener.of(reply)) == before


async def test_a_sentence_that_no_engine_speaks_is_skipped_and_told(data_dir: Path) -> None:
    """A refused sentence stands in `skipped`, chat:error tells it once, the rest is spoken, the reply ends failed."""

    def script(_: int, text: str) -> Step:
        return Step(fail_after=0, error=EngineRefused) if "evening" in text and "sir" in text else Step()

    engine = FakeEngine(quick_engine().options, script=script)
    async with running_server(data_dir, engine=engine, model=model()) as server, listening(server.url) as listener:
        _, reply = await listener.say("Hello")
        events = await listener.end(reply)
        check_order(events)
        for name, payload in events:
            check_event(name, payload)
        (end,) = listener.payloads(reply, "chat:audio_done")
        assert [one["sentence"] for one in end["skipped"]] == [0]
        assert end["reason"] == "failed"
        assert [one["code"] for one in listener.payloads(reply, "chat:error")] == ["speech_failed"]
        assert {chunk["sentence"] for chunk in listener.chunks(reply)} == {1}


async def test_a_sentence_cut_off_is_closed_and_marked_partial(data_dir: Path) -> None:
    """An engine that dies in mid-sentence leaves a closing chunk with `last` and a `partial` entry in `skipped`."""

    def script(_: int, text: str) -> Step:
        return Step(pieces=4, fail_after=2) if "evening" in text and "sir" in text else Step()

    engine = FakeEngine(quick_engine().options, script=script)
    async with running_server(data_dir, engine=engine, model=model()) as server, listening(server.url) as listener:
        _, reply = await listener.say("Hello")
        events = await listener.end(reply)
        check_order(events)
        (end,) = listener.payloads(reply, "chat:audio_done")
        check_event("chat:audio_done", end)
        assert [(one["sentence"], one.get("partial")) for one in end["skipped"]] == [(0, True)]
        assert [chunk["sentence"] for chunk in listener.chunks(reply) if chunk["last"]] == [0, 1]


@pytest.mark.parametrize("transport", ["polling", "websocket"])
async def test_either_transport_alone_is_enough(data_dir: Path, transport: str) -> None:
    """A client that can only poll hears the same sound as one that has a WebSocket."""
    async with (
        running_server(data_dir, model=model()) as server,
        listening(server.url, transports=[transport]) as listener,
        listening(server.url) as reference,
    ):
        assert listener.client.transport() == transport
        _, reply = await listener.say("Hello")
        check_order(await listener.end(reply))
        _, same = await reference.say("Hello")
        await reference.end(same)
        assert np.array_equal(joined(listener.chunks(reply)), joined(reference.chunks(same)))


async def test_polling_client_upgrades_in_mid_conversation(data_dir: Path) -> None:
    """The usual client, which begins by polling and upgrades, gets every event once."""
    async with (
        running_server(data_dir, model=model()) as server,
        listening(server.url, transports=["polling", "websocket"]) as listener,
    ):
        assert listener.client.transport() == "websocket"
        _, reply = await listener.say("Hello")
        check_order(await listener.end(reply))
