# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes one model for each reason why a node is not imported: `refused_operators.py FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

import onnx
from onnx import parser

# Name -> opset, body, constants; x is float[1, 4, 6, 8].
MODELS = {
    "split": (18, "y, z = Split <axis = 1> (x, s)", "int64[3] s = {1, 1, 2}"),
    "split_empty": (18, "a, y = Split <axis = 1> (x, s); b = Relu(a)", "int64[2] s = {4, 0}"),
    "gather_range": (13, "y = Gather <axis = 1> (x, i)", "int64[2] i = {0, 4}"),
    "gather_computed": (13, "c = Relu (x); d = Cast <to = 7> (c); y = Gather <axis = 1> (x, d)", ""),
    "pad_mode": (13, 'y = Pad <mode = "mirror"> (x, p)', "int64[8] p = {0, 0, 1, 1, 0, 0, 1, 1}"),
    "reduce_axes": (18, "y = ReduceMean (x, a)", "int64[2] a = {2, -2}"),
    "depth_blocks": (13, 'y = DepthToSpace <blocksize = 2, mode = "ABC"> (x)', ""),
    "cubic": (13, 'y = Resize <mode = "cubic"> (x, , s)', "float[4] s = {1, 1, 2, 2}"),
    "antialias": (18, 'y = Resize <mode = "linear", antialias = 1> (x, , s)', "float[4] s = {1, 1, 0.5, 0.5}"),
    "crop": (13, 'y = Resize <coordinate_transformation_mode = "tf_crop_and_resize"> (x, r, s)',
             "float[8] r = {0, 0, 0, 0, 1, 1, 1, 1}, float[4] s = {1, 1, 2, 2}"),
    "nearest_mode": (13, 'y = Resize <nearest_mode = "up"> (x, , s)', "float[4] s = {1, 1, 2, 2}"),
    "transposed_phases": (13, "y = ConvTranspose <strides = [5000, 5000]> (x, w)", "float[4, 1, 1, 1] w = {1, 2, 3, 4}"),
    "transposed_computed": (13, "w = Relu (x); y = ConvTranspose (x, w)", ""),
    "loop": (13, "y = Loop (m, c, x) <body = b (int64 i, bool k, float v) => (bool k2, float v2) "
                 "{k2 = Identity (k) v2 = Relu (v)}>", "int64 m = {3}, bool c = {1}"),
    "expand": (13, "y = Expand (x, s)", "int64[4] s = {2000000, 4, 6, 8}"),
    "attention": (24, "y = Attention (x, x, x)", ""),
    "cast": (13, "c = Cast <to = 11> (x); y = Cast <to = 1> (c)", ""),
}  # fmt: skip


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, (opset, body, constants) in MODELS.items():
        text = body.replace("; ", "\n")
        graph = f"g (float[1, 4, 6, 8] x) => (float y) <{constants}> {{ {text} }}"
        model = parser.parse_model(f'<ir_version: 8, opset_import: ["": {opset}]> {graph}')
        for node in model.graph.node:
            node.name = f"{name}_{node.output[0]}"
        onnx.save(model, folder / f"{name}.onnx")


if __name__ == "__main__":
    main()
