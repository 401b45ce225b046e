"""From a stream of pieces to sentences, and from a sentence to what an engine should read. Pure: no I/O, no clock."""

from unavoce.text.kind import Kind
from unavoce.text.sentence import Boundary, Sentence
from unavoce.text.sentences import SentenceStream

__all__ = ["Boundary", "Kind", "Sentence", "SentenceStream"]
