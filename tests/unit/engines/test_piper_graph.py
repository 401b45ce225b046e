"""Where a model is cut, and which models are not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from tests.support.piper_model import HIGH, LOW, HifiGan, Maker, piper_model, without_names

from unavoce.engines.piper_graph import find_cut
from unavoce.engines.piper_reach import Kernel, Uncuttable, convolved, latent, upsampled
from unavoce.engines.piper_spans import Level

FIRST_UPSAMPLED = "/dec/ups.0/ConvTranspose_output_0"
TINY = HifiGan("2", (3,), ((1,),), ((2, 4), (2, 4)), width=4)


def altered(change: Callable[[Maker, str], str], **made: Any) -> onnx.ModelProto:
    """A voice with something more behind its first upsampling: `change` makes another tensor of that one."""
    maker = Maker()
    source = maker.encoder(4)
    maker.decoder(source, 4, TINY)
    place = 1 + next(index for index, node in enumerate(maker.nodes) if FIRST_UPSAMPLED in node.output)
    before, after = maker.nodes[:place], maker.nodes[place:]
    maker.nodes = before
    changed = change(maker, FIRST_UPSAMPLED)
    for node in after:
        node.input[:] = [changed if name == FIRST_UPSAMPLED else name for name in node.input]
    maker.nodes += after
    return maker.model(**made)


def test_the_numbers_of_pipers_own_decoders() -> None:
    """Those of `low` and `medium` look 11 frames around, those of `high` 13; both make 256 samples of a frame."""
    low, high = find_cut(piper_model(LOW)), find_cut(piper_model(HIGH))
    assert low.levels == (Level(1, 11), Level(8, 53), Level(64, 58), Level(256, 48))
    assert high.levels == (Level(1, 13), Level(8, 74), Level(64, 107), Level(128, 92), Level(256, 63))
    assert (low.samples_per_frame, high.samples_per_frame) == (256, 256)
    assert (round(low.overhead), round(high.overhead)) == (4, 6)


def test_the_cut_lies_behind_the_mask_with_names_or_without() -> None:
    """The latent is what the decoder's first convolution reads, whatever the tensors are called."""
    named, bare = piper_model(LOW), without_names(piper_model(LOW))
    cuts = find_cut(named), find_cut(bare)
    for model, cut in zip((named, bare), cuts, strict=True):
        maker = next(node for node in model.graph.node if cut.latent in node.output)
        reader = next(node for node in model.graph.node if cut.latent in node.input)
        assert (maker.op_type, reader.op_type) == ("Mul", "Conv")
    assert cuts[0].levels == cuts[1].levels


def test_what_is_made_of_the_speaker_enters_beside_the_latent() -> None:
    """Of several speakers the decoder is told the result of its conditioning, computed once for all windows."""
    assert find_cut(piper_model(HIGH, speakers=3)).extra == ("/dec/cond/Conv_output_0",)
    assert find_cut(piper_model(HIGH)).extra == ()


def test_weights_that_are_computed_stay_in_the_decoder() -> None:
    """What is made of constants alone, such as weights with a norm of their own, does not enter from outside."""

    def scaled(maker: Maker, source: str) -> str:
        loud = maker.node("Mul", [maker.constant(0.5), maker.constant(2.0)])
        return maker.node("Mul", [source, loud])

    assert find_cut(altered(scaled)).extra == ()


def test_other_outputs_do_not_matter() -> None:
    """The sound is the first output; Piper's tool for alignments adds durations behind it."""
    model = piper_model(LOW)
    model.graph.output.append(helper.make_tensor_value_info(model.graph.node[1].output[0], TensorProto.FLOAT, None))
    assert find_cut(model).levels == find_cut(piper_model(LOW)).levels


def test_an_old_model_has_only_one_level() -> None:
    """Where the operators' version cannot cut within the decoder, windows have the whole context all the way."""
    maker = Maker()
    maker.decoder(maker.encoder(4), 4, LOW)
    cut = find_cut(maker.model(opset=9))
    assert (cut.levels, cut.overhead) == ((Level(1, 11),), 22)


