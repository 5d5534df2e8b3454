# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""half_even against the vectors of ONNX's own node tests.

Weights with zero points do not exist in the dialect, so the accumulators of the
qlinear tests come from NumPy; what is checked is the change of scale.
"""

from __future__ import annotations

import math
import tarfile

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from conftest import need_shared, run_tool

KINDS = ("test_quantizelinear", "test_dequantizelinear", "test_qlinear")
MLIR = {"uint8": "ui8", "int8": "si8", "uint16": "ui16", "int16": "si16", "int32": "si32", "float32": "f32"}
NAMES = [
    "test_quantizelinear",
    "test_quantizelinear_axis",
    "test_quantizelinear_uint16",
    "test_quantizelinear_int16",
    "test_quantizelinear_int4",
    "test_quantizelinear_uint4",
    "test_quantizelinear_int2",
    "test_quantizelinear_uint2",
    "test_dequantizelinear",
    "test_dequantizelinear_axis",
    "test_dequantizelinear_uint16",
    "test_dequantizelinear_int16",
    "test_dequantizelinear_int4",
    "test_dequantizelinear_uint4",
    "test_dequantizelinear_int2",
    "test_dequantizelinear_uint2",
    "test_qlinearconv",
    "test_qlinearmatmul_2D_uint8_float32",
    "test_qlinearmatmul_2D_int8_float32",
    "test_qlinearmatmul_3D_uint8_float32",
    "test_qlinearmatmul_3D_int8_float32",
]
# Vectors of what the integer level does not have, and why they are skipped.
SKIPPED = {
    **{f"test_{op}linear_{kind}": "float8" for op in ("quantize", "dequantize") for kind in ("e4m3fn", "e5m2")},
    "test_dequantizelinear_e4m3fn_float16": "float8",
    "test_dequantizelinear_e4m3fn_zero_point": "float8",
    **{f"test_{op}linear_float4e2m1": "float4" for op in ("quantize", "dequantize")},
    "test_dequantizelinear_blocked": "one scale a block",
    "test_quantizelinear_blocked_asymmetric": "one scale a block",
    "test_quantizelinear_blocked_symmetric": "one scale a block",
    **{f"test_qlinearmatmul_{d}D_{kind}_float16": "float16 scales" for d in (2, 3) for kind in ("uint8", "int8")},
}
# Narrow integers are a range of numbers in bytes; ONNX packs them.
NARROW = {"int2": (-2, 1), "uint2": (0, 3), "int4": (-8, 7), "uint4": (0, 15)}


def vectors() -> dict[str, list]:
    """Name -> [model, inputs, output]."""
    found: dict[str, list] = {}
    path = need_shared() / "data" / "onnx_backend_test.tar.xz"
    with tarfile.open(path) as archive:
        for member in archive:
            parts = member.name.split("/")
            name = next((p for p in parts if p.startswith(KINDS)), None)
            if name is None or not member.isfile():
                continue
            data = archive.extractfile(member).read()
            entry = found.setdefault(name, [None, {}, None])
            if parts[-1] == "model.onnx":
                entry[0] = onnx.load_from_string(data)
            elif parts[-1].startswith("input_"):
                entry[1][int(parts[-1][6:-3])] = onnx.TensorProto.FromString(data)
            elif parts[-1] == "output_0.pb":
                entry[2] = onnx.TensorProto.FromString(data)
    return found


@pytest.fixture(scope="session")
def onnx_vectors():
    return vectors()


def shaped(shape: tuple[int, ...], kind: str) -> str:
    return f"tensor<{''.join(f'{d}x' for d in shape)}{kind}>"


def run_mlir(folder, operation: str, x: np.ndarray, output: np.ndarray) -> None:
    """The operation on x by JIT and interpreter gives exactly `output`."""
    source, target = shaped(x.shape, MLIR[str(x.dtype)]), shaped(output.shape, MLIR[str(output.dtype)])
    (folder / "p.mlir").write_text(
        f'func.func @main(%x: {source} {{qnn.name = "x"}}) -> ({target} {{qnn.name = "y"}}) {{\n'
        f"  %y = {operation} : ({source}) -> {target}\n  return %y : {target}\n}}\n"
    )
    np.savez(folder / "in.npz", x=x[None])
    for options in ([], ["--reference"]):
        run_tool(
            "quant-run", folder / "p.mlir", f"--inputs={folder / 'in.npz'}", f"--outputs={folder / 'out.npz'}", *options
        )
        with np.load(folder / "out.npz") as out:
            np.testing.assert_array_equal(out["y"].reshape(output.shape), output)


def encode(factor: float) -> tuple[int, int]:
    """m / 2^e, by Python's exact rationals."""
    if factor < 2.0**-32:
        return 0, 1
    fraction, exponent = math.frexp(factor)
    m = round(fraction * 2**31)  # ties to even
    if m == 2**31:
        m, exponent = m // 2, exponent + 1
    return m, 31 - exponent


