"""Where the flow of a Piper model begins, and how far it looks around. Reads graphs; computes nothing.

What comes before a Piper decoder is a text encoder, which needs all of the text, and a flow: convolutions over frames,
gates, and channels that change places. So of the flow, too, only the frames around a window are needed. It begins where
the noise has been added to what the text says of each frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, NodeProto, numpy_helper

from unavoce.engines.piper_graph import ELEMENTWISE, Attributes, Surroundings, Walk, needed, surroundings_of
from unavoce.engines.piper_reach import MAX_CONTEXT, Reach, Uncuttable, joined, latent

OVER_CHANNELS: Final = frozenset({"Concat", "Gather", "Slice", "Split"})
OF_A_FLOW: Final = ELEMENTWISE | OVER_CHANNELS | {"Conv", "ConstantOfShape", "Shape"}
CHANNELS, RANK = 1, 3
ENDLESS: Final = 2**31 - 1
"""An end that is at least this far away is that of whatever is cut."""


@dataclass(frozen=True, slots=True)
class FlowCut:
    """Names of tensors, and what a window of frames needs."""

    source: str
    """What the flow reads, of shape (1, channels, frames)."""
    extra: tuple[str, ...]
    """What else enters: what is made of the speaker, and masks of one column per frame."""
    context: int
    """Frames on either side of some on which their columns depend."""


def find_flow(graph: GraphProto, decoders: str) -> FlowCut:
    """The flow that makes the latent `decoders`. Raises `Uncuttable` with the reason."""
    nodes = needed(graph.node, decoders)
    around = surroundings_of(graph)
    source = _source(nodes, around, decoders)
    walk = _FlowWalk(Surroundings(nodes, around.shapes, around.text, around.speaker), source, _values(graph))
    reach = walk.reach(decoders)
    if reach.per_frame != 1 or reach.is_flat or reach.context > MAX_CONTEXT:
        raise Uncuttable("its flow does not keep the shape of what it reads")
    return FlowCut(source, tuple(walk.extra), reach.context)


def _source(nodes: Sequence[NodeProto], around: Surroundings, decoders: str) -> str:
    """What the flow's first convolution reads, before its channels were parted."""
    makers = {name: node for node in nodes for name in node.output}
    within = _within(nodes, around, decoders)
    first = next((node for node in within if node.op_type == "Conv"), None)
    if first is None:
        raise Uncuttable("it has no flow")
    source: str = first.input[0]
    while source in makers and makers[source].op_type in OVER_CHANNELS:
        source = makers[source].input[0]
    return source


def _within(nodes: Sequence[NodeProto], around: Surroundings, decoders: str) -> list[NodeProto]:
    """The nodes of a flow through which the latent can be followed back, in order."""
    wanted, within = {decoders}, []
    for node in reversed(nodes):
        if node.op_type in OF_A_FLOW and not wanted.isdisjoint(node.output):
            within.append(node)
            wanted.update(around.text.intersection(node.input))
    return within[::-1]


class _FlowWalk(Walk):
    """The nodes from the source to the latent."""

    def __init__(self, surroundings: Surroundings, source: str, values: dict[str, NDArray[Any]]) -> None:
        self._values = values
        self._lengths: set[str] = set()
        """Tensors that say how long others are."""
        super().__init__(surroundings, source)

    def _follow(self, node: NodeProto) -> None:
        if node.op_type == "Shape" and node.input[0] in self.reaches and not node.attribute:
            self._lengths.add(node.output[0])
        elif node.op_type == "ConstantOfShape" and node.input[0] in self._lengths:
            self.reaches[node.output[0]] = latent()
        else:
            super()._follow(node)

    def _enter(self, name: str, node: NodeProto) -> None:
        """A mask may: each of its columns is needed where the one of the flow is."""
        if name in self._lengths:
            raise Uncuttable("its flow computes with lengths")
        if name in self.surroundings.text and node.op_type in ELEMENTWISE:
            self.extra[name] = None
        else:
            super()._enter(name, node)

    def _behind(self, node: NodeProto, sources: list[Reach]) -> Reach:
        if node.op_type in OVER_CHANNELS:
            if not self._keeps_time(node):
                raise Uncuttable(f"its flow has a node over time ({node.op_type})")
            return joined(sources)
        return super()._behind(node, sources)

    def _keeps_time(self, node: NodeProto) -> bool:
        """Whether it takes channels only, all of each."""
        if node.op_type != "Slice":
            others = node.input[1:] if node.op_type != "Concat" else ()
            return Attributes(node).number("axis", 0) % RANK == CHANNELS and self.reaches.keys().isdisjoint(others)
        given = [self._values.get(name) for name in node.input[1:]]
        if not 2 <= len(given) <= 4 or any(value is None for value in given):
            return False
        starts, stops, *rest = (np.atleast_1d(value) for value in given if value is not None)
        axes = rest[0] if rest else np.arange(len(starts))
        steps = rest[1] if len(rest) > 1 else np.ones(len(starts), np.int64)
        spans = zip(starts, stops, axes, steps, strict=True)
        return all(axis % RANK == CHANNELS or _is_all(start, stop, step) for start, stop, axis, step in spans)


def _is_all(start: int, stop: int, step: int) -> bool:
    return start == 0 and stop >= ENDLESS and step == 1


def _values(graph: GraphProto) -> dict[str, NDArray[Any]]:
    """Small constants."""
    small = {weight.name: weight for weight in graph.initializer if np.prod(weight.dims) <= RANK}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute and node.attribute[0].name == "value":
            small[node.output[0]] = node.attribute[0].t
    return {name: numpy_helper.to_array(weight) for name, weight in small.items() if np.prod(weight.dims) <= RANK}
