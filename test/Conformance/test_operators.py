# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""One operator at a time, in the forms of several opsets.

The float program agrees with ONNX Runtime; the 8-bit program stays near it, and
reference, JIT and library agree in every bit of every value.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import dyadic
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper, parser

from conftest import run_tool
from test_bits import compare


SAMPLES = 12


@dataclass
class Case:
    """A graph in ONNX's text format, with random weights of the given shapes."""

    name: str
    opset: int
    inputs: str
    body: str
    constants: str = ""
    weights: dict[str, tuple[int, ...]] = field(default_factory=dict)
    # In dB: what eight bits in and out must keep.
    sqnr: float = 30

    def model(self) -> onnx.ModelProto:
        outputs = [line.split("=")[0] for line in self.body.split("; ")]
        outputs = [o.strip() for part in outputs for o in part.split(",") if o.strip().startswith("y")]
        text = (
            f'<ir_version: {3 if self.opset < 9 else 8}, opset_import: ["": {self.opset}]> '
            f"g ({self.inputs}) => ({', '.join('float ' + o for o in outputs)}) "
            f"<{self.constants}> {{ {self.body.replace('; ', chr(10))} }}"
        )
        model = parser.parse_model(text)
        rng = np.random.default_rng(1)
        for name, shape in self.weights.items():
            array = rng.standard_normal(shape).astype(np.float32)
            model.graph.initializer.append(numpy_helper.from_array(array, name))
        if model.ir_version < 4:  # initializers are inputs too
            for i in model.graph.initializer:
                model.graph.input.append(onnx.helper.make_tensor_value_info(i.name, i.data_type, i.dims))
        return model


X4 = "float[1, 4, 6, 8] x"
X3 = "float[1, 4, 10] x"
X5 = "float[1, 2, 4, 5, 6] x"

CASES = [
    Case("split_attribute", 2, X4, "y0, y1 = Split <axis = 1, split = [1, 3]> (x)"),
    Case("split_equal", 11, X4, "y0, y1, y2 = Split <axis = -1, split = [2, 2, 4]> (x)"),
    Case("split_operand", 13, X4, "y0, y1 = Split <axis = 2> (x, s)", "int64[2] s = {4, 2}"),
    Case("split_default", 13, X4, "y0, y1 = Split <axis = 3> (x)"),
    Case("split_uneven", 18, X3, "y0, y1, y2, y3 = Split <axis = 2, num_outputs = 4> (x)"),
    Case("split_unused", 13, X4, "a, b = Split <axis = 1> (x); y = Relu(b)"),
    Case("split_branches", 13, X4, "a, b = Split <axis = 1> (x); c = Relu(b); y = Concat <axis = 1> (c, a)"),
    Case("squeeze_1", 1, "float[1, 4, 1, 8] x", "y = Squeeze <axes = [2]> (x)"),
    Case("squeeze_11", 11, "float[1, 4, 1, 1] x", "y = Squeeze <axes = [-1, 2]> (x)"),
    Case("squeeze_13", 13, "float[1, 4, 1, 8] x", "y = Squeeze (x, a)", "int64[1] a = {2}"),
    Case("unsqueeze_1", 1, X3, "y = Unsqueeze <axes = [0, 3]> (x)"),
    Case("unsqueeze_11", 11, X3, "y = Unsqueeze <axes = [-1]> (x)"),
    Case("unsqueeze_13", 13, X3, "y = Unsqueeze (x, a)", "int64[2] a = {-1, 1}"),
    Case("mean_spatial", 11, X4, "y = ReduceMean <axes = [2, 3]> (x)"),
    Case("mean_squeezed", 13, X4, "m = ReduceMean <axes = [-1, -2], keepdims = 0> (x); y = Relu(m)"),
    Case("mean_one_spatial", 18, X4, "y = ReduceMean (x, a)", "int64[1] a = {3}"),
    Case("mean_channels", 13, X4, "y = ReduceMean <axes = [1]> (x)"),
    Case("mean_crossed", 13, X5, "y = ReduceMean <axes = [1, 3], keepdims = 0> (x)"),
    Case("mean_all", 18, X3, "y = ReduceMean <keepdims = 1> (x)"),
    Case("mean_none", 18, X3, "m = ReduceMean <noop_with_empty_axes = 1> (x); y = Relu(m)"),
    Case("max_spatial", 11, X4, "y = ReduceMax <axes = [2, 3]> (x)"),
    Case("max_channels", 18, X4, "y = ReduceMax <keepdims = 0> (x, a)", "int64[1] a = {1}"),
    Case("sum_spatial", 11, X4, "y = ReduceSum <axes = [2, 3], keepdims = 0> (x)"),
    Case("sum_channels", 13, X4, "y = ReduceSum (x, a)", "int64[1] a = {1}"),
    Case("sum_last", 13, X3, "y = ReduceSum (x, a)", "int64[1] a = {-1}"),
    Case("depth_to_space", 1, X4, "y = DepthToSpace <blocksize = 2> (x)"),
    Case("depth_to_space_crd", 13, "float[1, 8, 3, 2] x", 'y = DepthToSpace <blocksize = 2, mode = "CRD"> (x)'),
    Case("space_to_depth", 13, X4, "y = SpaceToDepth <blocksize = 2> (x)"),
    Case("cast", 13, X4, "c = Cast <to = 1> (x); y = Relu(c)"),
    Case("dropout_6", 6, X4, "d = Dropout <is_test = 1> (x); y = Relu(d)"),
    Case("dropout_7", 7, X4, "d = Dropout <ratio = 0.3> (x); y = Relu(d)"),
    Case("dropout_13", 13, X4, "d = Dropout (x); y = Relu(d)"),
    Case("slice_backwards", 13, X4, "y = Slice (x, s, e, a, t)",
         "int64[2] s = {-1, 5}, int64[2] e = {-100, 0}, int64[2] a = {3, 2}, int64[2] t = {-3, -1}"),
]  # fmt: skip


