# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes the model and samples of budget.test: `search_model.py FOLDER`.

Two layers read one value and are concatenated; a sum has a residual; the last layer's sums do not fit with wide inputs.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(3)
    nodes = [
        helper.make_node("Conv", ["x", "w_stem"], ["stem"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["stem"], ["stem_relu"]),
        helper.make_node("Conv", ["stem_relu", "w_left"], ["left"], pads=[1, 1, 1, 1]),
        helper.make_node("Conv", ["stem_relu", "w_right"], ["right"]),
        helper.make_node("Concat", ["left", "right"], ["joined"], axis=1),
        helper.make_node("Conv", ["joined", "w_deep", "b_deep"], ["deep"], pads=[1, 1, 1, 1], group=16),
        helper.make_node("Add", ["deep", "joined"], ["sum"]),
        helper.make_node("Relu", ["sum"], ["sum_relu"]),
        helper.make_node("GlobalAveragePool", ["sum_relu"], ["pool"]),
        helper.make_node("Flatten", ["pool"], ["flat"]),
        helper.make_node("Gemm", ["flat", "w_scores"], ["scores"]),
    ]
    shapes = {"w_stem": (8, 3, 3, 3), "w_left": (8, 8, 3, 3), "w_right": (8, 8, 1, 1), "w_deep": (16, 1, 3, 3),
              "b_deep": (16,), "w_scores": (16, 5)}
    weights = [numpy_helper.from_array(random.normal(size=shape).astype(np.float32) / 3, name)
               for name, shape in shapes.items()]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 8, 8])
    y = helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", 5])
    graph = helper.make_graph(nodes, "graph", [x], [y], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, folder / "model.onnx")
    np.savez(folder / "samples.npz", x=random.normal(size=(60, 3, 8, 8)).astype(np.float32))
    np.savez(folder / "others.npz", x=random.normal(size=(40, 3, 8, 8)).astype(np.float32))
    relu = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "graph", [x],
                             [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3, 8, 8])])
    onnx.save(helper.make_model(relu, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), folder / "relu.onnx")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
