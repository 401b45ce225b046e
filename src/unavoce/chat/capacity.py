"""Who may begin a reply, and with what: bounds of messages and of replies that run."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from unavoce.chat.client import Caller
from unavoce.chat.recital import Recital
from unavoce.chat.reply import Reply
from unavoce.chat.session import Session
from unavoce.errors import RequestError
from unavoce.narration.load import Workload
from unavoce.narration.plan import Plan


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the service; texts in code points."""

    message_chars: int = 8_000
    replies: int = 64
    """Running at a time, in all."""
    replies_per_session: int = 8
    replies_per_caller: int = 32
    max_load: float = 0.95
    """Share of an engine's measured capacity that replies may take; 0: any."""
    cores: int = 1
    """Of this machine."""


class Capacity:
    """`replies` gives those there are, running and over. `workload`: of the engines."""

    def __init__(self, limits: Limits, replies: Callable[[], Collection[Reply | Recital]], workload: Workload) -> None:
        self._limits = limits
        self._replies = replies
        self._workload = workload
        self.stopping = False
        """No reply begins any more."""

    def check_taking(self) -> None:
        """Raises RequestError where the server is stopping."""
        if self.stopping:
            raise RequestError("stopping", "the server is stopping; try again when it is back")

    def check_room(self, session: Session | None, caller: Caller) -> None:
        """Raises RequestError where too many run: in all, of the session, or of the caller."""
        running = [reply for reply in self._replies() if not reply.over]
        if len(running) >= self._limits.replies:
            raise RequestError("busy", f"{self._limits.replies} replies are running; try again in a moment")
        limit = self._limits.replies_per_session
        if session and sum(isinstance(one, Reply) and one.session is session for one in running) >= limit:
            raise RequestError("busy", f"{limit} replies of this session are running; stop one, or wait")
        limit = self._limits.replies_per_caller
        if sum(reply.caller.identity == caller.identity for reply in running) >= limit:
            raise RequestError("too_many", f"{limit} replies of this caller are running; stop one, or wait")

    def placed(self, plan: Plan) -> Plan:
        """The plan of a new reply, its voices whose engines have room first. Raises RequestError where none has: those
        who listen already would hear gaps."""
        if plan.casting is None:
            return plan
        asking = plan.casting.asking
        room = {voice: self._workload.has_room(voice.engine) for voice in asking}
        if not any(room.values()):
            raise RequestError("busy", "as many are listening as can be spoken to without gaps; try again in a moment")
        if all(room.values()) or not plan.pace_check:
            return plan
        asking = tuple(sorted(asking, key=lambda voice: not room[voice]))
        return replace(plan, casting=replace(plan.casting, asking=asking))

    def checked(self, message: str) -> str:
        """The message as it can be kept and read. Raises RequestError."""
        message = message.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        if not message.strip():
            raise RequestError("empty", "message: there is nothing in it")
        most = self._limits.message_chars
        if len(message) > most:
            raise RequestError("too_long", f"message: {len(message)} characters, at most {most} are taken")
        return message
