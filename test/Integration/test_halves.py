# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Models in 16-bit floats are computed in float32, from the very same constants."""

from __future__ import annotations

import dyadic
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from conftest import run_tool

RNG = np.random.default_rng(0)
WEIGHTS = RNG.standard_normal((4, 3, 3, 3)).astype(np.float16)
BIAS = np.array([6e-8, -65504, 0, 1.5], np.float16)  # the smallest and the largest too
X = RNG.standard_normal((1, 3, 6, 6)).astype(np.float32)


def tensor(name: str, values: np.ndarray, kind: int, raw: bool) -> onnx.TensorProto:
    """float16, or the upper half of float32 as bfloat16; raw or typed."""
    bits = values.view(np.uint16) if kind == TensorProto.FLOAT16 else (values.astype(np.float32).view(np.uint32) >> 16)
    bits = bits.astype(np.uint16)
    if raw:
        return helper.make_tensor(name, kind, values.shape, bits.tobytes(), raw=True)
    proto = TensorProto(name=name, data_type=kind, dims=values.shape)
    proto.int32_data.extend(int(b) for b in bits.ravel())
    return proto


def values_of(values: np.ndarray, kind: int) -> np.ndarray:
    wide = values.astype(np.float32)
    return wide if kind == TensorProto.FLOAT16 else (wide.view(np.uint32) & 0xFFFF0000).view(np.float32)


def expected(kind: int) -> np.ndarray:
    model = helper.make_model(
        helper.make_graph(
            [helper.make_node("Conv", ["x", "w", "b"], ["y"])],
            "g",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, X.shape)],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4, 4, 4])],
            [numpy_helper.from_array(values_of(WEIGHTS, kind), "w"), numpy_helper.from_array(values_of(BIAS, kind), "b")],
        ),
        opset_imports=[helper.make_opsetid("", 22)],
    )
    return ReferenceEvaluator(model).run(None, {"x": X})[0]


def half_model(kind: int, form: str, raw: bool) -> onnx.ModelProto:
    """Weights that are cast, all of it between casts, or all of it with inputs and outputs."""
    weights = [tensor("w", WEIGHTS, kind, raw), tensor("b", BIAS, kind, raw)]
    outer = kind if form == "all" else TensorProto.FLOAT
    cast = lambda source, to, kind: helper.make_node("Cast", [source], [to], to=kind)  # noqa: E731
    if form == "weights":
        nodes = [cast("w", "wf", TensorProto.FLOAT), cast("b", "bf", TensorProto.FLOAT)]
        nodes.append(helper.make_node("Conv", ["x", "wf", "bf"], ["y"]))
    elif form == "between":
        nodes = [helper.make_node("Constant", [], ["c"], value=weights.pop()), cast("x", "h", kind)]
        nodes += [helper.make_node("Conv", ["h", "w", "c"], ["z"]), cast("z", "y", TensorProto.FLOAT)]
    else:
        nodes = [helper.make_node("Conv", ["x", "w", "b"], ["y"])]
    inputs = [helper.make_tensor_value_info("x", outer, X.shape)]
    outputs = [helper.make_tensor_value_info("y", outer, [1, 4, 4, 4])]
    graph = helper.make_graph(nodes, "g", inputs, outputs, weights)
    return helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 22)])


@pytest.mark.parametrize("raw", [True, False])
@pytest.mark.parametrize("form", ["weights", "between", "all"])
@pytest.mark.parametrize("kind", [TensorProto.FLOAT16, TensorProto.BFLOAT16])
def test_halves(kind, form, raw, tmp_path):
    onnx.save(half_model(kind, form, raw), tmp_path / "m.onnx")
    run_tool("quant-translate", tmp_path / "m.onnx", "--float", "-o", tmp_path / "m.so")
    found = dyadic.load(tmp_path / "m.so").run(X)["y"]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected(kind), rtol=1e-5, atol=1e-5)


def test_mixed_types_are_refused(tmp_path):
    model = half_model(TensorProto.FLOAT16, "all", True)
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.FLOAT
    onnx.save(model, tmp_path / "m.onnx")
    result = run_tool("quant-translate", tmp_path / "m.onnx", "--float", "-o", tmp_path / "m.so", check=False)
    assert result.returncode == 1 and "inconsistent type tensor(float16)" in result.stderr
    assert not (tmp_path / "m.so").exists()
