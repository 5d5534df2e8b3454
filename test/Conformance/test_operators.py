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
    Case("gather_scalar", 11, X4, "y = Gather <axis = 2> (x, i)", "int64 i = {-2}"),
    Case("gather_list", 13, X4, "y = Gather <axis = -1> (x, i)", "int64[5] i = {7, 0, 0, -3, 4}"),
    Case("gather_matrix", 13, X4, "g = Gather <axis = 1> (x, i); y = Relu(g)", "int32[2, 3] i = {3, 2, 1, 0, 1, 2}"),
    Case("gather_even", 13, X4, "y = Gather <axis = 3> (x, i)", "int64[3] i = {6, 4, 2}"),
    Case("pad_reflect", 11, X4, 'y = Pad <mode = "reflect"> (x, p)', "int64[8] p = {0, 0, 2, 3, 0, 0, 1, 7}"),
    Case("pad_edge", 13, X4, 'y = Pad <mode = "edge"> (x, p)', "int64[8] p = {0, 2, 0, 3, 0, 1, 0, 4}"),
    Case("pad_wrap", 19, X4, 'y = Pad <mode = "wrap"> (x, p)', "int64[8] p = {0, 0, 2, 3, 0, 0, 1, 4}"),
    Case("pad_reflect_cut", 13, X3, 'y = Pad <mode = "reflect"> (x, p)', "int64[6] p = {0, 0, -2, 0, 0, 3}"),
    Case("upsample_7", 7, X4, 'y = Upsample <mode = "nearest", scales = [1.0, 1.0, 2.0, 2.0]> (x)'),
    Case("upsample_9", 9, X4, 'y = Upsample <mode = "linear"> (x, s)', "float[4] s = {1, 1, 2, 3}"),
    Case("resize_10_up", 10, X4, "y = Resize (x, s)", "float[4] s = {1, 1, 1.5, 2}"),
    Case("resize_10_down", 10, X4, "y = Resize (x, s)", "float[4] s = {1, 1, 0.6, 0.5}"),
    Case("resize_10_linear", 10, X4, 'y = Resize <mode = "linear"> (x, s)', "float[4] s = {1, 1, 2, 0.7}"),
    Case("resize_19_axes", 19, X4, "y = Resize <axes = [3, 2]> (x, , , s)", "int64[2] s = {9, 7}"),
    Case("resize_18_not_larger", 18, X4,
         'y = Resize <axes = [2, 3], keep_aspect_ratio_policy = "not_larger"> (x, , , s)', "int64[2] s = {9, 9}"),
    Case("resize_18_not_smaller", 18, X4,
         'y = Resize <axes = [2, 3], keep_aspect_ratio_policy = "not_smaller", mode = "linear"> (x, , , s)',
         "int64[2] s = {9, 9}"),
    Case("resize_symmetric", 19, X4,
         'y = Resize <mode = "linear", coordinate_transformation_mode = "half_pixel_symmetric"> (x, , s)',
         "float[4] s = {1, 1, 1.3, 0.85}"),
    Case("resize_then_relu", 13, X4, 'r = Resize <mode = "linear"> (x, , s); y = Relu(r)', "float[4] s = {1, 1, 2, 2}"),
    Case("resize_volume", 13, X5, 'y = Resize <mode = "linear"> (x, , s)', "float[5] s = {1, 1, 2, 1.5, 3}"),
    Case("resize_line", 13, X3, 'y = Resize <mode = "linear"> (x, , s)', "float[3] s = {1, 1, 4}"),
    *[Case(f"resize_{opset}_{mode}_{rounding}_{size}", opset, X4,
           f'y = Resize <coordinate_transformation_mode = "{mode}", nearest_mode = "{rounding}"> (x, , s)'
           if size != "sizes" else
           f'y = Resize <coordinate_transformation_mode = "{mode}", nearest_mode = "{rounding}"> (x, , , s)',
           {"up": "float[4] s = {1, 1, 2, 3}", "down": "float[4] s = {1, 1, 0.7, 0.5}",
            "sizes": "int64[4] s = {1, 4, 11, 5}"}[size])
      for opset, mode, rounding, size in [
          (13, "half_pixel", "round_prefer_floor", "up"), (18, "half_pixel", "round_prefer_ceil", "down"),
          (13, "half_pixel", "floor", "sizes"), (19, "half_pixel", "ceil", "sizes"),
          (13, "pytorch_half_pixel", "round_prefer_floor", "sizes"), (13, "asymmetric", "floor", "up"),
          (13, "asymmetric", "ceil", "down"), (13, "asymmetric", "round_prefer_ceil", "sizes"),
          (13, "align_corners", "round_prefer_floor", "up"), (18, "align_corners", "floor", "sizes")]],
    Case("resize_11", 11, X4, 'y = Resize <coordinate_transformation_mode = "tf_half_pixel_for_nn", '
         'nearest_mode = "floor"> (x, r, s)', "float[8] r = {0, 0, 0, 0, 1, 1, 1, 1}, float[4] s = {1, 1, 0.7, 1.5}"),
    Case("resize_11_sizes", 11, X4, 'y = Resize <mode = "linear"> (x, r, e, s)',
         "float[0] r = {}, float[0] e = {}, int64[4] s = {1, 4, 9, 9}"),
    *[Case(f"resize_linear_{mode}_{size}", 13, X4,
           f'y = Resize <mode = "linear", coordinate_transformation_mode = "{mode}"> (x, , {"" if size != "sizes" else ","} s)',
           {"up": "float[4] s = {1, 1, 2, 4}", "down": "float[4] s = {1, 1, 0.7, 0.5}",
            "sizes": "int64[4] s = {1, 4, 11, 5}"}[size])
      for mode in ("half_pixel", "pytorch_half_pixel", "asymmetric", "align_corners")
      for size in ("up", "down", "sizes")],
    *[Case(f"transposed_{name}", 11, x, f"y = ConvTranspose <{attributes}> (x, w, b)",
           weights={"w": w, "b": (w[1] * group,)}, sqnr=26)
      for name, x, w, attributes, group in [
          ("plain", X4, (4, 3, 3, 3), "group = 1", 1),
          ("stride", X4, (4, 3, 2, 2), "strides = [2, 2]", 1),
          ("odd", X4, (4, 3, 3, 3), "strides = [2, 2], pads = [1, 1, 1, 1], output_padding = [1, 1]", 1),
          ("unet", X4, (4, 3, 4, 4), "strides = [2, 2], pads = [1, 1, 1, 1]", 1),
          ("groups", X4, (4, 3, 3, 2), "strides = [3, 2], group = 2, pads = [0, 1, 2, 0]", 2),
          ("depthwise", X4, (4, 1, 4, 4), "strides = [2, 2], group = 4, pads = [1, 1, 1, 1]", 4),
          ("dilated", X4, (4, 2, 3, 2), "dilations = [2, 3], pads = [1, 0, 1, 2]", 1),
          ("dilated_stride", X4, (4, 2, 3, 3), "dilations = [2, 2], strides = [3, 2], pads = [1, 1, 1, 1]", 1),
          ("same_upper", X4, (4, 2, 3, 3), 'strides = [2, 3], auto_pad = "SAME_UPPER"', 1),
          ("same_lower", X4, (4, 2, 4, 3), 'strides = [2, 2], auto_pad = "SAME_LOWER"', 1),
          ("valid", X4, (4, 2, 3, 3), 'strides = [2, 2], auto_pad = "VALID"', 1),
          ("output_shape", X4, (4, 2, 3, 3), "strides = [2, 2], output_shape = [12, 17]", 1),
          ("small_kernel", X4, (4, 2, 1, 2), "strides = [3, 3], output_padding = [2, 0]", 1),
          ("large_pads", X4, (4, 2, 2, 2), "pads = [2, 3, 2, 3], strides = [2, 2]", 1),
          ("line", X3, (4, 3, 5), "strides = [3], pads = [1, 2]", 1),
          ("volume", X5, (2, 3, 2, 3, 2), "strides = [2, 2, 1], pads = [0, 1, 0, 0, 1, 0]", 1)]],
    Case("transposed_relu", 11, X4,
         "t = ConvTranspose <strides = [2, 2]> (x, w, b); n = BatchNormalization (t, s, o, m, v); y = Relu(n)",
         "float[3] s = {1, 2, -1}, float[3] o = {0.5, 0, 1}, float[3] m = {0, 1, -1}, float[3] v = {1, 2, 3}",
         weights={"w": (4, 3, 2, 2), "b": (3,)}),
    *[Case(f"conv_{name}", 11, x, f"y = Conv <{attributes}> (x, w, b)", weights={"w": w, "b": (w[0],)}, sqnr=26)
      for name, x, w, attributes in [
          ("same_upper", X4, (3, 4, 3, 2), 'auto_pad = "SAME_UPPER", strides = [2, 1]'),
          ("same_lower", X4, (3, 4, 4, 3), 'auto_pad = "SAME_LOWER", strides = [2, 2]'),
          ("valid", X4, (3, 4, 3, 2), 'auto_pad = "VALID", strides = [2, 1]'),
          ("line", X3, (6, 2, 3), "dilations = [2], group = 2, pads = [2, 1]"),
          ("line_same", X3, (3, 4, 4), 'auto_pad = "SAME_LOWER"'),
          ("volume", X5, (3, 2, 2, 3, 2), "dilations = [2, 1, 3], pads = [1, 1, 0, 0, 1, 2], strides = [1, 2, 2]"),
          ("volume_same", X5, (4, 1, 2, 3, 2), 'auto_pad = "SAME_UPPER", group = 2')]],
    *[Case(f"pool_{name}", 11, x, f"y = {op} <{attributes}> (x)")
      for name, x, op, attributes in [
          ("max_same", X4, "MaxPool", 'kernel_shape = [3, 2], auto_pad = "SAME_UPPER", strides = [2, 2]'),
          ("max_lower", X4, "MaxPool", 'kernel_shape = [2, 4], auto_pad = "SAME_LOWER"'),
          ("max_line", X3, "MaxPool", "kernel_shape = [3], dilations = [3], strides = [2], pads = [1, 2]"),
          ("max_volume", X5, "MaxPool", "kernel_shape = [2, 2, 3], strides = [2, 1, 2], pads = [1, 0, 1, 0, 1, 1]"),
          ("mean_same", X4, "AveragePool", 'kernel_shape = [3, 2], auto_pad = "SAME_LOWER", strides = [2, 2]'),
          ("mean_line", X3, "AveragePool", "kernel_shape = [4], strides = [2], pads = [1, 2], count_include_pad = 1"),
          ("mean_volume", X5, "AveragePool", "kernel_shape = [2, 2, 3], pads = [1, 0, 1, 0, 1, 1]"),
          ("mean_valid", X4, "AveragePool", 'kernel_shape = [3, 2], auto_pad = "VALID", strides = [2, 2]')]],
    Case("pool_dilated_mean", 19, X4, "y = AveragePool <kernel_shape = [2, 3], dilations = [2, 2], pads = [1, 1, 1, 1]> (x)"),
    Case("pad_2", 2, X4, 'y = Pad <mode = "reflect", pads = [0, 0, 1, 1, 0, 0, 1, 1]> (x)'),
    Case("expand_vector", 13, "float[1, 4, 1, 1] x", "e = Expand (x, s); y = Relu(e)", "int64[4] s = {1, 1, 3, 5}"),
    Case("expand_rank", 8, X3, "y = Expand (x, s)", "int64[4] s = {2, 1, 1, 10}"),
    Case("expand_then_scale", 13, X4,
         "m = ReduceMean <axes = [2, 3]> (x); g = Sigmoid(m); e = Expand (g, s); y = Mul (x, e)", "int64[4] s = {1, 4, 6, 8}"),
    Case("expand_both", 13, "float[1, 4, 1, 1] x",
         "e = Expand (x, s); r = Relu(e); n = Neg(x); f = Expand (n, s); y = Mul (r, f)", "int64[4] s = {1, 4, 2, 3}"),
    Case("where_threshold", 18, X4, "p = Softplus(x); c = Greater (x, t); y = Where (c, x, p)", "float t = {0.25}"),
    Case("where_constant", 13, X4, "c = Less (x, t); y = Where (c, z, x)", "float t = {-0.5}, float[1] z = {-0.5}"),
    Case("where_reversed", 16, X4, "c = LessOrEqual (t, x); n = Neg(x); y = Where (c, x, n)", "float t = {0}"),
    Case("where_not", 16, X4, "c = GreaterOrEqual (x, t); d = Not(c); y = Where (d, x, z)", "float t = {0.1}, float z = {0.1}"),
    Case("where_two_values", 13, X4 + ", float[1, 4, 6, 8] v", "c = Greater (x, v); y = Where (c, x, v)", sqnr=25),
    Case("comparison_cast", 13, X4, "c = Greater (x, t); f = Cast <to = 1> (c); y = Mul (x, f)", "float t = {0.3}"),
    Case("thresholded_relu", 13, X4, "y = ThresholdedRelu <alpha = 0.2> (x)"),
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


