# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes the model and samples of report.test: `report_model.py FOLDER`. Names mean something in HTML and JSON."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HOSTILE = "<script>alert('\"&')</script>"


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(1)
    onnx.save(model(HOSTILE, random), folder / "model.onnx")
    np.savez(folder / "samples.npz", x=random.normal(size=(60, 3, 8, 8)).astype(np.float32))
    onnx.save(model("n" * 300, random), folder / "long.onnx")


def model(layer: str, random: np.random.Generator) -> onnx.ModelProto:
    """A small network with a layer of that name."""
    nodes = [
        helper.make_node("Conv", ["x", "w"], [layer], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", [layer], ["relu"]),
        helper.make_node("GlobalAveragePool", ["relu"], ["pool"]),
        helper.make_node("Flatten", ["pool"], ["flat"]),
        helper.make_node("Gemm", ["flat", "v"], ["scores"]),
    ]
    weights = [
        numpy_helper.from_array(random.normal(size=(8, 3, 3, 3)).astype(np.float32), "w"),
        numpy_helper.from_array(random.normal(size=(8, 4)).astype(np.float32), "v"),
    ]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 8, 8])
    y = helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", 4])
    graph = helper.make_graph(nodes, "graph", [x], [y], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