def requantize(x_scale: float, zero_point: int, dtype: np.dtype) -> str:
    m, e = encode(x_scale)
    info = np.iinfo(dtype)
    return (
        f"qnn.requantize %x {{multiplier = dense<{m}> : tensor<i32>, exponent = dense<{e}> : tensor<i32>, "
        f"zero_point = {zero_point} : i64, clamp = array<i64: {info.min}, {info.max}>, "
        "rounding = #qnn.rounding<half_even>}"
    )


def hex_float(value: np.floating) -> str:
    return f"0x{np.float32(value).view(np.uint32):08X}"


def check_quantize(folder, inputs: list[np.ndarray], output: np.ndarray, axis: int, clamp: tuple[int, int]) -> None:
    x, scales = inputs[0], np.atleast_1d(inputs[1])
    zeros = np.atleast_1d(inputs[2]) if len(inputs) > 2 else np.zeros(scales.shape, output.dtype)
    for i, (scale, zero) in enumerate(zip(scales, zeros)):
        part = (lambda a: a) if scales.size == 1 else (lambda a: np.take(a, [i], axis))
        operation = (
            f"qnn.quantize %x {{scale = {hex_float(scale)} : f32, zero_point = {int(zero)} : i64, "
            f"clamp = array<i64: {clamp[0]}, {clamp[1]}>}}"
        )
        run_mlir(folder, operation, part(x).astype(np.float32), part(output))


def check_dequantize(folder, inputs: list[np.ndarray], output: np.ndarray, axis: int) -> None:
    x, scales = inputs[0], np.atleast_1d(inputs[1])
    zeros = np.atleast_1d(inputs[2]) if len(inputs) > 2 else np.zeros(scales.shape, x.dtype)
    for i, (scale, zero) in enumerate(zip(scales, zeros)):
        part = (lambda a: a) if scales.size == 1 else (lambda a: np.take(a, [i], axis))
        operation = (
            f"qnn.dequantize %x {{scale = dense<{hex_float(scale)}> : tensor<f32>, zero_point = {int(zero)} : i64}}"
        )
        run_mlir(folder, operation, part(x), part(output))


def check_matmul(folder, inputs: list[np.ndarray], output: np.ndarray) -> None:
    a, b = inputs[0], inputs[3]
    a_scale, a_zero, b_scale, b_zero, y_scale, y_zero = (np.ravel(inputs[i])[0] for i in (1, 2, 4, 5, 6, 7))
    accumulator = np.matmul(a.astype(np.int64) - int(a_zero), b.astype(np.int64) - int(b_zero)).astype(np.int32)
    factor = float(a_scale) * float(b_scale) / float(y_scale)
    run_mlir(folder, requantize(factor, int(y_zero), output.dtype), accumulator, output)


def check_conv(folder, inputs: list[np.ndarray], output: np.ndarray) -> None:
    """The one vector: a 1x1 kernel over one channel."""
    x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero = inputs[:8]
    assert w.shape == (1, 1, 1, 1)
    accumulator = ((x.astype(np.int64) - int(x_zero)) * (int(w[0, 0, 0, 0]) - int(np.ravel(w_zero)[0]))).astype(
        np.int32
    )
    factor = float(x_scale) * float(np.ravel(w_scale)[0]) / float(y_scale)
    run_mlir(folder, requantize(factor, int(y_zero), output.dtype), accumulator, output)


def unpacked(tensor: onnx.TensorProto) -> np.ndarray:
    array = numpy_helper.to_array(tensor)
    kind = array.dtype.name
    return array.astype(np.uint8 if kind[0] == "u" else np.int8) if kind in NARROW else array


@pytest.mark.parametrize("name", NAMES)
def test_vector(name, onnx_vectors, tmp_path):
    model, protos, expected = onnx_vectors[name]
    inputs = [unpacked(protos[i]) for i in sorted(protos)]
    output = unpacked(expected)
    axis = next((a.i for a in model.graph.node[0].attribute if a.name == "axis"), 1)
    if name.startswith("test_quantize"):
        info = np.iinfo(output.dtype)
        check_quantize(tmp_path, inputs, output, axis, NARROW.get(name.split("_")[-1], (info.min, info.max)))
    elif name.startswith("test_dequantize"):
        check_dequantize(tmp_path, inputs, output, axis)
    elif "matmul" in name:
        check_matmul(tmp_path, inputs, output)
    else:
        check_conv(tmp_path, inputs, output)


@pytest.mark.parametrize("name", list(SKIPPED))
def test_vector_outside_of_the_integer_level(name):
    pytest.skip(f"{name}: {SKIPPED[name]}")


def test_no_vector_is_forgotten(onnx_vectors):
    assert sorted(onnx_vectors) == sorted([*NAMES, *SKIPPED])
