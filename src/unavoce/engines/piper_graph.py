"""Where a Piper model can be cut in two, and how far its decoder looks around. Reads graphs; computes nothing.

A Piper voice is a VITS: text encoder, durations and flow make a latent of one column per frame; a HiFi-GAN, the
decoder, makes some hundreds of samples of each frame with convolutions alone, and so needs only the frames around. The
cut lies before its first convolution, behind the mask. Whatever is neither a convolution nor a function of single
elements could look further, and a decoder that has it is not cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, Final

from unavoce.engines.piper_reach import MAX_CONTEXT, Kernel, Reach, Uncuttable, convolved, joined, latent, upsampled
from unavoce.engines.piper_spans import Level

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto

Shapes = dict[str, tuple[int, ...]]
FIRST_CONVOLUTION: Final = "/dec/conv_pre/Conv"
"""What Piper's own exports call it."""
SPEAKER: Final = frozenset({"sid", "lid"})
"""Inputs that say who speaks and not what: nothing that is made of these alone has a length in time."""
ELEMENTWISE: Final = frozenset(
    {
        *("Abs", "Add", "Cast", "Clip", "Cos", "Div", "Elu", "Erf", "Exp", "Identity", "LeakyRelu", "Max", "Min"),
        *("Mul", "Neg", "PRelu", "Pow", "Reciprocal", "Relu", "Sigmoid", "Sin", "Softplus", "Sqrt", "Sub", "Tanh"),
    }
)
RESHAPING: Final = frozenset({"Flatten", "Reshape", "Squeeze", "Unsqueeze"})
RANDOM: Final = ("Random", "Bernoulli", "Multinomial")
SLICE_BY_INPUTS: Final = 10
"""The version of ONNX's operators in which Slice can be told from outside."""
MAX_NODES: Final = 50_000


@dataclass(frozen=True, slots=True)
class Cut:
    """Names of tensors, and what a window of frames needs."""

    latent: str
    """What the decoder reads, of shape (1, channels, frames)."""
    channels: int
    extra: tuple[str, ...]
    """What else enters the decoder: what is made of the speaker, without a length in time."""
    output: str
    samples_per_frame: int
    tensors: tuple[str, ...]
    """What can be cut to a window: the latent, and behind some upsamplings what everything goes through; in order."""
    levels: tuple[Level, ...]
    """Of each of these tensors."""
    overhead: float
    """Frames whose work a window costs beside its own, by the multiplications in its convolutions."""


def find_cut(model: ModelProto) -> Cut:
    """Raises `Uncuttable` with the reason."""
    _check(model)
    surroundings = surroundings_of(model.graph)
    first = _first_convolution(surroundings)
    decoder = Walk(surroundings, first.input[0])
    output = model.graph.output[0].name
    sound = decoder.reach(output)
    if sound.context > MAX_CONTEXT:
        raise Uncuttable(f"its decoder looks {sound.context} frames around")
    levels = {first.input[0]: Level(1, sound.context)}
    if _version(model) >= SLICE_BY_INPUTS:
        levels.update(_levels(decoder, output))
    return Cut(
        latent=first.input[0],
        channels=_channels(first, surroundings.shapes),
        extra=tuple(decoder.extra),
        output=output,
        samples_per_frame=sound.per_frame,
        tensors=tuple(levels),
        levels=tuple(levels.values()),
        overhead=_overhead(decoder, levels),
    )


def _channels(first: NodeProto, shapes: Shapes) -> int:
    weight = shapes.get(first.input[1], ())
    if len(weight) != 3:
        raise Uncuttable("the shape of its decoder's first convolution is not known")
    return weight[1] * Attributes(first).number("group", 1)


def _levels(decoder: Walk, output: str) -> Iterable[tuple[str, Level]]:
    """Tensors behind upsamplings. From each on, less is needed around a window than before."""
    for node in decoder.surroundings.nodes:
        tensor = node.output[0]
        if node.op_type == "ConvTranspose" and tensor in decoder.reaches and tensor != output:
            with suppress(Uncuttable):  # something goes around it
                rest = Walk(decoder.surroundings, tensor).reach(output)
                yield tensor, Level(decoder.reaches[tensor].per_frame, rest.context)


