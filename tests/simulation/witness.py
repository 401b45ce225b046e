"""The witness: sees every event as devices receive it and checks the invariants of the design."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from tests.simulation import tracing
from tests.simulation.actors import PHRASES, Device, Received, ScriptedModel, Speech

from unavoce.chat.chat import Chat, Manner
from unavoce.chat.log import MAX_BYTES as LOG_BYTES
from unavoce.chat.outbox import MAX_BYTES as OUTBOX_BYTES
from unavoce.chat.reply import Reply
from unavoce.engines.fake import Call, FakeEngine
from unavoce.errors import RequestError
from unavoce.narration.plan import SENT_AHEAD_S
from unavoce.narration.planner import SoundSettings
from unavoce.narration.stage import Stage
from unavoce.narration.upkeep import PROBE, REHEARSAL

END_EVENTS = ("chat:text_done", "chat:audio_done", "chat:done")


@dataclass
class Record:
    """What is known of one reply."""

    reply: Reply
    message: str
    owner: Device
    manner: Manner
    aborted: bool = False
    last_index: dict[Device, int] = field(default_factory=dict)
    ends: dict[Device, list[str]] = field(default_factory=dict)
    text: dict[Device, str] = field(default_factory=dict)
    sentences: dict[Device, list[int]] = field(default_factory=dict)
    done: dict[str, dict] = field(default_factory=dict)
    longest_chunk_s: float = 0.0
    voices: list[str] = field(default_factory=list)
    """The engines heard, each change."""
    spoken: dict[int, bool] = field(default_factory=dict)
    """Per sentence of which sound was received: whether its last chunk was."""
    sources: dict[int, str] = field(default_factory=dict)
    """Per sentence: where the sound of its first chunk came from."""


class Witness:
    def __init__(self, engines: list[FakeEngine], speeches: dict[str, Speech], sound: SoundSettings) -> None:
        self.engines = engines
        self.speeches = speeches
        self.sound = sound
        self.records: dict[str, Record] = {}
        self.resumed: set[Device] = set()
        self.tabs: set[Device] = set()

    # -- told by the world

    def began(self, reply: Reply, message: str, device: Device, manner: Manner) -> None:
        self.records[reply.id] = Record(reply, message, device, manner)

    def refused(self, error: RequestError, expected: str) -> None:
        """The service turned a request down: for one reason only."""
        assert error.code == expected

    def aborted(self, chat: Chat, session: str) -> None:
        """An abort was acknowledged: from here on only end events may leave."""
        for record in self.records.values():
            if record.reply.session.id == session and record.reply.narrator.aborted:
                record.aborted = True

    def returned(self, device: Device, wanted: dict[str, int]) -> None:
        self.resumed.add(device)

    def tab(self, device: Device) -> None:
        self.tabs.add(device)

    def misses(self, device: Device, reply_id: str) -> bool:
        """`device` began the reply and has not seen its end: it will ask for the rest."""
        record = self.records[reply_id]
        return record.owner is device and "chat:done" not in record.ends.get(device, [])

    def last_index(self, device: Device, reply_id: str) -> int:
        return self.records[reply_id].last_index.get(device, -1)

    # -- at every event

    def saw(self, device: Device, received: Received) -> None:
        payload = received.payload
        record = self.records[payload["replyId"]]
        assert payload["sessionId"] == record.reply.session.id
        if record.aborted:
            assert received.name in END_EVENTS, f"{received.name} after the abort was acknowledged"
        ends = record.ends.setdefault(device, [])
        if received.name in END_EVENTS:
            self._saw_end(record, device, ends, received)
        else:
            assert "chat:done" not in ends, f"{received.name} after done"
        match received.name:
            case "chat:audio_chunk":
                self._saw_chunk(record, device, ends, payload)
            case "chat:token":
                self._saw_token(record, device, ends, payload)
            case "chat:sentence":
                self._saw_sentence(record, device, payload)

    def _saw_end(self, record: Record, device: Device, ends: list[str], received: Received) -> None:
        allowed = list(END_EVENTS) if record.manner.speak else ["chat:text_done", "chat:done"]
        ends.append(received.name)
        if device not in self.resumed:
            assert ends == allowed[: len(ends)], f"ends in the wrong order: {ends}"
        known = record.done.setdefault(received.name, received.payload)
        assert known == received.payload, "two clients were told different ends"

    def _saw_chunk(self, record: Record, device: Device, ends: list[str], payload: dict) -> None:
        assert device is record.owner, "sound went to a client that did not ask for it"
        assert record.manner.speak
        if device not in self.resumed:
            assert "chat:audio_done" not in ends
        assert payload["index"] == record.last_index.get(device, -1) + 1, "a chunk is missing or came twice"
        record.last_index[device] = payload["index"]
        record.longest_chunk_s = max(record.longest_chunk_s, payload["durationMs"] / 1000 + 0.001)
        self._saw_voice(record, payload)
        self._saw_cached(record, payload)
        number = payload["sentence"]
        assert bool(payload["text"]) == (number not in record.spoken), "text stands on a sentence's first chunk only"
        assert not record.spoken.get(number), "a chunk after the sentence's last"
        assert number >= max(record.spoken, default=0), "sentences out of order"
        unfinished = [one for one, last in record.spoken.items() if not last and one != number]
        assert not unfinished, f"sentence {unfinished} was never closed"
        record.spoken[number] = payload["last"]
        if device not in self.resumed:
            tracing.check_running(record.reply.narrator.trace, number, payload["engine"])

    def _saw_voice(self, record: Record, payload: dict) -> None:
        """Invariant 3: p…p or p…pf…f, where f is a later engine; with `never` no f at all."""
        if not record.voices or record.voices[-1] != payload["engine"]:
            record.voices.append(payload["engine"])
        order = [engine.name for engine in self.engines]
        places = [order.index(name) for name in record.voices]
        assert places == sorted(set(places)), f"voices went back: {record.voices}"
        assert len(places) <= (1 if self.sound.voice_switch == "never" else 2), f"too many voices: {record.voices}"

    def _saw_cached(self, record: Record, payload: dict) -> None:
        """Invariant 6: what comes from the cache was whole, and made by that engine, in that voice."""
        source = record.sources.setdefault(payload["sentence"], payload["cache"])
        assert payload["cache"] == source or source == "none", "a clip from the cache is whole"
        if payload["cache"] == "none" or not payload["text"]:
            return
        made = [call.outcome for engine in self.engines if engine.name == payload["engine"] for call in engine.calls]
        assert payload["text"] in PHRASES or "done" in made, "a clip from nowhere"

    def _saw_token(self, record: Record, device: Device, ends: list[str], payload: dict) -> None:
        text = record.text.get(device, "")
        if device in self.resumed:
            # What it had when it came back is its own business: the place says where a piece belongs.
            record.text[device] = text[: payload["start"]] + payload["text"]
            return
        assert "chat:text_done" not in ends
        assert payload["start"] == len(text), "text is missing or came twice"
        record.text[device] = text + payload["text"]

    def _saw_sentence(self, record: Record, device: Device, payload: dict) -> None:
        numbers = record.sentences.setdefault(device, [])
        if device not in self.resumed:
            assert payload["sentence"] == len(numbers)
        numbers.append(payload["sentence"])
        # Sentences are told after the text they stand in.
        assert record.text[device][payload["start"] : payload["end"]] == payload["text"]

    def check_bounds(self, device: Device) -> None:
        for engine in self.engines:
            assert engine.most_running <= engine.max_concurrency
            running = [call for call in engine.calls if call.outcome == "running" and call.cancelled_at is None]
            # One that fell silent in mid-sentence may be asked for anew while another reply still hopes for its rest.
            wanted = Counter((call.spoken, call.voice) for call in running if not call.emitted)
            assert all(count == 1 for count in wanted.values()), f"{running} synthesised twice at a time"
            assert max(Counter((call.spoken, call.voice) for call in running).values(), default=0) <= 2
        assert device.client.outbox.queued_bytes <= OUTBOX_BYTES
        for record in self.records.values():
            narrator = record.reply.narrator
            assert narrator.in_synthesis <= self.sound.max_parallel
            now_s = asyncio.get_running_loop().time()
            assert narrator.clock.ahead_s(now_s) <= SENT_AHEAD_S + record.longest_chunk_s + 1e-6
            assert record.reply.log.size <= LOG_BYTES

    # -- at the end

    def check_end(self, stage: Stage, chat: Chat, model: ScriptedModel) -> None:
        assert model.open == 0, "a model is still writing for nobody"
        assert chat.running == 0
        assert stage.idle, "the stage still works for nobody"
        assert all(call.outcome != "running" for call in self._calls_for_replies())
        for record in self.records.values():
            assert record.reply not in chat.replies, "a reply is remembered for ever"
            self._check_trace(record, chat)
            if record.owner.style == "fast" and record.owner.connected and record.owner not in self.resumed:
                self._check_whole(record)

    def _calls_for_replies(self) -> list[Call]:
        return [call for engine in self.engines for call in engine.calls if call.spoken not in (PROBE, REHEARSAL)]

    def _check_trace(self, record: Record, chat: Chat) -> None:
        trace = record.reply.narrator.trace
        tracing.check_ended(trace, self.engines, whole=not record.reply.narrator.aborted)
        told = chat.trace(record.reply.session.key, record.reply.id)
        assert told["status"] == record.done.get("chat:done", {"reason": trace.ended})["reason"]
        assert [one["chunks"] for one in told["sentences"]] == [
            record.reply.narrator.chunk_sentences.count(number) for number in range(len(told["sentences"]))
        ]

    def _check_whole(self, record: Record) -> None:
        """An attentive listener who stayed: everything arrived."""
        owner = record.owner
        expected = ["chat:text_done", "chat:audio_done", "chat:done"]
        assert record.ends[owner] == (expected if record.manner.speak else [expected[0], expected[2]])
        done = record.done["chat:done"]
        speech = self.speeches[record.message]
        assert done["text"] == record.done["chat:text_done"]["text"]
        if done["reason"] != "aborted":
            assert done["text"] == speech.text == record.text.get(owner, "")
            if record.manner.speak:
                self._check_spoken(record, done["reason"])
            else:
                assert done["reason"] == ("failed" if speech.error or not speech.text.strip() else "complete")

    def _check_spoken(self, record: Record, reason: str) -> None:
        audio = record.done["chat:audio_done"]
        assert audio["totalChunks"] == record.last_index.get(record.owner, -1) + 1
        skipped = {entry["sentence"] for entry in audio["skipped"]}
        partial = {entry["sentence"] for entry in audio["skipped"] if entry.get("partial")}
        cut = set(record.sentences.get(record.owner, []))
        assert set(record.spoken) | skipped == cut, "a sentence was dropped in silence"
        assert set(record.spoken) & skipped == partial
        traced = record.reply.narrator.trace.sentences
        assert {one.number for one in traced if one.skipped is not None} == skipped
        assert all(record.spoken.values()), "a sentence has no last chunk"
        speech = self.speeches[record.message]
        failed = bool(skipped or speech.error or not speech.text.strip())
        assert reason == audio["reason"] == ("failed" if failed else "complete")
