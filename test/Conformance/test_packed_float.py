# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Float kernels of every target, emulated where this machine lacks it: the bits of the reference interpreter in every
value, also where a sum of products would be rounded otherwise, and no byte touched outside of the buffers.
"""

from __future__ import annotations

from pathlib import Path

import dyadic
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from conftest import run_tool
from test_packed import FULL, LAYERS, guarded, run_guarded, runnable  # noqa: F401 (a fixture)

#: Others have the float unit of one of these.
TARGETS = ["generic", "avx2", "avx512vnni", "emulated-neon-dotprod"]

#: channels, filters, size, kernel, stride, dilation, pad, groups
SHAPES = LAYERS | {
    "tiles of every size": (5, 24, (3, 29), 3, 1, 1, 1, 1),
    "few filters": (20, 3, (5, 6), 3, 1, 1, 1, 1),
    "nine filters a group": (8, 18, (6, 5), 3, 1, 1, 1, 2),
    "filters of one channel": (6, 12, (7, 5), 3, 1, 1, 1, 6),
    "grouped, dilated, strided": (12, 20, (11, 9), 3, 2, 2, 2, 4),
    "depthwise, wide": (40, 40, (5, 31), 3, 1, 1, 1, 40),
    "depthwise, 9x9": (8, 8, (10, 11), 9, 1, 1, 4, 8),
    "one dimension, grouped": (8, 8, (19,), 4, 1, 2, 3, 4),
    "pointwise, one position": (70, 33, (1, 1), 1, 1, 1, 0, 1),
    "deep pointwise": (2100, 16, (5, 3), 1, 1, 1, 0, 1),
}
TAILS = ["none", "relu", "relu6", "add", "add relu", "relu twice read"]


def numbers(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Of many sizes, some of them with so few bits that exact middles between two f32 are frequent."""
    wide = rng.normal(0, 1, shape) * 2.0 ** rng.integers(-12, 12, shape)
    few = np.rint(rng.normal(0, 40, shape)) * 2.0 ** rng.integers(-14, 2, shape)
    return np.where(rng.random(shape) < 0.5, wide, few).astype(np.float32)


def model(path: Path, rng: np.random.Generator, layer: tuple, tail: str) -> tuple[int, ...]:
    """x -> conv [-> ReLU | Clip | + r [-> ReLU]]; returns the shape of x. r is made by another convolution of x."""
    channels, filters, size, kernel, stride, dilation, pad, groups = layer
    rank = len(size)
    attributes = {"strides": [stride] * rank, "dilations": [dilation] * rank, "pads": [pad] * (2 * rank), "group": groups}
    shape = (filters, channels // groups, *[kernel] * rank)
    tensors = {"w": numbers(rng, shape), "b": numbers(rng, (filters,)), "six": np.float32(6), "zero": np.float32(0)}
    nodes = [helper.make_node("Conv", ["x", "w", "b"], ["c"], **attributes)]
    last = "c"
    if tail.startswith("add"):
        tensors["v"] = numbers(rng, shape)
        nodes += [helper.make_node("Conv", ["x", "v"], ["r"], **attributes), helper.make_node("Add", ["r", "c"], ["s"])]
        last = "s"
    if tail == "relu6":
        nodes.append(helper.make_node("Clip", ["c", "zero", "six"], ["y"]))
    elif tail == "relu twice read":
        nodes += [helper.make_node("Relu", ["c"], ["a"]), helper.make_node("Add", ["a", "c"], ["y"])]
    else:
        nodes.append(helper.make_node("Relu" if "relu" in tail else "Identity", [last], ["y"]))
    graph = helper.make_graph(
        nodes,
        "float",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, channels, *size])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(a), n) for n, a in tensors.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(onnx.shape_inference.infer_shapes(made), path)
    return (1, channels, *size)


def bits(array: np.ndarray) -> np.ndarray:
    """Sign and payload of a NaN are the processor's choice."""
    return np.where(np.isnan(array), np.float32(np.nan), array).view(np.int32)


