# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes one bad model or calibration file of each kind: `bad_models.py FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

X = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8])
Y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4, 8, 8])
WEIGHTS = np.linspace(-1, 1, 4 * 3 * 9, dtype=np.float32).reshape(4, 3, 3, 3)


def conv(name: str = "conv", x: str = "x", y: str = "y", **attributes: object) -> onnx.NodeProto:
    return helper.make_node("Conv", [x, "w"], [y], name=name, pads=[1, 1, 1, 1], **attributes)


def model(nodes: list[onnx.NodeProto], weights: np.ndarray | onnx.TensorProto = WEIGHTS, inputs=(X,), outputs=(Y,)) -> onnx.ModelProto:
    tensor = weights if isinstance(weights, onnx.TensorProto) else numpy_helper.from_array(weights, "w")
    graph = helper.make_graph(nodes, "graph", list(inputs), list(outputs), [tensor])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def changed(array: np.ndarray, value: float) -> np.ndarray:
    array = array.copy()
    array[1, 2, 0, 1] = value
    return array


def models() -> dict[str, onnx.ModelProto]:
    good = model([conv()])
    short = numpy_helper.from_array(WEIGHTS, "w")
    short.raw_data = short.raw_data[:-4]
    typed = TensorProto(name="w", dims=[4, 3, 3, 3], data_type=TensorProto.FLOAT, float_data=[0.5] * 10)
    huge = TensorProto(name="w", dims=[1 << 40, 1 << 40, 3, 3], data_type=TensorProto.FLOAT, raw_data=b"")
    negative = TensorProto(name="w", dims=[4, -3, 3, 3], data_type=TensorProto.FLOAT, raw_data=WEIGHTS.tobytes())
    constant = helper.make_node("Constant", [], ["w"], name="constant", value=numpy_helper.from_array(changed(WEIGHTS, np.nan)))
    in_node = model([constant, conv()])
    del in_node.graph.initializer[:]
    named = model([helper.make_node("Frobnicate\x1b[31m", ["x"], ["y"], name="line\nbreak")])
    symbolic = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, "height", 8])
    integers = helper.make_tensor_value_info("x", TensorProto.INT64, [1, 3, 8, 8])
    return {
        "good": good,
        "unknown": model([conv("first", "x", "a"), helper.make_node("Frobnicate", ["a"], ["b"], name="odd"),
                          helper.make_node("NonZero", ["b"], ["c"], name="nonzero"), helper.make_node("Einsum", ["c"], ["y"], name="einsum", equation="ij->ji")]),
        "no_layers": model([helper.make_node("Identity", ["x"], ["y"])], outputs=[helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3, 8, 8])]),
        "dangling": model([conv(x="nowhere")]),
        "cycle": model([helper.make_node("Relu", ["b"], ["a"], name="one"), helper.make_node("Relu", ["a"], ["b"], name="two"), conv(x="b")]),
        "duplicate": model([conv("one"), conv("two")]),
        "short": model([conv()], short),
        "typed": model([conv()], typed),
        "huge": model([conv()], huge),
        "negative": model([conv()], negative),
        "nan": model([conv()], changed(WEIGHTS, np.nan)),
        "infinite": model([conv()], changed(WEIGHTS, np.inf)),
        "nan_constant": in_node,
        "control": named,
        "symbolic": model([conv()], inputs=[symbolic]),
        "integers": model([conv()], inputs=[integers]),
        "group": model([conv(group=2)]),
        "wide": model([conv()], np.ones((4, 64, 3, 3), np.float32), [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 64, 8, 8])]),
    }


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, proto in models().items():
        (folder / f"{name}.onnx").write_bytes(proto.SerializeToString())
    good = (folder / "good.onnx").read_bytes()
    (folder / "truncated.onnx").write_bytes(good[: len(good) // 2])
    (folder / "text.onnx").write_text("this is not a model\n" * 40)
    (folder / "empty.onnx").write_bytes(b"")
    x = np.random.default_rng(0).random((12, 3, 8, 8), np.float32)
    bad = x.copy()
    bad[7, 1, 2, 3] = np.nan
    np.savez(folder / "good.npz", x=x)
    np.savez(folder / "wide.npz", x=np.random.default_rng(1).random((12, 64, 8, 8), np.float32))
    np.savez(folder / "name.npz", image=x, label=np.zeros(12))
    np.savez(folder / "shape.npz", x=x[:, :2])
    np.savez(folder / "nan.npz", x=bad)
    np.savez(folder / "uint8.npz", x=(x * 255).astype(np.uint8))
    np.savez(folder / "objects.npz", x=np.array([{"a": 1}], object))
    np.savez(folder / "none.npz", x=x[:0])
    (folder / "broken.npz").write_bytes((folder / "good.npz").read_bytes()[:900])


if __name__ == "__main__":
    main()
