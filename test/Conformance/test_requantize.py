# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Requantization and addition, compiled and interpreted, against exact arithmetic in NumPy.

The check shares nothing with the implementation: it divides with floor and remainder
and decides ties by comparing twice the remainder with the divisor.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from conftest import run_tool

COUNT = 10_000_000 if os.environ.get("DYADIC_CONFORMANCE") == "full" else 1_000_000
BLOCK = 50_000
STORAGE = {"ui8": (0, 255), "si8": (-128, 127), "ui16": (0, 65535), "si16": (-32768, 32767)}
DTYPES = {"ui8": np.uint8, "si8": np.int8, "ui16": np.uint16, "si16": np.int16}


def rounded(p: np.ndarray, e: np.ndarray, rounding: str) -> np.ndarray:
    """p / 2^e as the description of each rounding says, for int64 p with |p| < 2^62 + 2^61."""
    if rounding == "double":
        # gemmlowp: at bit 31 half up, then half away from zero for what is left.
        first = rounded(p, np.minimum(e, 31), "half_up")
        rest = np.maximum(e - 31, 0)
        quotient, remainder = np.abs(first) >> rest, np.abs(first) & ((np.int64(1) << rest) - 1)
        up = (2 * remainder >= np.int64(1) << rest) & (rest > 0)
        return np.sign(first) * (quotient + up)
    # For e = 62 twice the remainder does not fit int64, but fits uint64.
    divisor = np.uint64(1) << e.astype(np.uint64)
    quotient = np.floor_divide(p, divisor.astype(np.int64))
    remainder = (p - quotient * divisor.astype(np.int64)).astype(np.uint64) * np.uint64(2)
    tie = remainder == divisor
    up = (remainder > divisor) | (tie if rounding == "half_up" else tie & (quotient % 2 == 1))
    return quotient + up


def hexes(values: np.ndarray) -> str:
    return '"0x' + values.astype("<i4").tobytes().hex().upper() + '"'


def run(folder: Path, text: str, inputs: dict[str, np.ndarray], how: str) -> np.ndarray:
    (folder / "p.mlir").write_text(text)
    np.savez(folder / "in.npz", **inputs)
    options = ["--reference"] if how == "reference" else []
    run_tool("quant-run", folder / "p.mlir", f"--inputs={folder / 'in.npz'}", f"--outputs={folder / 'out.npz'}", *options)
    with np.load(folder / "out.npz") as out:
        return out["y"].ravel()


