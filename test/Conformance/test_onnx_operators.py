# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Float programs against ONNX's own node tests of the operators that move, resize and slide.

Operands that the importer needs as constants (axes, sizes, weights) are given as such;
the first input stays one.
"""

from __future__ import annotations

import re
import tarfile
from pathlib import Path

import dyadic
import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from conftest import need_shared, run_tool

OPERATORS = re.compile(
    r"test_(averagepool|maxpool|conv_with|basic_conv|convtranspose|depthtospace|spacetodepth|split_|squeeze|unsqueeze|"
    r"gather_|reduce_mean|reduce_max|reduce_sum_|resize|upsample|slice|constant_pad|edge_pad|reflect_pad|wrap_pad|"
    r"center_crop_pad|sign$)"
)
# What is not imported, by a part of the name.
SKIPPED = {
    "cubic": "cubic interpolation",
    "antialias": "antialiasing",
    "tf_crop_and_resize": "crops with a resize",
    "uint8": "integers",
    "bool_inputs": "integers",
    "argmax": "indices of a max pool",
    "elements": "another operator",
    "empty": "empty tensors",
    "zero_size": "empty tensors",
    "sum_square": "squares of values",
    "test_edge_pad": "integers",
    "test_reflect_pad": "integers",
    "test_wrap_pad": "integers",
    "to_sequence": "sequences",
    "start_out_of_bounds": "empty tensors",
    # The vector divides by the size before rounding it to whole pixels; ONNX Runtime does not either.
    "downsample_scales_linear_align_corners": "another definition",
}


@pytest.fixture(scope="session")
def vectors():
    found: dict[str, dict[str, bytes]] = {}
    with tarfile.open(need_shared() / "data" / "onnx_backend_test.tar.xz") as archive:
        for member in archive:
            parts = member.name.split("/")
            name = next((p for p in parts if p.startswith("test_") and not p.startswith("test_data")), None)
            if name and OPERATORS.match(name) and member.isfile():
                found.setdefault(name, {})[parts[-1]] = archive.extractfile(member).read()
    return found


def array(data: bytes) -> np.ndarray:
    return numpy_helper.to_array(onnx.TensorProto.FromString(data))


def check(files: dict[str, bytes], folder: Path) -> None:
    model = onnx.load_from_string(files["model.onnx"])
    inputs = list(model.graph.input)
    sample = {inputs[0].name: array(files["input_0.pb"])}
    for i, value in enumerate(inputs[1:], 1):
        model.graph.initializer.append(numpy_helper.from_array(array(files[f"input_{i}.pb"]), value.name))
    onnx.save(model, folder / "m.onnx")
    run_tool("quant-translate", folder / "m.onnx", "--float", "-o", folder / "m.so")
    outputs = dyadic.load(folder / "m.so").run(sample)
    for i, value in enumerate(model.graph.output):
        expected = array(files[f"output_{i}.pb"])
        assert outputs[value.name].shape == expected.shape
        np.testing.assert_allclose(outputs[value.name], expected, rtol=1e-3, atol=1e-6)  # ONNX's own


def test_vectors(vectors, tmp_path) -> None:
    """Every vector agrees, or is of the listed kinds."""
    failures, count = [], 0
    for name, files in sorted(vectors.items()):
        if any(part in name for part in SKIPPED):
            continue
        count += 1
        try:
            check(files, tmp_path)
        except AssertionError as error:
            failures.append(f"{name}: {str(error).strip().splitlines()[-1]}")
    print(f"{count} vectors")
    assert not failures, "\n".join(failures)
    assert count >= 150


def test_sign_of_the_smallest_numbers(tmp_path) -> None:
    x = np.float32([0, -0.0, 2.0**-149, -(2.0**-149), 2.0**-126, 1, -3.4e38, np.inf, -np.inf])
    node = onnx.helper.make_node("Sign", ["x"], ["y"])
    values = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, x.shape) for name in "xy"]
    graph = onnx.helper.make_graph([node], "graph", values[:1], values[1:])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    np.testing.assert_array_equal(dyadic.compile(model, float=True).run(x)["y"], np.sign(x))
