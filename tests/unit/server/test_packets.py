"""Socket.IO packets that cannot be read."""

from __future__ import annotations

from typing import Any

import pytest

from unavoce.server.sockets.packets import MAX_ATTACHMENT_BYTES, MAX_ATTACHMENTS, Packet, UnreadableError


@pytest.mark.parametrize(
    "encoded",
    [
        *[
            "x",
            "9",
            "4",
            '44{"message":"x"}',
            "2",
            "2[]",
            "2[1]",
            "2[null]",
            '2[["a"]]',
            '2[{"a":1}]',
            '2{"a":1}',
            '2"a"',
        ],
        *['2["a"', "2[NaN", "2" + "[" * 50_000, "2[" + "9" * 5_000 + "]", "2" + "1" * 200 + '["a"]'],
        *["3", "3[]", "31", "31{}", {"a": 1}, ["2"], [], 2, 2.0],
        *['50-["a"]', '5["a"]', '5999999999999-["a"]', f'5{MAX_ATTACHMENTS + 1}-["a"]', "51-[1]", "51-", "6", "61-[]"],
        *[b"\x00", b'2["a"]', bytes(range(256))],
    ],
)
def test_what_is_no_packet_is_unreadable(encoded: Any) -> None:
    """Whatever is wrong with it, it is this one error, which tells nothing of what stood in it."""
    with pytest.raises(UnreadableError) as caught:
        Packet().decode(encoded)
    assert not caught.value.args
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize(
    ("encoded", "data"),
    [
        ("0", None),
        ('0{"apiKey":"k"}', {"apiKey": "k"}),
        ('0"x"', "x"),
        ("1", None),
        ('2["a"]', ["a"]),
        ('27["a",1,null]', ["a", 1, None]),
        ('2/other,["a"]', ["a"]),
        ("31[1]", [1]),
    ],
)
def test_a_packet_is_read_as_the_library_reads_it(encoded: str, data: object) -> None:
    """What can be read is what it was."""
    assert Packet(encoded_packet=encoded).data == data


def test_attachments_are_put_in_their_places() -> None:
    """An event is whole with its last attachment."""
    packet = Packet(encoded_packet='52-["a",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]')
    assert not packet.add_attachment(b"first")
    assert packet.add_attachment(b"second")
    assert packet.data == ["a", b"second", b"first"]


@pytest.mark.parametrize("place", ['"x"', "7", "null", "-5", "[]"])
def test_an_attachment_without_a_place_is_unreadable(place: str) -> None:
    """Places that are not there, and text in an attachment's stead."""
    packet = Packet(encoded_packet=f'51-["a",{{"_placeholder":true,"num":{place}}}]')
    with pytest.raises(UnreadableError):
        packet.add_attachment("2[]")
    with pytest.raises(UnreadableError):
        packet.add_attachment(b"x")


def test_attachments_have_a_bound_together() -> None:
    """What waits for its last attachment holds no more than one packet may."""
    packet = Packet(encoded_packet='53-["a"]')
    assert not packet.add_attachment(bytes(MAX_ATTACHMENT_BYTES))
    with pytest.raises(UnreadableError):
        packet.add_attachment(b"x")