def _overhead(decoder: Walk, levels: Mapping[str, Level]) -> float:
    """Each level's work is done for its context as well."""
    level, own, more = next(iter(levels.values())), 0.0, 0.0
    for node in decoder.surroundings.nodes:
        work = decoder.work.get(node.output[0], 0)
        own += work
        more += work * 2 * level.context / level.per_frame
        level = levels.get(node.output[0], level)
    return more / own if own else 0.0


def _version(model: ModelProto) -> int:
    """Of ONNX's own operators."""
    return max((used.version for used in model.opset_import if used.domain in ("", "ai.onnx")), default=0)


# -- the graph as a whole


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What has been found out of a graph."""

    nodes: Sequence[NodeProto]
    """Those of which the sound is made, in order."""
    shapes: Shapes
    """Of the weights."""
    text: set[str]
    """Tensors that may have a length in time, or come out differently each time: made of more than the speaker."""
    speaker: set[str]
    """Tensors that are made of the speaker, or of the text as well."""


def surroundings_of(graph: GraphProto) -> Surroundings:
    nodes = needed(graph.node, graph.output[0].name)
    shapes = {weight.name: tuple(weight.dims) for weight in graph.initializer}
    return Surroundings(nodes, shapes, _text(graph), _made_of(graph, SPEAKER))


def _check(model: ModelProto) -> None:
    graph = model.graph
    if len(graph.node) > MAX_NODES:
        raise Uncuttable(f"it has {len(graph.node)} nodes")
    if not graph.output or all(given.name != "input" for given in graph.input):
        raise Uncuttable("it has not the inputs and outputs of a Piper model")
    if model.functions or any(_has_branches(node) for node in graph.node):
        raise Uncuttable("it has branches, or functions of its own")
    if graph.sparse_initializer or graph.quantization_annotation:
        raise Uncuttable("it has sparse or annotated weights")
    if any(weight.data_location or weight.external_data for weight in graph.initializer):
        raise Uncuttable("its weights lie in other files")


def _has_branches(node: NodeProto) -> bool:
    return any(attribute.HasField("g") or attribute.graphs for attribute in node.attribute)


def needed(all_nodes: Sequence[NodeProto], tensor: str) -> list[NodeProto]:
    """The nodes of which `tensor` is made; a model stands in the order of computation."""
    wanted, nodes = {tensor}, []
    for node in reversed(all_nodes):
        if not wanted.isdisjoint(node.output):
            nodes.append(node)
            wanted.update(filter(None, node.input))
    return nodes[::-1]


def _text(graph: GraphProto) -> set[str]:
    by_chance = [name for node in graph.node if node.op_type.startswith(RANDOM) for name in node.output]
    weights = {weight.name for weight in graph.initializer}  # in old models these are inputs as well
    return _made_of(graph, {given.name for given in graph.input} - SPEAKER - weights | set(by_chance))


def _made_of(graph: GraphProto, names: Iterable[str]) -> set[str]:
    """These tensors, and all that are computed from any of them."""
    made = set(names)
    for node in graph.node:
        if not made.isdisjoint(node.input):
            made.update(filter(None, node.output))
    return made


def _first_convolution(surroundings: Surroundings) -> NodeProto:
    """The one of the name; else the one before the first transposed convolution."""
    nodes = surroundings.nodes
    named = [node for node in nodes if node.name == FIRST_CONVOLUTION and node.op_type == "Conv"]
    if named:
        return named[0]
    first_upsampling = next((node for node in nodes if node.op_type == "ConvTranspose"), None)
    if first_upsampling is None:
        raise Uncuttable("it has no HiFi-GAN: nothing in it is upsampled")
    found = list(_convolutions_before(first_upsampling, nodes, surroundings.text))
    if len(found) != 1:
        raise Uncuttable(f"it has no HiFi-GAN: {len(found)} convolutions stand at the decoder's beginning")
    return found[0]


def _convolutions_before(upsampling: NodeProto, nodes: Sequence[NodeProto], text: set[str]) -> Iterable[NodeProto]:
    """Those of the text whose output reaches `upsampling` through functions of single elements."""
    wanted = {upsampling.input[0]}
    for node in reversed(nodes):
        if wanted.isdisjoint(node.output):
            continue
        if node.op_type == "Conv":
            yield node
        elif node.op_type in ELEMENTWISE:
            wanted.update(text.intersection(node.input))
        else:
            raise Uncuttable(f"it has no HiFi-GAN: its decoder begins with {node.op_type}")


# -- the decoder, node by node


class Walk:
    """The nodes from a tensor `source` on, and how far they look into it."""

    def __init__(self, surroundings: Surroundings, source: str) -> None:
        self.surroundings = surroundings
        self.reaches: dict[str, Reach] = {source: latent()}
        self.extra: dict[str, None] = {}  # a set that keeps the order
        self.work: dict[str, int] = {}
        """Multiplications per frame, by the tensor that comes of them."""
        for node in surroundings.nodes:
            self._follow(node)

    def reach(self, output: str) -> Reach:
        if output not in self.reaches:
            raise Uncuttable("its sound does not come from its decoder")
        return self.reaches[output]

    def _follow(self, node: NodeProto) -> None:
        """Nodes before the source, or beside it, are passed over."""
        if self.reaches.keys().isdisjoint(node.input) or node.output[0] in self.reaches:
            return
        sources = [self.reaches[name] for name in node.input if name in self.reaches]
        for name in node.input:
            if name and name not in self.reaches:
                self._enter(name, node)
        reach = self._behind(node, sources)
        self.reaches.update((name, reach) for name in node.output if name)

    def _enter(self, name: str, node: NodeProto) -> None:
        """A tensor from beside the source: made of weights alone, or of the speaker, once for all windows."""
        if name in self.surroundings.text:
            raise Uncuttable("its decoder reads more of the text than its latent")
        if name in self.surroundings.speaker:
            self.extra[name] = None

    def _behind(self, node: NodeProto, sources: list[Reach]) -> Reach:
        if node.op_type in ELEMENTWISE:
            return joined(sources)
        if node.op_type in RESHAPING and len(sources) == 1:
            return Reach(sources[0].low, sources[0].high, is_flat=True)
        if node.op_type not in ("Conv", "ConvTranspose") or node.input[0] not in self.reaches or len(sources) > 1:
            raise Uncuttable(f"its decoder has a node that may look over all of the sound ({node.op_type})")
        if sources[0].is_flat:
            raise Uncuttable("its decoder changes the shape of the sound between convolutions")
        shapes, is_plain = self.surroundings.shapes, node.op_type == "Conv"
        reach = (convolved if is_plain else upsampled)(sources[0], _kernel(node, shapes))
        self.work[node.output[0]] = prod(shapes.get(node.input[1], ())) * (reach if is_plain else sources[0]).per_frame
        return reach


class Attributes:
    """Of a node. Raises `Uncuttable` where there are more dimensions than time."""

    def __init__(self, node: NodeProto) -> None:
        self._kind = node.op_type
        self._by_name: dict[str, Any] = {attribute.name: attribute for attribute in node.attribute}

    def number(self, name: str, default: int) -> int:
        return int(self._by_name[name].i) if name in self._by_name else default

    def numbers(self, name: str, *default: int) -> tuple[int, ...]:
        numbers = tuple(self._by_name[name].ints) if name in self._by_name else default
        if len(numbers) != len(default):
            raise Uncuttable(f"its decoder has a {self._kind} over more than time")
        return numbers

    def pads_itself(self) -> bool:
        return "auto_pad" in self._by_name and self._by_name["auto_pad"].s not in (b"", b"NOTSET")


def _kernel(node: NodeProto, shapes: Shapes) -> Kernel:
    attributes = Attributes(node)
    if attributes.pads_itself() or attributes.numbers("output_shape"):
        raise Uncuttable(f"its decoder has a {node.op_type} that chooses its own padding")
    weight = shapes.get(node.input[1], ())
    (size,) = attributes.numbers("kernel_shape", weight[2] if len(weight) == 3 else 0)
    (dilation,) = attributes.numbers("dilations", 1)
    (stride,) = attributes.numbers("strides", 1)
    before, after = attributes.numbers("pads", 0, 0)
    (more,) = attributes.numbers("output_padding", 0)
    return Kernel(size, dilation, stride, before, after, more)