def edge_cases() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Accumulators, multipliers and exponents at every extreme, ties included."""
    accumulators = [-(2**31), 2**31 - 1, -(2**31) + 1, 0, 1, -1, 2, -2, 3, -3, 5, -5, 127, -128, 255, 256, 1 << 30, -(1 << 30)]
    multipliers = [0, 2**30, 2**31 - 1, 2**30 + 1, 3 << 29, 1518500250]
    exponents = [1, 2, 29, 30, 31, 32, 33, 38, 45, 61, 62]
    x, m, e = (a.ravel() for a in np.meshgrid(accumulators, multipliers, exponents))
    # Ties: odd multiples of half a unit with m = 2^30.
    odd = np.arange(-4001, 4002, 2)
    tie_x, tie_e = (a.ravel() for a in np.meshgrid(odd, [31, 32, 33, 36, 40]))
    tie_x = tie_x << (tie_e - 31)
    return (np.concatenate([x, tie_x]), np.concatenate([m, np.full(tie_x.size, 2**30)]), np.concatenate([e, tie_e]))


def random_cases(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x = rng.integers(-(2**31), 2**31, count) >> rng.integers(0, 31, count)
    m = rng.integers(2**30, 2**31, count)
    return x, m, rng.integers(1, 63, count)


def requantize_text(m: np.ndarray, e: np.ndarray, zero_point: int, clamp: tuple[int, int], rounding: str, storage: str) -> str:
    n = m.size
    return f"""func.func @main(%x: tensor<{n}xsi32> {{qnn.name = "x"}}) -> (tensor<{n}x{storage}> {{qnn.name = "y"}}) {{
  %y = qnn.requantize %x {{multiplier = dense<{hexes(m)}> : tensor<{n}xi32>, exponent = dense<{hexes(e)}> : tensor<{n}xi32>,
    zero_point = {zero_point} : i64, clamp = array<i64: {clamp[0]}, {clamp[1]}>, rounding = #qnn.rounding<{rounding}>}}
    : (tensor<{n}xsi32>) -> tensor<{n}x{storage}>
  return %y : tensor<{n}x{storage}>
}}"""


def check_requantize(folder, x, m, e, zero_point, clamp, rounding, storage, how) -> None:
    product = x.astype(np.int64) * m.astype(np.int64)
    expected = np.clip(rounded(product, e.astype(np.int64), rounding) + zero_point, *clamp)
    text = requantize_text(m, e, zero_point, clamp, rounding, storage)
    found = run(folder, text, {"x": x.astype(np.int32)}, how)
    assert found.dtype == DTYPES[storage]
    wrong = np.nonzero(found != expected)[0]
    assert wrong.size == 0, [(x[i], m[i], e[i], found[i], expected[i]) for i in wrong[:5]]


@pytest.mark.parametrize("how", ["jit", "reference"])
@pytest.mark.parametrize("rounding", ["half_up", "half_even", "double"])
@pytest.mark.parametrize("storage", list(STORAGE))
def test_requantize_extremes(storage, rounding, how, tmp_path):
    x, m, e = edge_cases()
    low, high = STORAGE[storage]
    for zero_point, clamp in [(low, (low, high)), (high, (low, high)), ((low + high) // 2, (low + 3, high - 7)), (low, (low, low))]:
        check_requantize(tmp_path, x, m, e, zero_point, clamp, rounding, storage, how)


@pytest.mark.parametrize("rounding", ["half_up", "half_even", "double"])
def test_requantize_random(rounding, tmp_path):
    rng = np.random.default_rng(1)
    for block in range(COUNT // BLOCK // 3 + 1):
        storage = list(STORAGE)[block % 4]
        low, high = STORAGE[storage]
        zero_point = int(rng.integers(low, high + 1))
        how = "reference" if block % 10 == 0 else "jit"
        check_requantize(tmp_path, *random_cases(rng, BLOCK), zero_point, (low, high), rounding, storage, how)


def add_text(n: int, kind: str, m1, m2, e, zeros, storage: str, rounding: str) -> str:
    low, high = STORAGE[storage]
    vector = [f"dense<{hexes(v)}> : tensor<{n}xi32>" for v in (m1, m2, e)]
    return f"""func.func @main(%a: tensor<{n}x{kind}> {{qnn.name = "a"}}, %b: tensor<{n}xsi32> {{qnn.name = "b"}}) -> (tensor<{n}x{storage}> {{qnn.name = "y"}}) {{
  %y = qnn.add %a, %b {{a_zp = {zeros[0]} : i64, b_zp = 0 : i64, a_multiplier = {vector[0]}, b_multiplier = {vector[1]},
    exponent = {vector[2]}, zero_point = {zeros[1]} : i64, clamp = array<i64: {low}, {high}>, rounding = #qnn.rounding<{rounding}>}}
    : (tensor<{n}x{kind}>, tensor<{n}xsi32>) -> tensor<{n}x{storage}>
  return %y : tensor<{n}x{storage}>
}}"""


@pytest.mark.parametrize("rounding", ["half_up", "half_even"])
def test_add_random(rounding, tmp_path):
    """A value of 8 or 16 bits and an accumulator; sums up to the edge of 63 bits."""
    rng = np.random.default_rng(2)
    for block in range(COUNT // BLOCK // 4 + 1):
        kind, storage = list(STORAGE)[block % 4], list(STORAGE)[(block // 4 + block) % 4]
        a = rng.integers(*STORAGE[kind], BLOCK, endpoint=True)
        b, m1, e = random_cases(rng, BLOCK)
        m2 = rng.integers(0, 2**31, BLOCK) >> rng.integers(0, 31, BLOCK)
        a_zero, y_zero = int(rng.integers(*STORAGE[kind], endpoint=True)), int(rng.integers(*STORAGE[storage], endpoint=True))
        if block % 3 == 0:  # extremes and ties
            b[: BLOCK // 2] = np.resize([2**31 - 1, -(2**31), 0, 1, -1], BLOCK // 2)
            m1[::2], m2[::2] = 2**30, np.resize([2**30, 2**29, 2**31 - 1], m2[::2].size)
            e[::2] = np.resize([1, 30, 31, 32, 61], e[::2].size)
        total = (a - a_zero) * m1 + b * m2
        keep = np.abs(total.astype(np.float64)) + np.exp2(e - 1) < 2.0**62.9
        a, b, m1, m2, e, total = (v[keep] for v in (a, b, m1, m2, e, total))
        expected = np.clip(rounded(total, e, rounding) + y_zero, *STORAGE[storage])
        text = add_text(a.size, kind, m1, m2, e, (a_zero, y_zero), storage, rounding)
        how = "reference" if block % 8 == 1 else "jit"
        found = run(tmp_path, text, {"a": a.astype(DTYPES[kind]), "b": b.astype(np.int32)}, how)
        wrong = np.nonzero(found != expected)[0]
        assert wrong.size == 0, [(a[i], b[i], m1[i], m2[i], e[i], found[i], expected[i]) for i in wrong[:5]]
