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
# Why a vector is outside of what the integer level has.
SKIPPED = {"e4m3": "float8", "e5m2": "float8", "float16": "float16 scales", "float4": "float4", "blocked": "blocked scales",
           "int2": "2 bits packed", "int4": "4 bits packed", "dynamic": "dynamic scales"}


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
        run_tool("quant-run", folder / "p.mlir", f"--inputs={folder / 'in.npz'}", f"--outputs={folder / 'out.npz'}", *options)
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
    return (f"qnn.requantize %x {{multiplier = dense<{m}> : tensor<i32>, exponent = dense<{e}> : tensor<i32>, "
            f"zero_point = {zero_point} : i64, clamp = array<i64: {info.min}, {info.max}>, rounding = #qnn.rounding<half_even>}}")


def hex_float(value: np.floating) -> str:
    return f"0x{np.float32(value).view(np.uint32):08X}"


def check_quantize(folder, inputs: list[np.ndarray], output: np.ndarray, axis: int) -> None:
    x, scales = inputs[0], np.atleast_1d(inputs[1])
    zeros = np.atleast_1d(inputs[2]) if len(inputs) > 2 else np.zeros(scales.shape, output.dtype)
    info = np.iinfo(output.dtype)
    for i, (scale, zero) in enumerate(zip(scales, zeros)):
        part = (lambda a: a) if scales.size == 1 else (lambda a: np.take(a, [i], axis))
        operation = (f"qnn.quantize %x {{scale = {hex_float(scale)} : f32, zero_point = {int(zero)} : i64, "
                     f"clamp = array<i64: {info.min}, {info.max}>}}")
        run_mlir(folder, operation, part(x).astype(np.float32), part(output))


def check_dequantize(folder, inputs: list[np.ndarray], output: np.ndarray, axis: int) -> None:
    x, scales = inputs[0], np.atleast_1d(inputs[1])
    zeros = np.atleast_1d(inputs[2]) if len(inputs) > 2 else np.zeros(scales.shape, x.dtype)
    for i, (scale, zero) in enumerate(zip(scales, zeros)):
        part = (lambda a: a) if scales.size == 1 else (lambda a: np.take(a, [i], axis))
        operation = f"qnn.dequantize %x {{scale = dense<{hex_float(scale)}> : tensor<f32>, zero_point = {int(zero)} : i64}}"
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
    accumulator = ((x.astype(np.int64) - int(x_zero)) * (int(w[0, 0, 0, 0]) - int(np.ravel(w_zero)[0]))).astype(np.int32)
    factor = float(x_scale) * float(np.ravel(w_scale)[0]) / float(y_scale)
    run_mlir(folder, requantize(factor, int(y_zero), output.dtype), accumulator, output)


NAMES = ["test_quantizelinear", "test_quantizelinear_axis", "test_quantizelinear_uint16", "test_quantizelinear_int16",
         "test_dequantizelinear", "test_dequantizelinear_axis", "test_dequantizelinear_uint16", "test_dequantizelinear_int16",
         "test_qlinearconv", "test_qlinearmatmul_2D_uint8_float32", "test_qlinearmatmul_2D_int8_float32",
         "test_qlinearmatmul_3D_uint8_float32", "test_qlinearmatmul_3D_int8_float32"]


@pytest.mark.parametrize("name", NAMES)
def test_vector(name, onnx_vectors, tmp_path):
    model, protos, expected = onnx_vectors[name]
    inputs = [numpy_helper.to_array(protos[i]) for i in sorted(protos)]
    output = numpy_helper.to_array(expected)
    axis = next((a.i for a in model.graph.node[0].attribute if a.name == "axis"), 1)
    if name.startswith("test_quantize"):
        check_quantize(tmp_path, inputs, output, axis)
    elif name.startswith("test_dequantize"):
        check_dequantize(tmp_path, inputs, output, axis)
    elif "matmul" in name:
        check_matmul(tmp_path, inputs, output)
    else:
        check_conv(tmp_path, inputs, output)


def test_every_other_vector_has_a_reason(onnx_vectors):
    others = sorted(set(onnx_vectors) - set(NAMES))
    reasons = {name: next((why for part, why in SKIPPED.items() if part in name), None) for name in others}
    for name, why in reasons.items():
        print(f"skipped {name}: {why}")
    assert [name for name, why in reasons.items() if why is None] == []