def check_float(model: onnx.ModelProto, samples: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    program = dyadic.compile(model, float=True)
    for i in range(SAMPLES):
        found = program.run({n: x[i] for n, x in samples.items()})
        for name, rows in expected.items():
            assert found[name].shape == rows[i].shape, name
            np.testing.assert_allclose(found[name], rows[i], rtol=0, atol=1e-5 * np.abs(rows).max() + 1e-30)


def check_integer(
    model: onnx.ModelProto, folder: Path, samples: dict[str, np.ndarray], expected: dict[str, np.ndarray], sqnr: float
) -> None:
    options = {"bits": 8, "integer_only": True, "dump_values": True, "weight_rounding": "nearest"}
    program = dyadic.compile(model, calibration=samples, name="m", **options)
    for file in ("p.mlir", "p.so"):
        program.save(folder / file)
    np.savez(folder / "in.npz", **samples)
    files = [f"--inputs={folder / 'in.npz'}", f"--outputs={folder / 'o.npz'}", f"--dump={folder / 'v.npz'}"]
    run_tool("quant-run", folder / "p.mlir", "--reference", *files)
    reference = [dict(np.load(folder / name)) for name in ("o.npz", "v.npz")]
    for compiled in (program, dyadic.load(folder / "p.so")):
        runs = [compiled.run_values({n: x[i] for n, x in samples.items()}) for i in range(SAMPLES)]
        for part, wanted in enumerate(reference):
            found = {name: np.stack([run[part][name] for run in runs]) for name in runs[0][part]}
            if part == 1:
                found = samples | found  # a dump has the inputs too
            compare(wanted, {name: array.reshape(wanted[name].shape) for name, array in found.items()})
    for name, rows in expected.items():
        noise = (reference[0][name].reshape(rows.shape) - rows).astype(np.float64)
        ratio = 10 * np.log10((rows.astype(np.float64) ** 2).mean() / max((noise**2).mean(), 1e-30))
        assert ratio >= sqnr, f"{name}: {ratio:.1f} dB, expected {sqnr}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_operator(case: Case, tmp_path: Path) -> None:
    model = case.model()
    samples = samples_of(model)
    expected = runtime_outputs(model, samples)
    check_float(model, samples, expected)
    check_integer(model, tmp_path, samples, expected, case.sqnr)
