"""A reply and who hears it: text goes to every client of its session, sound to one of them.

The reply is the narrator's listener. It outlives a lost connection for a while, and its end for as long as its sound
plays, so that a client can come back to it, stop it, and history can tell what was heard.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

from unavoce.chat.client import Caller, Client
from unavoce.chat.heard import heard_text
from unavoce.chat.history import Entry
from unavoce.chat.log import EventLog
from unavoce.chat.outbox import GoneError
from unavoce.chat.session import Session, new_id
from unavoce.chat.traces import TracedReply
from unavoce.chat.wire import Wired, chunk_on_wire, event_on_wire
from unavoce.narration.events import Chunk, Event, SentenceCut, TextDone, Token
from unavoce.narration.narrator import ReplyNarrator
from unavoce.narration.plan import Plan
from unavoce.narration.stage import Stage

END_EVENTS = frozenset({"chat:text_done", "chat:audio_done", "chat:done"})


class Reply:
    """One answer, from its first token to the end of its sound.

    `forget` is called once, when nobody can come back to it any more. `grace_s`: how long it goes on for a client that
    lost its connection. `dictated`: a client streams its text, and so nobody is told it in tokens.
    """

    def __init__(
        self,
        session: Session,
        owner: Client,
        *,
        stage: Stage,
        plan: Plan,
        grace_s: float,
        forget: Callable[[Reply], None],
        dictated: bool = False,
    ) -> None:
        self.id = new_id()
        self.session = session
        self.over = False
        self.ended = asyncio.Event()
        """Set once it is over."""
        self._speaks = plan.casting is not None
        self.narrator = ReplyNarrator(stage, plan, self)
        self._beginner = owner
        self._owner: Client | None = owner
        self._owner_change = asyncio.Event()
        self.log = EventLog()
        self._grace_s = grace_s
        self._forget = forget
        self._dictated = dictated
        self._timer: asyncio.TimerHandle | None = None
        self._settled = False
        self._heard: str | None = None
        self.entry = Entry("assistant", reply_id=self.id, reply=self)

    async def run(self, tokens: AsyncGenerator[str, None]) -> None:
        try:
            await self.narrator.run(tokens)
        finally:
            self.over = True
            self._wind_down()
            self.ended.set()

    # -- the narrator's listener

    def tell(self, event: Event) -> None:
        if self._dictated and isinstance(event, Token):
            return
        name, payload = self._named(event_on_wire(event))
        self.log.add(name, payload)
        for client in self.session.clients.values():
            client.outbox.post(name, payload, self.id)

    async def hear(self, chunk: Chunk, taken: Callable[[], None]) -> None:
        name, payload = self._named(chunk_on_wire(chunk))

        def left() -> None:
            self.log.add(name, payload, chunk.index, place)
            taken()

        while True:
            owner = await self._present_owner()
            place = self.log.told
            try:
                return await owner.outbox.deliver(name, payload, self.id, left)
            except GoneError:
                if owner is self._owner and owner.outbox.closed:
                    self.lost(owner)

    async def _present_owner(self) -> Client:
        while self._owner is None:
            self._owner_change.clear()
            await self._owner_change.wait()
        return self._owner

    # -- clients come and go

    @property
    def owner(self) -> Client | None:
        """Who hears it; None while that client is lost."""
        return self._owner

    @property
    def caller(self) -> Caller:
        """Who asked for it."""
        return self._beginner.caller

    def begun_by(self, client: Client) -> bool:
        return self._beginner is client

    def take_over(self, client: Client, after: int, *, knows_text: bool) -> int:
        """`client` hears the reply from now on, from the chunk after `after`; missed events are sent again first.

        `knows_text`: it was attached to the session all along, so text has reached it. Returns the next index.
        """
        if self._owner is not None and self._owner is not client:
            self._owner.outbox.retract(self.id, lambda name: name == "chat:audio_chunk")
        missed = self.log.after(after)
        for entry in missed:
            if entry.index is not None or not knows_text:
                client.outbox.post(entry.name, entry.payload, self.id)
        self.narrator.clock.resent(_now(), after + 1)
        self._owner = client
        self._owner_change.set()
        if not self.over:
            self._cancel_timer()
        elif not self.narrator.aborted:
            self._settled = False
            self._wind_down()
        return next((entry.index for entry in missed if entry.index is not None), self.next_index)

    def catch_up(self, client: Client) -> None:
        """Tell a client that has just come the text so far."""
        events: list[Event] = []
        if self.text and not self.narrator.aborted:
            tokens = [] if self._dictated else [Token(self.text, 0)]
            events += [*tokens, *map(SentenceCut, self.narrator.sentences)]
        if self.narrator.text_told:
            events.append(TextDone(self.text))
        for event in events:
            client.outbox.post(*self._named(event_on_wire(event)), self.id)

    def lost(self, client: Client) -> None:
        """`client` is gone; the reply goes on for the grace period."""
        if self._owner is client:
            self._owner = None
            if not self.over:
                self._set_timer(self._grace_s, self.abort)

    # -- stopping, and what was heard

    @property
    def next_index(self) -> int:
        return len(self.narrator.chunk_sentences)

    @property
    def text(self) -> str:
        return self.narrator.text

    @property
    def playing(self) -> bool:
        """It can still be stopped: it runs, or its sound has not run out."""
        return not self._settled and (not self.over or self.narrator.clock.ahead_s(_now()) > 0)

    def abort(self) -> None:
        """Nothing of it leaves any more but its end. After its end: settles what was heard."""
        self.narrator.abort()
        self.log.keep_only(END_EVENTS)
        for client in self.session.clients.values():
            client.outbox.retract(self.id, lambda name: name not in END_EVENTS)
        self._settle()
        if self.over:
            self._wind_down()

    def played(self, index: int, position_s: float) -> None:
        """The listener has heard up to `position_s` within chunk `index`. Raises IndexError for one never sent."""
        self.narrator.clock.played(_now(), index, position_s)
        if self.over and not self._settled:
            self._wind_down()

    @property
    def heard_text(self) -> str | None:
        """The text heard so far; None for a reply without sound."""
        if not self._speaks or self._settled:
            return self._heard
        narrator = self.narrator
        return heard_text(narrator.text, narrator.sentences, narrator.chunk_sentences, narrator.clock, _now())

    @property
    def for_model(self) -> str:
        """What the conversation's next message should know of this answer: what was written and not taken back."""
        return (self.heard_text or "") if self.narrator.aborted and self._speaks else self.text

    @property
    def traced(self) -> TracedReply:
        """What became of it when, so far."""
        return TracedReply(self.id, self.session.id, self.session.key, self.entry.at, self.narrator.trace)

    # -- after the end

    def _wind_down(self) -> None:
        """Settle when the listener has run out of sound; be forgotten when nobody can come back."""
        ahead_s = self.narrator.clock.ahead_s(_now())
        if ahead_s > 0 and not self.narrator.aborted:
            self._set_timer(ahead_s, self._wind_down)
            return
        self._settle()
        self._set_timer(self._grace_s, self.let_go)

    def _settle(self) -> None:
        """What was heard is final."""
        if not self._settled:
            self._heard = self.heard_text
            self._settled = True

    def let_go(self) -> None:
        """Nobody can come back to it any more."""
        self._cancel_timer()
        self.entry.settle(self.text, self._heard, self.for_model)
        self.log.keep_only(())
        self._forget(self)

    def close(self) -> None:
        """Stop its timers; the server is going down."""
        self._cancel_timer()

    def _set_timer(self, delay_s: float, then: Callable[[], None]) -> None:
        self._cancel_timer()
        self._timer = asyncio.get_running_loop().call_later(delay_s, then)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _named(self, wired: Wired) -> tuple[str, dict[str, Any]]:
        name, payload = wired
        return name, {"sessionId": self.session.id, "replyId": self.id, **payload}


def _now() -> float:
    return asyncio.get_running_loop().time()
