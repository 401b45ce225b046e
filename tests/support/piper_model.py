"""Makes Piper models of random weights: few channels, but a HiFi-GAN exactly as in Piper's own voices.

The decoders follow `piper.train.vits.models.Generator`, their sizes `piper.train.vits.config`. Before them stands a
small encoder in place of VITS's: an embedding, a duration, noise, a mask, and a flow of two coupling layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from unavoce.engines.piper_voices import VoiceFiles

SYMBOLS, FRAMES_PER_SYMBOL, SPEAKER_WIDTH = 64, 3, 6
FLOAT = TensorProto.FLOAT
GAIN = 1.3
"""Makes up for what the bends of LeakyRelu take, so that the sound is neither silent nor at its limit."""


@dataclass(frozen=True)
class HifiGan:
    """What a decoder is made of."""

    resblock: str
    """"1": pairs of a dilated and a plain convolution; "2": dilated ones only."""
    kernels: tuple[int, ...]
    dilations: tuple[tuple[int, ...], ...]
    upsampling: tuple[tuple[int, int], ...]
    """Stride and kernel of each."""
    width: int = 8
    """Channels before the first upsampling; each halves them, down to 1."""


LOW = HifiGan("2", (3, 5, 7), ((1, 2), (2, 6), (3, 12)), ((8, 16), (8, 16), (4, 8)))
"""Of the qualities `x_low`, `low` (16 kHz) and `medium` (22.05 kHz), which differ in their encoders."""
HIGH = HifiGan("1", (3, 7, 11), ((1, 3, 5),) * 3, ((8, 16), (8, 16), (2, 4), (2, 4)), width=16)


@dataclass
class Maker:
    """A graph that grows node by node."""

    seed: int = 1
    positive: bool = False
    """Weights above zero only, so that nothing cancels out and every dependence shows."""
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    weights: list[onnx.TensorProto] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = np.random.default_rng(self.seed)

    def node(self, kind: str, inputs: Sequence[str], name: str = "", **attributes: Any) -> str:
        """The name of its output."""
        name = name or f"/{kind}_{len(self.nodes)}"
        output = f"{name}_output_0"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], name=name, **attributes))
        return output

    def constant(self, value: Any, kind: type = np.float32) -> str:
        name = f"onnx::constant_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(value, dtype=kind), name))
        return name

    def weight(self, *shape: int, fan: int = 1) -> str:
        """Random. Of as many as `fan` inputs it makes something of their level."""
        if self.positive:
            return self.constant(self._random.uniform(0.5, 1.0, shape))
        return self.constant(self._random.standard_normal(shape) * GAIN / fan**0.5)

    def conv(self, source: str, inwards: int, outwards: int, size: int, *, name: str = "", dilation: int = 1) -> str:
        """A convolution that keeps the length."""
        pad = dilation * (size - 1) // 2
        how = {"kernel_shape": [size], "pads": [pad, dilation * (size - 1) - pad], "dilations": [dilation]}
        return self.node(
            "Conv",
            [source, self.weight(outwards, inwards, size, fan=inwards * size)],
            name,
            strides=[1],
            group=1,
            **how,
        )

    def upsample(self, source: str, inwards: int, outwards: int, stride: int, size: int, *, name: str = "") -> str:
        """A transposed convolution that makes `stride` elements of one. In Piper, size less stride is even."""
        more = (size - stride) % 2
        pads = [(size - stride + more) // 2] * 2
        how = {"kernel_shape": [size], "strides": [stride], "pads": pads, "output_padding": [more]}
        weight = self.weight(inwards, outwards, size, fan=-(-inwards * size // stride))
        return self.node("ConvTranspose", [source, weight], name, dilations=[1], group=1, **how)

    # -- the decoder

    def decoder(self, latent: str, channels: int, made: HifiGan, speaker: str = "") -> str:
        """From a latent of so many channels to the model's output. `speaker`: what is known of one, (1, n, 1)."""
        sound, width = self.conv(latent, channels, made.width, 7, name="/dec/conv_pre/Conv"), made.width
        if speaker:
            told = self.node(
                "Conv", [speaker, self.weight(width, SPEAKER_WIDTH, 1, fan=SPEAKER_WIDTH)], "/dec/cond/Conv"
            )
            sound = self.node("Add", [sound, told], "/dec/Add")
        for number, (stride, size) in enumerate(made.upsampling):
            narrower = max(1, width // 2)
            loud = self.node("LeakyRelu", [sound], alpha=0.1)
            sound = self.upsample(loud, width, narrower, stride, size, name=f"/dec/ups.{number}/ConvTranspose")
            sound, width = self.resblocks(sound, narrower, made), narrower
        sound = self.conv(self.node("LeakyRelu", [sound], alpha=0.01), width, 1, 7, name="/dec/conv_post/Conv")
        sound = self.node("Tanh", [sound], "/dec/Tanh")
        self.nodes.append(helper.make_node("Unsqueeze", [sound, self.constant([1], np.int64)], ["output"]))
        return "output"

    def resblocks(self, source: str, width: int, made: HifiGan) -> str:
        """The mean of one block per kernel."""
        parts = [self._resblock(source, width, made, index) for index in range(len(made.kernels))]
        total = parts[0]
        for part in parts[1:]:
            total = self.node("Add", [total, part])
        return self.node("Div", [total, self.constant(float(len(parts)))])

    def _resblock(self, source: str, width: int, made: HifiGan, index: int) -> str:
        for dilation in made.dilations[index]:
            change = self.node("LeakyRelu", [source], alpha=0.1)
            change = self.conv(change, width, width, made.kernels[index], dilation=dilation)
            if made.resblock == "1":
                change = self.node("LeakyRelu", [change], alpha=0.1)
                change = self.conv(change, width, width, made.kernels[index])
            source = self.node("Add", [change, source])
        return source

    # -- what stands before it

    def encoder(self, channels: int, speaker: str = "") -> str:
        """From the text to a latent of so many channels, FRAMES_PER_SYMBOL for each symbol."""
        symbols = self.node("Gather", [self.weight(SYMBOLS, channels), "input"])
        columns = self.node("Transpose", [symbols], perm=[0, 2, 1])
        apart = self.node("Unsqueeze", [columns, self.constant([3], np.int64)])
        longer = self.node("Expand", [apart, self.constant([1, 1, 1, FRAMES_PER_SYMBOL], np.int64)])
        latent = self.node("Reshape", [longer, self.constant([1, channels, -1], np.int64)])
        loudness = self.node("Gather", ["scales", self.constant(0, np.int64)])
        noise = self.node("Mul", [self.node("RandomNormalLike", [latent]), loudness])
        first = self.node("Slice", [latent, *self._constants([0], [1], [1])])
        mask = self.node("Exp", [self.node("Mul", [first, self.constant(0.0)])])
        latent = self.node("Add", [latent, noise])
        for _ in range(2 if channels > 1 else 0):
            latent = self.coupling(latent, channels, mask, speaker)
        return self.node("Mul", [latent, mask])

    def coupling(self, source: str, channels: int, mask: str, speaker: str) -> str:
        """A layer of the flow, backwards: the channels change places, and half of them changes by the other half."""
        half, (axis, start, back) = channels // 2, self._constants([1], [-1], [-(2**63) + 1])
        flipped = self.node("Slice", [source, start, back, axis, start])
        self.nodes.append(helper.make_node("Split", [flipped], parts := [f"{flipped}_a", f"{flipped}_b"], axis=1))
        hidden = self.node("Mul", [self.conv(parts[0], half, channels, 1), mask])
        for _ in range(2):
            gates = self.node(
                "Add", [self.conv(hidden, channels, 2 * channels, 5), self._told(hidden, channels, speaker)]
            )
            first = self.node("Tanh", [self.node("Slice", [gates, *self._constants([0], [channels], [1])])])
            second = self.node("Sigmoid", [self.node("Slice", [gates, *self._constants([channels], [2**63 - 1], [1])])])
            change = self.conv(self.node("Mul", [first, second]), channels, channels, 1)
            hidden = self.node("Mul", [self.node("Add", [hidden, change]), mask])
        moved = self.node("Sub", [parts[1], self.conv(hidden, channels, half, 1)])
        return self.node("Concat", [parts[0], moved], axis=1)

    def _told(self, hidden: str, channels: int, speaker: str) -> str:
        """What a gate is told of the speaker, or, as Piper's exports have it, zeros of its shape."""
        if speaker:
            return self.node("Conv", [speaker, self.weight(2 * channels, SPEAKER_WIDTH, 1, fan=SPEAKER_WIDTH)])
        one = self.node("Slice", [hidden, *self._constants([0], [1], [1])])
        return self.node("ConstantOfShape", [self.node("Shape", [one])])

    def _constants(self, *values: Sequence[int]) -> list[str]:
        return [self.constant(value, np.int64) for value in values]

    def speaker(self, count: int) -> str:
        """Of shape (1, SPEAKER_WIDTH, 1)."""
        known = self.node("Gather", [self.weight(count, SPEAKER_WIDTH), "sid"], "/emb_g/Gather")
        return self.node("Unsqueeze", [known, self.constant([2], np.int64)])

    def model(self, speakers: int = 1, opset: int = 15) -> onnx.ModelProto:
        """What has been made, with the inputs and the output of a Piper model."""
        inputs = [
            helper.make_tensor_value_info("input", TensorProto.INT64, ("batch_size", "phonemes")),
            helper.make_tensor_value_info("input_lengths", TensorProto.INT64, ("batch_size",)),
            helper.make_tensor_value_info("scales", FLOAT, (3,)),
        ]
        if speakers > 1:
            inputs.append(helper.make_tensor_value_info("sid", TensorProto.INT64, (1,)))
        output = helper.make_tensor_value_info("output", FLOAT, ("batch_size", 1, 1, "time"))
        graph = helper.make_graph(self.nodes, "main_graph", inputs, [output], self.weights)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def piper_model(made: HifiGan, speakers: int = 1, channels: int = 4, seed: int = 1) -> onnx.ModelProto:
    """A whole voice."""
    maker = Maker(seed)
    speaker = maker.speaker(speakers) if speakers > 1 else ""
    maker.decoder(maker.encoder(channels, speaker), channels, made, speaker)
    return maker.model(speakers)


def without_names(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same, as tools leave it that shrink models: its tensors have numbers, its nodes nothing."""
    kept = {"", *(given.name for given in (*model.graph.input, *model.graph.output))}
    numbers: dict[str, str] = {}

    def name(old: str) -> str:
        return old if old in kept else numbers.setdefault(old, str(len(numbers)))

    for node in model.graph.node:
        node.name = ""
        node.input[:] = [name(old) for old in node.input]
        node.output[:] = [name(old) for old in node.output]
    for weight in model.graph.initializer:
        weight.name = name(weight.name)
    return model


def written(model: onnx.ModelProto, path: Path) -> VoiceFiles:
    """The model as a voice on disk, without its config."""
    path.write_bytes(model.SerializeToString())
    status = path.stat()
    config = path.with_name(path.name + ".json")
    return VoiceFiles(path.stem, path, config, "en", {}, 1, status.st_size, status.st_mtime_ns)


def text(symbols: Sequence[int], speaker: int | None = None) -> dict[str, NDArray[Any]]:
    """A model's inputs for a text without noise, so that it sounds the same each time."""
    inputs: dict[str, NDArray[Any]] = {
        "input": np.array([symbols], dtype=np.int64),
        "input_lengths": np.array([len(symbols)], dtype=np.int64),
        "scales": np.array([0.0, 1.0, 0.0], dtype=np.float32),
    }
    return inputs if speaker is None else {**inputs, "sid": np.array([speaker], dtype=np.int64)}
