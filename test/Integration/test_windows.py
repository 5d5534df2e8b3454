# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Pools at the edges of their input: the float program does what ONNX Runtime does."""

from __future__ import annotations

from pathlib import Path

import dyadic
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from conftest import run_tool

LOWEST = float(np.finfo(np.float32).min)


def save(path: Path, nodes: list[onnx.NodeProto], shape: tuple[int, ...], **constants: np.ndarray) -> None:
    """A model from `x` to `y`, whose shape is left to inference."""
    graph = helper.make_graph(
        nodes,
        "windows",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9), path)


def compare(model: Path, shape: tuple[int, ...]) -> None:
    run_tool("quant-translate", model, "--float", "--name=m", "-o", model.with_suffix(".so"))
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    (expected,) = session.run(None, {"x": x})
    found = dyadic.load(model.with_suffix(".so")).run({"x": x})["y"]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("value", [-np.inf, LOWEST])
@pytest.mark.parametrize("pads", [[1, 1, 1, 1], [0, 1, 1, 0]])
def test_border_of_max_pool(tmp_path: Path, value: float, pads: list[int]) -> None:
    """A border below all numbers becomes padding of the pools that read it, also where they have padding too."""
    nodes = [
        helper.make_node("Pad", ["x", "pads", "value"], ["p"]),
        helper.make_node("MaxPool", ["p"], ["a"], kernel_shape=[3, 3], strides=[2, 2]),
        helper.make_node("MaxPool", ["p"], ["b"], kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
        helper.make_node("MaxPool", ["a"], ["c"], kernel_shape=[2, 2], strides=[1, 1], auto_pad="SAME_UPPER"),
        *[helper.make_node("Flatten", [name], [f"flat_{name}"]) for name in "abc"],
        helper.make_node("Concat", ["flat_a", "flat_b", "flat_c"], ["y"], axis=1),
    ]
    save(
        tmp_path / "m.onnx",
        nodes,
        (1, 2, 6, 7),
        pads=np.array([0, 0, *pads[:2], 0, 0, *pads[2:]], np.int64),
        value=np.float32(value),
    )
    compare(tmp_path / "m.onnx", (1, 2, 6, 7))
    run_tool("quant-translate", tmp_path / "m.onnx", "--float", "-o", tmp_path / "m.mlir")
    assert "qnn.pad" not in (tmp_path / "m.mlir").read_text()


@pytest.mark.parametrize(
    "reader",
    [
        helper.make_node("Relu", ["p"], ["y"]),
        helper.make_node("MaxPool", ["p"], ["y"], kernel_shape=[1, 1], strides=[1, 1]),
    ],
    ids=lambda node: node.op_type,
)
def test_infinite_border_is_refused(tmp_path: Path, reader: onnx.NodeProto) -> None:
    """Where a reader is no max pool, or a window lies in the border alone, -inf would be a result."""
    pad = helper.make_node("Pad", ["x", "pads", "value"], ["p"], name="border")
    save(
        tmp_path / "m.onnx",
        [pad, reader],
        (1, 2, 4, 4),
        pads=np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64),
        value=np.float32(-np.inf),
    )
    result = run_tool("quant-translate", tmp_path / "m.onnx", "--float", "-o", tmp_path / "m.so", check=False)
    assert result.returncode == 1
    assert result.stderr == f"error: {tmp_path / 'm.onnx'}: border (Pad): the value of the border is not finite\n"
