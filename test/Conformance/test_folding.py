# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What exporters compute with nodes is known when the model is imported: shapes, branches, bodies of operators."""

from __future__ import annotations

import pytest

from test_operators import X3, X4, Case, check_float, runtime_outputs, samples_of

# The chains of PyTorch's exporter around view, flatten and interpolate.
VIEW = (
    "s = Shape (x); b = Gather <axis = 0> (s, zero); c = Gather <axis = 0> (s, one); p = Mul (c, two); "
    "bu = Unsqueeze (b, axis); pu = Unsqueeze (p, axis); to = Concat <axis = 0> (bu, pu, rest); y = Reshape (x, to)"
)
INTERPOLATE = (
    "s = Shape (x); h = Slice (s, two1, four1, axis); f = Cast <to = 1> (h); g = Mul (f, factor); r = Floor (g); "
    "i = Cast <to = 7> (r); n = Slice (s, axis, two1, axis); to = Concat <axis = 0> (n, i); e = Constant <value_floats = [1.0]> (); "
    'o = Slice (e, one1, one1); y = Resize <mode = "linear"> (x, , , to)'
)
CASES = [
    Case("view", 13, X4, VIEW, "int64 zero = {0}, int64 one = {1}, int64 two = {2}, int64[1] axis = {0}, int64[1] rest = {-1}"),
    Case("interpolate", 13, X4, INTERPOLATE,
         "int64[1] two1 = {2}, int64[1] four1 = {4}, int64[1] axis = {0}, int64[1] one1 = {1}, float factor = {1.5}"),
    Case("shape_bounds", 15, X4, "s = Shape <start = 1, end = -1> (x); t = ReduceProd (s); "
         "v = Concat <axis = 0> (n, t, m); y = Reshape (x, v)", "int64[1] n = {1}, int64[1] m = {-1}"),
    Case("range_tile", 13, X4, "r = Range (a, b, c); t = Tile (r, n); y = Gather <axis = 3> (x, t)",
         "int64 a = {6}, int64 b = {-1}, int64 c = {-2}, int64[1] n = {2}"),
    Case("split_shape", 13, X4, "s = Shape (x); n, c, h = Split <axis = 0> (s, l); t = Concat <axis = 0> (n, h, c); "
         "y = Reshape (x, t)", "int64[3] l = {1, 1, 2}"),
    Case("expand_fill", 13, X4, "f = ConstantOfShape <value = float[1] {2.0}> (n); e = Expand (f, m); "
         "y = Mul (x, e)", "int64[1] n = {1}, int64[3] m = {4, 1, 1}"),
    Case("constants", 13, X3, "a = Constant <value_ints = [2, 0, 1]> (); b = Constant <value_int = 1> (); "
         "c = Add (a, b); y = Gather <axis = 1> (x, c)"),
    Case("if_taken", 13, X4, "s = Shape (x); d = Gather <axis = 0> (s, i); c = Equal (d, j); y = If (c) <"
         "then_branch = t () => (float z) {z = Transpose <perm = [0, 3, 1, 2]> (x)}, else_branch = e () => (float q) {p = Relu (x) q = Identity (p)}>",
         "int64 i = {1}, int64 j = {4}"),
    Case("if_nested", 16, X4, "v = Relu (x); y = If (c) <then_branch = t () => (float v1) {a = Relu (v) "
         "v1 = If (d) <then_branch = tt () => (float u) {u = Identity (v)}, else_branch = te () => (float w) "
         "{b = Constant <value_float = 0.5> () w = Clip (a, , b)}>}, else_branch = e () => (float r) {r = Identity (x)}>",
         "bool c = {1}, bool d = {0}"),
    Case("body_center", 18, X4, "y = CenterCropPad <axes = [2, 3]> (x, s)", "int64[2] s = {4, 4}"),
    Case("body_cast_like", 15, X4, "y0 = CastLike (x, t); y = Relu (y0)", "float t = {1}"),
    Case("body_clip_chain", 13, X4, "m = Max (a, b); y = Clip (x, m, c)", "float a = {-0.5}, float b = {-0.25}, float c = {0.5}"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_folds(case: Case) -> None:
    model = case.model()
    samples = samples_of(model)
    check_float(model, samples, runtime_outputs(model, samples))
