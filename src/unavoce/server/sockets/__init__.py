"""The Socket.IO door: conversations, and text that a client streams itself (docs/protocol.md)."""