def compare(path: Path, samples: np.ndarray, guard: Path, folder: Path, *options: str, targets: list[str] = TARGETS) -> None:
    """The programs of the targets against the interpreter."""
    np.savez(folder / "in.npz", x=samples)
    files = [f"--inputs={folder / 'in.npz'}", f"--outputs={folder / 'o.npz'}", f"--dump={folder / 'd.npz'}"]
    run_tool("quant-translate", path, "--float", "-o", folder / "m.mlir")
    run_tool("quant-run", folder / "m.mlir", "--reference", *files)
    outputs, values = dict(np.load(folder / "o.npz")), dict(np.load(folder / "d.npz"))
    compared = 0
    for target in map(runnable, targets):
        library = folder / f"{target}.so"
        run_tool("quant-translate", path, "--float", f"--target={target}", "--name=m", *options, "-o", library)
        program = dyadic.load(library)
        for n, sample in enumerate(samples):
            for arrays, reference in zip(program.run_values(sample[None]), (outputs, values)):
                for key, array in arrays.items():
                    different = int((bits(array) != bits(reference[key][n : n + 1])).sum())
                    assert different == 0, f"{target}: {different} of {array.size} of {key} differ"
                    compared += array.size
        written, _ = run_guarded(guard, library, samples[:1], folder)
        first = [np.ascontiguousarray(a[:1]) for part in program.run_values(samples[:1]) for a in part.values()]
        assert written == b"".join(a.tobytes() for a in first)
    assert compared > 0


@pytest.mark.parametrize("name", SHAPES)
def test_layer(name: str, guarded: Path, tmp_path: Path) -> None:  # noqa: F811
    seed = list(SHAPES).index(name)
    rng = np.random.default_rng(seed)
    for i in range(2):
        shape = model(tmp_path / "m.onnx", rng, SHAPES[name], TAILS[(3 * i + seed) % len(TAILS)])
        # With its values as outputs too, fewer operations are fused, which is the same for all targets.
        values, targets = (["--dump-values"], TARGETS[seed % 2 :: 1 if FULL else 2]) if i else ([], TARGETS)
        compare(tmp_path / "m.onnx", numbers(rng, (2, *shape[1:])), guarded, tmp_path, *values, targets=targets)


@pytest.mark.parametrize("rows, depth, columns", [(1, 64, 10), (7, 33, 48), (197, 20, 17), (1, 1200, 100), (3, 1, 1)])
def test_matmul(rows: int, depth: int, columns: int, guarded: Path, tmp_path: Path) -> None:  # noqa: F811
    rng = np.random.default_rng(rows)
    tensors = {"w": numbers(rng, (depth, columns)), "b": numbers(rng, (columns,))}
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["m"]),
        helper.make_node("Add", ["m", "b"], ["n"]),
        helper.make_node("Relu", ["n"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "matmul",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, rows, depth])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, rows, columns])],
        [numpy_helper.from_array(a, n) for n, a in tensors.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), tmp_path / "m.onnx")
    compare(tmp_path / "m.onnx", numbers(rng, (2, rows, depth)), guarded, tmp_path)


def test_special_numbers(guarded: Path, tmp_path: Path) -> None:  # noqa: F811
    """Zeros of both signs and denormal numbers; sums that become infinite, and NaN from these."""
    rng = np.random.default_rng(5)
    special = np.float32([0.0, -0.0, 1e-45, -1e-45, 1e-38, -1e-38, -3e38, 3e38, 1, -1])
    for tail in ("none", "relu", "relu6", "add relu"):
        shape = model(tmp_path / "m.onnx", rng, (4, 20, (6, 7), 3, 1, 1, 1, 1), tail)
        samples = rng.choice(special, (4, *shape[1:]))
        samples[:2] = rng.choice(special[:6], samples[:2].shape)
        compare(tmp_path / "m.onnx", samples, guarded, tmp_path)


@pytest.mark.parametrize("name", ["digits", "kws", "resnet20", "mnist", "squeezenet", "mobilenet", "ultraface"])
def test_every_product_is_packed(name: str, models, tmp_path: Path) -> None:
    run_tool("quant-translate", models(name).onnx, "--float", "-o", tmp_path / "m.mlir")
    passes = ["--quant-assign-layout", "--quant-pack-float-layers=lanes=8 rows=6"]
    run_tool("quant-opt", tmp_path / "m.mlir", *passes, "-o", tmp_path / "p.mlir")
    before, after = (tmp_path / "m.mlir").read_text(), (tmp_path / "p.mlir").read_text()
    linear = before.count("= qnn.conv ") + before.count("= qnn.matmul ")
    assert after.count("= qnn.packed_float_") == linear > 0
    assert "= qnn.conv " not in after and "= qnn.matmul " not in after
