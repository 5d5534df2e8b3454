# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Pools at the edges of their input: the float program does what ONNX Runtime does."""

from __future__ import annotations

import itertools
from pathlib import Path

import dyadic
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from conftest import run_tool

LOWEST = float(np.finfo(np.float32).min)


def save(path: Path, nodes: list[onnx.NodeProto], shape: tuple[int | str, ...], **constants: np.ndarray) -> None:
    """A model from `x` to `y`, whose shape is left to inference."""
    graph = helper.make_graph(
        nodes,
        "windows",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9), path)


def compare(model: Path, shape: tuple[int, ...], *options: str) -> None:
    run_tool("quant-translate", model, *options, "--float", "--name=m", "-o", model.with_suffix(".so"))
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    quiet = onnxruntime.SessionOptions()
    quiet.log_severity_level = 4
    session = onnxruntime.InferenceSession(model, quiet, providers=["CPUExecutionProvider"])
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


def ceil_pools(size: int) -> list[dict[str, object]]:
    """Small pools in one dimension over which ceil_mode has a say."""
    pools = []
    for kernel, stride, low, high, dilation in itertools.product((1, 2, 3), (2, 3, 5), (0, 1), (0, 1), (1, 2)):
        room = size + low + high - (kernel - 1) * dilation - 1
        if max(low, high) < kernel and room % stride and (kernel > 1 or dilation == 1):
            pools.append(
                {
                    "kernel_shape": [kernel],
                    "strides": [stride],
                    "pads": [low, high],
                    "dilations": [dilation],
                    "ceil_mode": 1,
                }
            )
    return pools


@pytest.mark.parametrize("size", [5, 8])
@pytest.mark.parametrize("kind", ["MaxPool", "AveragePool", "AveragePool with padding"])
def test_ceil_mode(tmp_path: Path, kind: str, size: int) -> None:
    """No window starts behind the input, whatever onnx's shape inference says."""
    nodes, names = [], []
    for i, pool in enumerate(ceil_pools(size)):
        op, *counts = kind.split(" with ")
        attributes = pool | ({"count_include_pad": 1} if counts else {})
        nodes += [
            helper.make_node(op, ["x"], [f"p{i}"], **attributes),
            helper.make_node("Flatten", [f"p{i}"], [f"f{i}"]),
        ]
        names.append(f"f{i}")
    save(tmp_path / "m.onnx", [*nodes, helper.make_node("Concat", names, ["y"], axis=1)], (1, 2, size))
    compare(tmp_path / "m.onnx", (1, 2, size))


def test_ceil_mode_before_gemm(tmp_path: Path) -> None:
    """A chain of pools that onnx counts wrong, and a Gemm that needs the right sizes.

    ONNX Runtime takes such a model where the sizes are symbolic: else onnx's inference stops it too.
    """
    first = {"kernel_shape": [1, 2], "strides": [3, 2], "ceil_mode": 1}  # 12 x 7 become 4 x 4
    second = {"kernel_shape": [1, 1], "strides": [3, 3], "ceil_mode": 1}  # and 2 x 2; onnx says more
    nodes = [
        helper.make_node("MaxPool", ["x"], ["a"], **first),
        helper.make_node("AveragePool", ["a"], ["b"], **second),
        helper.make_node("Shape", ["b"], ["s"]),
        helper.make_node("Slice", ["s", "one", "two"], ["channels"]),
        helper.make_node("Concat", ["minus", "channels", "rest"], ["shape"], axis=0),
        helper.make_node("Reshape", ["b", "shape"], ["c"]),
        helper.make_node("Flatten", ["c"], ["d"]),
        helper.make_node("Gemm", ["d", "w"], ["y"]),
    ]
    save(
        tmp_path / "m.onnx",
        nodes,
        (1, 2, "height", "width"),
        w=np.linspace(-1, 1, 24, dtype=np.float32).reshape(8, 3),
        one=np.int64([1]),
        two=np.int64([2]),
        minus=np.int64([1]),
        rest=np.int64([-1]),
    )
    compare(tmp_path / "m.onnx", (1, 2, 12, 7), "--input-shape=x:1,2,12,7")
