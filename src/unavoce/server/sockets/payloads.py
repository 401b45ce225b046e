"""What clients send, checked. Every field that is wrong is named in the acknowledgement."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from unavoce.chat.chat import Manner
from unavoce.errors import RequestError

Id = Annotated[str, Field(min_length=1, max_length=100)]


class Payload(BaseModel):
    """Unknown fields are ignored, so that an older server takes a newer client's events."""

    model_config = ConfigDict(strict=True, alias_generator=to_camel, frozen=True, extra="ignore")


class _Manner(Payload):
    voice: Annotated[str, Field(max_length=200)] | None = None
    speed: Annotated[float, Field(allow_inf_nan=False)] | None = None
    format: Literal["wav", "opus"] | None = None
    interrupt: bool = False

    def manner(self, *, speak: bool = True) -> Manner:
        return Manner(self.voice, 1.0 if self.speed is None else self.speed, speak, self.format, self.interrupt)


class Send(_Manner):
    message: str
    session_id: Id | None = None
    speak: bool = True


class Abort(Payload):
    session_id: Id
    reply_id: Id | None = None


class Join(Payload):
    session_id: Id
    after: Annotated[dict[str, Annotated[int, Field(ge=-1)]], Field(max_length=100)] = {}


class Played(Payload):
    reply_id: Id
    index: Annotated[int, Field(ge=0)]
    position_ms: Annotated[float, Field(ge=0, allow_inf_nan=False)]


class History(Payload):
    session_id: Id


class Forget(Payload):
    session_id: Id


class SpeakStart(_Manner):
    session_id: Id | None = None


class SpeakText(Payload):
    reply_id: Id
    text: str


class SpeakEnd(Payload):
    reply_id: Id


P = TypeVar("P", bound=Payload)


def parse(kind: type[P], data: Any) -> P:
    """`data` as a `kind`. Raises RequestError `invalid` that names the first field that is wrong."""
    if not isinstance(data, dict):
        raise RequestError("invalid", f"payload: expected an object, got {_name(data)}")
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "payload"
        raise RequestError("invalid", f"{place[:100]}: {first['msg']}") from None


def _name(data: Any) -> str:
    return {"NoneType": "nothing", "str": "text", "bytes": "binary", "list": "a list"}.get(
        type(data).__name__, type(data).__name__
    )