def samples_of(model: onnx.ModelProto) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(2)
    names = {i.name for i in model.graph.initializer}
    return {
        i.name: rng.uniform(-1, 1, (SAMPLES, *[d.dim_value for d in i.type.tensor_type.shape.dim])).astype(np.float32)
        for i in model.graph.input
        if i.name not in names
    }


def runtime_outputs(model: onnx.ModelProto, samples: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    if not model.graph.output[0].type.tensor_type.HasField("shape"):
        model = onnx.shape_inference.infer_shapes(model)
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [o.name for o in model.graph.output]
    rows = [session.run(None, {n: x[i] for n, x in samples.items()}) for i in range(len(next(iter(samples.values()))))]
    return {name: np.stack([row[k] for row in rows]) for k, name in enumerate(names)}


def check_float(folder: Path, samples: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    run_tool("quant-translate", folder / "m.onnx", "--float", "-o", folder / "f.so")
    program = dyadic.load(folder / "f.so")
    for i in range(SAMPLES):
        found = program.run({n: x[i] for n, x in samples.items()})
        for name, rows in expected.items():
            assert found[name].shape == rows[i].shape, name
            np.testing.assert_allclose(found[name], rows[i], rtol=0, atol=1e-5 * np.abs(rows).max() + 1e-30)


def check_integer(folder: Path, samples: dict[str, np.ndarray], expected: dict[str, np.ndarray], sqnr: float) -> None:
    np.savez(folder / "in.npz", **samples)
    common = [folder / "m.onnx", f"--calibration={folder / 'in.npz'}", "--name=m", "--bits=8", "--integer-only"]
    run_tool("quant-translate", *common, "-o", folder / "p.mlir")
    run_tool("quant-translate", *common, "--dump-values", "-o", folder / "p.so")
    runs = []
    for file, mode in (("p.mlir", ["--reference"]), ("p.mlir", []), ("p.so", [])):
        files = [f"--inputs={folder / 'in.npz'}", f"--outputs={folder / 'o.npz'}", f"--dump={folder / 'v.npz'}"]
        run_tool("quant-run", folder / file, *files, *mode)
        runs.append([dict(np.load(folder / name)) for name in ("o.npz", "v.npz")])
    for other in runs[1:]:
        for part in range(2):
            compare(runs[0][part], other[part])
    for name, rows in expected.items():
        noise = (runs[0][0][name].reshape(rows.shape) - rows).astype(np.float64)
        ratio = 10 * np.log10((rows.astype(np.float64) ** 2).mean() / max((noise**2).mean(), 1e-30))
        assert ratio >= sqnr, f"{name}: {ratio:.1f} dB, expected {sqnr}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_operator(case: Case, tmp_path: Path) -> None:
    model = case.model()
    onnx.save(model, tmp_path / "m.onnx")
    samples = samples_of(model)
    expected = runtime_outputs(model, samples)
    check_float(tmp_path, samples, expected)
    check_integer(tmp_path, samples, expected, case.sqnr)
