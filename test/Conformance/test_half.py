# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Models of 16-bit floats are taken as float32, whatever their weights are encoded as."""

from __future__ import annotations

from pathlib import Path

import dyadic
import numpy as np
import onnx
import pytest
from onnx import TensorProto, external_data_helper, helper

from conftest import run_tool

KINDS = {"float16": TensorProto.FLOAT16, "bfloat16": TensorProto.BFLOAT16}


def rounded(array: np.ndarray, kind: int) -> np.ndarray:
    """The numbers that the 16-bit type has."""
    return array.astype(helper.tensor_dtype_to_np_dtype(kind)).astype(np.float32)


def encoded(array: np.ndarray, name: str, kind: int, encoding: str) -> onnx.TensorProto:
    half = array.astype(helper.tensor_dtype_to_np_dtype(kind))
    if encoding == "typed":
        return TensorProto(name=name, dims=array.shape, data_type=kind, int32_data=half.view(np.uint16).ravel().tolist())
    return TensorProto(name=name, dims=array.shape, data_type=kind, raw_data=half.tobytes())


def model(weights: np.ndarray, kind: int, encoding: str, outer: int) -> onnx.ModelProto:
    """A convolution in `kind` between inputs and outputs of type `outer`, with a Constant and casts."""
    nodes = [
        helper.make_node("Cast", ["x"], ["h"], to=kind),
        helper.make_node("Conv", ["h", "w"], ["c"]),
        helper.make_node("Constant", [], ["k"], value=encoded(np.float32([0.5]), "", kind, encoding)),
        helper.make_node("Mul", ["c", "k"], ["m"]),
        helper.make_node("Cast", ["m"], ["y"], to=outer),
    ]
    infos = [helper.make_tensor_value_info("x", outer, [1, 3, 6, 6]), helper.make_tensor_value_info("y", outer, [1, 4, 4, 4])]
    graph = helper.make_graph(nodes, "half", infos[:1], infos[1:], [encoded(weights, "w", kind, encoding)])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10)


@pytest.mark.parametrize("outer", ["same", "float"])
@pytest.mark.parametrize("encoding", ["raw", "typed", "external"])
@pytest.mark.parametrize("name", KINDS)
def test_half(name: str, encoding: str, outer: str, tmp_path: Path) -> None:
    rng, kind = np.random.default_rng(0), KINDS[name]
    weights = rng.standard_normal((4, 3, 3, 3)).astype(np.float32)
    weights.flat[0] = 3e-6  # subnormal in float16
    proto = model(weights, kind, encoding, kind if outer == "same" else TensorProto.FLOAT)
    if encoding == "external":
        external_data_helper.convert_model_to_external_data(proto, location="w.bin", size_threshold=0)
    onnx.save(proto, tmp_path / "m.onnx")
    run_tool("quant-translate", tmp_path / "m.onnx", "--float", "-o", tmp_path / "m.so")
    x = rng.standard_normal((1, 3, 6, 6)).astype(np.float32)
    found = dyadic.load(tmp_path / "m.so").run({"x": x})["y"]
    patches = np.lib.stride_tricks.sliding_window_view(x[0], (3, 3), axis=(1, 2))
    expected = 0.5 * np.einsum("cijkl,ockl->oij", patches, rounded(weights, kind))
    np.testing.assert_allclose(found[0], expected, rtol=1e-5, atol=1e-6)
