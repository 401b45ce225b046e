"""Parts a Piper model: writes each part as a model of its own. Imports `onnx` and ONNX Runtime, so it is imported only
when one is to be parted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx.utils import Extractor

from unavoce.engines.onnx_runs import Run, Sound, session
from unavoce.engines.piper_decoder import Decoder, Latent, encode
from unavoce.engines.piper_flow import FlowCut, find_flow
from unavoce.engines.piper_graph import Cut, find_cut
from unavoce.engines.piper_parts import Halves
from unavoce.engines.piper_reach import Uncuttable
from unavoce.engines.piper_spans import cut_names

TRIAL_IDS: Final = 24
TOLERANCE: Final = 1 / 32768
"""One step of 16 bits."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where the parts of a model are written."""

    encoder: Path
    decoder: Path
    flow: Path | None
    """None where it is to stay in the encoder."""


def cut(model: Path, places: Places) -> tuple[Cut, FlowCut | None]:
    """Write the parts of `model`. Raises `Uncuttable` with the reason, and OSError where they cannot be written."""
    whole = _load(model)
    try:
        found = find_cut(whole)
        flow = find_flow(whole.graph, found.latent) if places.flow else None
        _part(whole, found, flow, places)
    except (Uncuttable, OSError):
        raise
    except Exception as error:  # a graph may be wrong in more ways than can be foreseen
        raise Uncuttable(f"it cannot be parted ({error!r:.200})") from error
    return found, flow


def _part(whole: onnx.ModelProto, found: Cut, flow: FlowCut | None, places: Places) -> None:
    inputs = [given.name for given in whole.graph.input]
    before = [flow.source, *flow.extra] if flow else [found.latent]
    _describe(whole.graph, found, before)
    extractor = Extractor(whole)
    decoder = extractor.extract_model([found.latent, *found.extra], [found.output])
    for number, tensor in enumerate(found.tensors[1:], 1):
        _let_cut(decoder.graph, tensor, number)
    _save(decoder, places.decoder)
    if places.flow:
        _save(extractor.extract_model(before, [found.latent]), places.flow)
    border = [*before, *(name for name in found.extra if name not in before)]
    _save(extractor.extract_model(inputs, border), places.encoder)


def _load(model: Path) -> onnx.ModelProto:
    try:
        return onnx.load(model, load_external_data=False)
    except OSError as error:
        raise Uncuttable(f"{model} cannot be read ({error})") from error
    except Exception as error:
        raise Uncuttable(f"{model} is no ONNX model ({type(error).__name__})") from error


def _describe(graph: onnx.GraphProto, found: Cut, before: Sequence[str]) -> None:
    """What stands at a border has to be described; other descriptions are hints, and may be of another length."""
    del graph.value_info[:]
    shape = (1, found.channels, None)
    graph.value_info.append(onnx.helper.make_tensor_value_info(found.latent, onnx.TensorProto.FLOAT, shape))
    for name in {*found.extra, *before} - {found.latent}:
        graph.value_info.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))


def _let_cut(graph: onnx.GraphProto, tensor: str, number: int) -> None:
    """Behind the node that makes `tensor`, cut it to a span that is given from outside."""
    start, stop = cut_names(number)
    axis, part = f"cut_{number}_axis", f"cut_{number}"
    if not {start, stop, axis, part}.isdisjoint(name for node in graph.node for name in (*node.input, *node.output)):
        raise Uncuttable("it has names that its halves need")
    place = 1 + next(index for index, node in enumerate(graph.node) if tensor in node.output)
    _rename(graph.node[place:], tensor, part)
    graph.node.insert(place, onnx.helper.make_node("Slice", [tensor, start, stop, axis], [part], name=part))
    graph.initializer.append(onnx.numpy_helper.from_array(np.array([2], dtype=np.int64), axis))
    for name in (start, stop):
        graph.input.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.INT64, (1,)))


def _rename(nodes: Iterable[onnx.NodeProto], old: str, new: str) -> None:
    for node in nodes:
        node.input[:] = [new if name == old else name for name in node.input]


def _save(model: onnx.ModelProto, path: Path) -> None:
    path.write_bytes(model.SerializeToString())


def prove(halves: Halves) -> None:
    """Speak with both, whole and in windows: `Uncuttable` where that fails or the samples differ."""
    try:
        latent = _trial_latent(halves)
        flow = session(halves.flow.model, 1) if halves.flow else None
        decoder = Decoder(session(halves.decoder, 1), halves, flow)
        whole = decoder.decode(replace(latent), 0, latent.frames, Run())
        _compare(whole, _in_windows(decoder, replace(latent)))
    except Uncuttable:
        raise
    except Exception as error:
        raise Uncuttable(f"its halves do not speak ({error})") from error


def _trial_latent(halves: Halves) -> Latent:
    """Of a short nonsense text, repeated to a length that has windows without an edge."""
    onnx_session = session(halves.encoder, 1)
    given: dict[str, NDArray[Any]] = {
        "input": np.arange(1, TRIAL_IDS + 1, dtype=np.int64)[np.newaxis],
        "input_lengths": np.array([TRIAL_IDS], dtype=np.int64),
        "scales": np.array([0.667, 1.0, 0.8], dtype=np.float32),
        "sid": np.zeros(1, dtype=np.int64),
        "lid": np.zeros(1, dtype=np.int64),
    }
    wanted = {known.name for known in onnx_session.get_inputs()}
    latent = encode(onnx_session, halves, {name: value for name, value in given.items() if name in wanted}, Run())
    enough = 3 * (halves.context + (halves.flow.context if halves.flow else 0)) + 8
    times = -(-enough // latent.frames)
    by_frame = {name: np.tile(value, times)[:, :, :enough] for name, value in latent.by_frame.items()}
    columns = np.tile(latent.columns, times)[:, :, :enough]
    return replace(latent, frames=enough, columns=columns, by_frame=by_frame)


def _in_windows(decoder: Decoder, latent: Latent) -> Sound:
    """One window at either edge and one without."""
    third = latent.frames // 3
    places = [(0, third), (third, latent.frames - third), (latent.frames - third, latent.frames)]
    return np.concatenate([decoder.decode(latent, start, stop, Run()) for start, stop in places])


def _compare(whole: Sound, windows: Sound) -> None:
    difference = float(np.abs(whole - windows).max())
    if not difference <= TOLERANCE:
        raise Uncuttable(f"its windows differ from the whole by {difference:.1g} of full scale")