def test_what_goes_around_an_upsampling_is_no_level() -> None:
    """A tensor is cut only where everything goes through it."""

    def around(maker: Maker, source: str) -> str:
        first = next(node for node in maker.nodes if node.name == "/dec/conv_pre/Conv").output[0]
        return maker.node("Add", [source, maker.upsample(first, 4, 2, 2, 4)])

    levels = find_cut(altered(around)).levels
    assert [level.per_frame for level in levels] == [1, 4]


def normalised(maker: Maker, source: str) -> str:
    ones, zeros = maker.constant(np.ones(2)), maker.constant(np.zeros(2))
    return maker.node("InstanceNormalization", [source, ones, zeros])


def levelled(maker: Maker, source: str) -> str:
    return maker.node("Sub", [source, maker.node("ReduceMean", [source], axes=[2])])


def remembered(maker: Maker, source: str) -> str:
    return maker.node("LSTM", [source, maker.weight(1, 8, 2), maker.weight(1, 8, 2)], hidden_size=2)


def masked(maker: Maker, source: str) -> str:
    return maker.node("Mul", [source, maker.node("Cast", ["input_lengths"], to=TensorProto.FLOAT)])


def noisy(maker: Maker, source: str) -> str:
    return maker.node("Add", [source, maker.node("RandomNormal", [], shape=[1, 1, 1])])


def turned(maker: Maker, source: str) -> str:
    flat = maker.node("Unsqueeze", [source, maker.constant([1], np.int64)])
    return maker.node("Conv", [flat, maker.weight(1, 1, 1, 1)], kernel_shape=[1, 1])


def strided(maker: Maker, source: str) -> str:
    return maker.node("Conv", [source, maker.weight(2, 2, 3)], kernel_shape=[3], pads=[1, 1], strides=[2])


def shortened(maker: Maker, source: str) -> str:
    return maker.node("Conv", [source, maker.weight(2, 2, 3)], kernel_shape=[3])


def padding_itself(maker: Maker, source: str) -> str:
    return maker.node("Conv", [source, maker.weight(2, 2, 3)], auto_pad="SAME_UPPER")


def of_unknown_size(maker: Maker, source: str) -> str:
    weight = maker.node("Mul", [maker.weight(2, 2, 3), maker.constant(1.0)])
    return maker.node("Conv", [source, weight], pads=[1, 1])


def uneven(maker: Maker, source: str) -> str:
    return maker.node("ConvTranspose", [source, maker.weight(2, 2, 3)], kernel_shape=[3], strides=[2])


def squeezed_between(maker: Maker, source: str) -> str:
    squeezed = maker.node("Squeeze", [source, maker.constant([0], np.int64)])
    return maker.conv(squeezed, 2, 2, 3)


def of_another_length(maker: Maker, source: str) -> str:
    return maker.node("Add", [source, next(node for node in maker.nodes if "conv_pre" in node.name).output[0]])


def of_too_many(maker: Maker, source: str) -> str:
    return maker.upsample(source, 2, 2, 9000, 9000)


def far(maker: Maker, source: str) -> str:
    return maker.conv(source, 2, 2, 3, dilation=5000)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (normalised, "InstanceNormalization"),
        (levelled, "ReduceMean"),
        (remembered, "LSTM"),
        (masked, "more of the text than its latent"),
        (noisy, "more of the text than its latent"),
        (turned, "shape of the sound between convolutions"),
        (squeezed_between, "shape of the sound between convolutions"),
        (strided, "changes the length"),
        (shortened, "changes the length"),
        (padding_itself, "chooses its own padding"),
        (of_unknown_size, "cannot be followed"),
        (uneven, "uneven length"),
        (of_another_length, "different lengths"),
        (of_too_many, "cannot be followed"),
        (far, "frames around"),
    ],
)
def test_a_decoder_that_may_look_further_is_not_cut(change: Callable[[Maker, str], str], reason: str) -> None:
    """Whatever might need more than a window, or cannot be followed, is refused with its reason."""
    with pytest.raises(Uncuttable, match=reason):
        find_cut(altered(change))


