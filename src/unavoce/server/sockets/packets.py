"""Socket.IO packets as strangers send them: what cannot be read is passed over in silence.

The library reports every such packet as a crash, with a traceback in the log and a part of what stood in it; and it
waits for as many attachments as a packet announces, however large they are.
"""

from __future__ import annotations

from typing import Any, Final

import socketio
from socketio import packet

MAX_ATTACHMENTS: Final = 1000
MAX_ATTACHMENT_BYTES: Final = 1_000_000
"""Of all attachments of one event together. No event of ours has any."""
ATTACHED: Final = ("5", "6")
"""First characters of packets that wait for attachments."""


class UnreadableError(ValueError):
    """It is no Socket.IO packet that a client may send."""


class Packet(packet.Packet):  # type: ignore[misc]  # the library has no types
    """Raises UnreadableError, and nothing else, while it is read."""

    def decode(self, encoded_packet: Any) -> int:
        try:
            count = int(super().decode(encoded_packet) or 0)
        except (ValueError, TypeError, LookupError, RecursionError):
            raise UnreadableError from None
        if not self._is_sound(count):
            raise UnreadableError
        return count

    def _is_sound(self, count: int) -> bool:
        kind = self.packet_type
        if kind in (packet.BINARY_EVENT, packet.BINARY_ACK):
            return 0 < count <= MAX_ATTACHMENTS and self._is_list(named=kind == packet.BINARY_EVENT)
        if kind in (packet.EVENT, packet.ACK):
            return self._is_list(named=kind == packet.EVENT)
        return kind in (packet.CONNECT, packet.DISCONNECT)

    def _is_list(self, *, named: bool) -> bool:
        """An event's data begins with its name; an acknowledgement names what it answers by number."""
        data = self.data
        if not isinstance(data, list):
            return False
        return bool(data) and isinstance(data[0], str) if named else self.id is not None

    def add_attachment(self, attachment: Any) -> bool:
        held = sum(len(one) for one in self.attachments)
        if not isinstance(attachment, bytes) or held + len(attachment) > MAX_ATTACHMENT_BYTES:
            raise UnreadableError
        try:
            return bool(super().add_attachment(attachment))
        except (ValueError, TypeError, LookupError, RecursionError):
            raise UnreadableError from None


class PatientServer(socketio.AsyncServer):  # type: ignore[misc]  # as above
    """Passes over what it cannot read, and what it has begun to read by then."""

    def __init__(self, **options: Any) -> None:
        super().__init__(serializer=Packet, **options)

    async def _handle_eio_message(self, transport_id: str, data: Any) -> None:
        if not self._is_due(transport_id, data):
            return
        try:
            await super()._handle_eio_message(transport_id, data)
        except UnreadableError:
            self._binary_packet.pop(transport_id, None)

    def _is_due(self, transport_id: str, data: Any) -> bool:
        """Not from a transport that is gone; nor empty, but for an attachment; nor to be waited for from a stranger."""
        if transport_id not in self.environ:
            return False
        is_connected = self.manager.sid_from_eio_sid(transport_id, "/") is not None
        if isinstance(data, str) and data.startswith(ATTACHED):
            return is_connected
        return bool(data) or transport_id in self._binary_packet
