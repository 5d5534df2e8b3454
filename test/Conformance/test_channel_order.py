# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Values whose channels are stored in another order: the bits of the reference interpreter, wherever the order leads."""

from __future__ import annotations

from pathlib import Path

import dyadic
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from conftest import run_tool


def network(seed: int) -> onnx.ModelProto:
    """Orders pass a residual addition, a product, a concatenation with a part that has none, pools, depthwise layers, a
    border, a table, a PReLU by channel, a resize and a flattening, and end in convolutions and a matmul."""
    rng = np.random.default_rng(seed)
    nodes: list[onnx.NodeProto] = []
    constants: list[onnx.TensorProto] = []

    def constant(values: np.ndarray) -> str:
        constants.append(numpy_helper.from_array(values, f"c{len(constants)}"))
        return constants[-1].name

    def node(kind: str, *inputs: str, **attributes) -> str:
        nodes.append(helper.make_node(kind, list(inputs), [f"v{len(nodes)}"], **attributes))
        return nodes[-1].output[0]

    def conv(x: str, channels: int, outputs: int, kernel: int = 1, group: int = 1) -> str:
        # Large weights at random places: which channels overflow where is random too.
        weights = rng.uniform(-0.1, 0.1, (outputs, channels // group, kernel, kernel))
        weights *= rng.random(weights.shape) < rng.uniform(0.1, 0.9, (outputs, 1, 1, 1))
        weights += rng.uniform(0.001, 0.002, weights.shape)
        bias = rng.uniform(-0.1, 0.1, outputs).astype(np.float32)
        pads = [kernel // 2] * 4
        return node(
            "Conv", x, constant(weights.astype(np.float32)), constant(bias), kernel_shape=[kernel] * 2, pads=pads, group=group
        )

    a = node("Relu", conv("x", 4, 36, 3))
    b = node("Sigmoid", conv(a, 36, 36))
    a = node("Add", conv(b, 36, 36, 3), a)  # one class with the first
    a = node("Mul", a, node("HardSwish", a))
    c = node("Concat", conv(a, 36, 20), a, "z", axis=1)  # 20, 36 and 5 channels
    c = node("MaxPool", c, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    d = node("PRelu", conv(c, 61, 48), constant(rng.uniform(-0.5, 0.5, (48, 1, 1)).astype(np.float32)))
    d = node("Relu", conv(d, 48, 48, 3, group=48))
    d = node("Resize", d, "", constant(np.array([1, 1, 2, 2], np.float32)), mode="nearest")
    e = conv(d, 48, 40, 3)
    f = node("Flatten", node("GlobalAveragePool", e))
    f = node("Gemm", f, constant(rng.uniform(-0.1, 0.1, (40, 32)).astype(np.float32)))
    f = node("Gemm", node("Relu", f), constant(rng.uniform(-0.1, 0.1, (32, 10)).astype(np.float32)))
    g = conv(e, 40, 3)
    graph = helper.make_graph(
        nodes,
        "g",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4, 8, 10]),
            helper.make_tensor_value_info("z", TensorProto.FLOAT, [1, 5, 8, 10]),
        ],
        [helper.make_tensor_value_info(f, TensorProto.FLOAT, None), helper.make_tensor_value_info(g, TensorProto.FLOAT, None)],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.mark.parametrize("seed", range(3))
def test_orders(seed: int, tmp_path: Path) -> None:
    onnx.save(network(seed), tmp_path / "m.onnx")
    rng = np.random.default_rng(seed)
    samples = {"x": rng.normal(0, 1, (8, 1, 4, 8, 10)), "z": rng.normal(0, 1, (8, 1, 5, 8, 10))}
    np.savez(tmp_path / "c.npz", **{name: value.astype(np.float32) for name, value in samples.items()})
    common = [tmp_path / "m.onnx", f"--calibration={tmp_path / 'c.npz'}", "--weight-rounding=nearest", "--name=m"]
    run_tool("quant-translate", *common, "-o", tmp_path / "m.mlir")
    inputs, expected = f"--inputs={tmp_path / 'c.npz'}", tmp_path / "expected.npz"
    run_tool("quant-run", tmp_path / "m.mlir", "--reference", inputs, f"--outputs={expected}")

    laid_out, ordered = tmp_path / "l.mlir", tmp_path / "o.mlir"
    run_tool("quant-opt", tmp_path / "m.mlir", "--quant-assign-layout", "-o", laid_out)
    run_tool("quant-opt", laid_out, "--quant-order-channels=byte-dot=maddubs", "-o", ordered)
    assert laid_out.read_text() != ordered.read_text()
    found = tmp_path / "found.npz"
    run_tool("quant-run", ordered, "--reference", inputs, f"--outputs={found}")
    check(expected, found)

    for target in ["emulated-avx2", "avx2"]:
        run_tool("quant-translate", *common, f"--target={target}", "-o", tmp_path / "m.so")
        if target == "avx2" and not runs(tmp_path / "m.so"):
            continue
        run_tool("quant-run", tmp_path / "m.so", inputs, f"--outputs={found}")
        check(expected, found)


def runs(library: Path) -> bool:
    """False where this CPU lacks the instructions."""
    try:
        dyadic.load(library)
    except dyadic.Error:
        return False
    return True


def check(expected: Path, found: Path) -> None:
    with np.load(expected) as wanted, np.load(found) as got:
        assert wanted.files == got.files
        for name in wanted.files:
            np.testing.assert_array_equal(wanted[name], got[name], err_msg=name)