def with_branch(model: onnx.ModelProto) -> None:
    empty = helper.make_graph([], "branch", [], [])
    model.graph.node.append(helper.make_node("If", ["scales"], ["y"], then_branch=empty, else_branch=empty))


def with_function(model: onnx.ModelProto) -> None:
    model.functions.append(helper.make_function("own", "F", ["x"], ["y"], [], [helper.make_opsetid("", 15)]))


def with_other_files(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].data_location = TensorProto.EXTERNAL


def with_sparse_weights(model: onnx.ModelProto) -> None:
    model.graph.sparse_initializer.add()


def without_text(model: onnx.ModelProto) -> None:
    model.graph.input[0].name = "mel"


def without_output(model: onnx.ModelProto) -> None:
    del model.graph.output[:]


def with_many_nodes(model: onnx.ModelProto) -> None:
    model.graph.node.extend([helper.make_node("Relu", ["scales"], ["y"])] * 50_001)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (with_branch, "branches"),
        (with_function, "functions of its own"),
        (with_other_files, "other files"),
        (with_sparse_weights, "sparse"),
        (without_text, "inputs and outputs of a Piper model"),
        (without_output, "inputs and outputs of a Piper model"),
        (with_many_nodes, "nodes"),
    ],
)
def test_a_model_of_another_kind_is_not_cut(change: Callable[[onnx.ModelProto], None], reason: str) -> None:
    """What is no plain Piper graph is refused with its reason."""
    model = piper_model(TINY)
    change(model)
    with pytest.raises(Uncuttable, match=reason):
        find_cut(model)


def test_a_model_without_a_hifi_gan_is_not_cut() -> None:
    """Without upsampling, or where several convolutions stand before it, there is no decoder as we know it."""
    maker = Maker()
    source = maker.encoder(4)
    with pytest.raises(Uncuttable, match="nothing in it is upsampled"):
        find_cut(_to_output(maker, maker.conv(source, 4, 1, 3)))
    maker = Maker()
    source = maker.encoder(4)
    both = maker.node("Add", [maker.conv(source, 4, 4, 3), maker.conv(source, 4, 4, 5)])
    with pytest.raises(Uncuttable, match="2 convolutions"):
        find_cut(_to_output(maker, maker.upsample(both, 4, 1, 2, 4)))
    maker = Maker()
    spread = maker.upsample(maker.node("Softmax", [maker.encoder(4)]), 4, 1, 2, 4)
    with pytest.raises(Uncuttable, match="begins with Softmax"):
        find_cut(_to_output(maker, spread))


def _to_output(maker: Maker, tensor: str) -> onnx.ModelProto:
    maker.nodes.append(helper.make_node("Identity", [tensor], ["output"]))
    return maker.model()


@pytest.mark.parametrize(
    ("kernel", "low", "high"),
    [
        (Kernel(7, before=3, after=3), [-3], [3]),
        (Kernel(3, dilation=4, before=8), [-8], [0]),  # causal
        (Kernel(1), [0], [0]),
        (Kernel(2, after=1), [0], [1]),
    ],
)
def test_the_reach_of_a_convolution(kernel: Kernel, low: Sequence[int], high: Sequence[int]) -> None:
    """Padding before it is how far it looks back, padding behind it how far it looks ahead."""
    reach = convolved(latent(), kernel)
    assert (list(reach.low), list(reach.high)) == (low, high)


def test_the_reach_of_an_upsampling_differs_within_a_frame() -> None:
    """Twice its stride in size, it reads the frame before for the first half of a frame, the next for the second."""
    reach = upsampled(latent(), Kernel(8, stride=4, before=2, after=2))
    assert (list(reach.low), list(reach.high)) == ([-1, -1, 0, 0], [0, 0, 1, 1])
    behind = convolved(reach, Kernel(3, before=1, after=1))
    assert (list(behind.low), list(behind.high)) == ([-1, -1, -1, 0], [0, 1, 1, 1])
