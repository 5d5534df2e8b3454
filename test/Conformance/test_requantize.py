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
ACCUMULATORS = [
    -(2**31),
    2**31 - 1,
    -(2**31) + 1,
    0,
    1,
    -1,
    2,
    -2,
    3,
    -3,
    5,
    -5,
    127,
    -128,
    255,
    256,
    1 << 30,
    -(1 << 30),
]
MULTIPLIERS = [0, 2**30, 2**31 - 1, 2**30 + 1, 3 << 29, 1518500250]
EXPONENTS = [1, 2, 29, 30, 31, 32, 33, 38, 45, 61, 62]
DTYPES = {"ui8": np.uint8, "si8": np.int8, "ui16": np.uint16, "si16": np.int16, "si32": np.int32}


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


def run(folder: Path, text: str, inputs: dict[str, np.ndarray], how: str) -> dict[str, np.ndarray]:
    (folder / "p.mlir").write_text(text)
    np.savez(folder / "in.npz", **inputs)
    options = ["--reference"] if how == "reference" else []
    run_tool(
        "quant-run", folder / "p.mlir", f"--inputs={folder / 'in.npz'}", f"--outputs={folder / 'out.npz'}", *options
    )
    with np.load(folder / "out.npz") as out:
        return dict(out)


def edge_cases() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Accumulators, multipliers and exponents at every extreme, ties included."""
    x, m, e = (a.ravel() for a in np.meshgrid(ACCUMULATORS, MULTIPLIERS, EXPONENTS))
    # Ties: odd multiples of half a unit with m = 2^30.
    odd = np.arange(-4001, 4002, 2)
    tie_x, tie_e = (a.ravel() for a in np.meshgrid(odd, [31, 32, 33, 36, 40]))
    tie_x = tie_x << (tie_e - 31)
    return (np.concatenate([x, tie_x]), np.concatenate([m, np.full(tie_x.size, 2**30)]), np.concatenate([e, tie_e]))


def random_cases(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers of every magnitude; every fourth multiplier is so even that ties are common."""
    x = rng.integers(-(2**31), 2**31, count) >> rng.integers(0, 31, count)
    m = rng.integers(2**30, 2**31, count)
    m[::4] = m[::4] >> 29 << 29
    return x, m, rng.integers(1, 63, count)


def requantize_text(
    m: np.ndarray, e: np.ndarray, zero_point: int, clamp: tuple[int, int], rounding: str, storage: str
) -> str:
    n = m.size
    return f"""func.func @main(%x: tensor<{n}xsi32> {{qnn.name = "x"}}) -> (tensor<{n}x{storage}> {{qnn.name = "y"}}) {{
  %y = qnn.requantize %x {{multiplier = dense<{hexes(m)}> : tensor<{n}xi32>,
    exponent = dense<{hexes(e)}> : tensor<{n}xi32>, zero_point = {zero_point} : i64,
    clamp = array<i64: {clamp[0]}, {clamp[1]}>, rounding = #qnn.rounding<{rounding}>}} : (tensor<{n}xsi32>) -> tensor<{n}x{storage}>
  return %y : tensor<{n}x{storage}>
}}"""


def check_requantize(folder, x, m, e, zero_point, clamp, rounding, storage, how) -> None:
    product = x.astype(np.int64) * m.astype(np.int64)
    expected = np.clip(rounded(product, e.astype(np.int64), rounding) + zero_point, *clamp)
    text = requantize_text(m, e, zero_point, clamp, rounding, storage)
    found = run(folder, text, {"x": x.astype(np.int32)}, how)["y"].ravel()
    assert found.dtype == DTYPES[storage]
    wrong = np.nonzero(found != expected)[0]
    assert wrong.size == 0, [(x[i], m[i], e[i], found[i], expected[i]) for i in wrong[:5]]


@pytest.mark.parametrize("how", ["jit", "reference"])
@pytest.mark.parametrize("rounding", ["half_up", "half_even", "double"])
@pytest.mark.parametrize("storage", list(STORAGE))
def test_requantize_extremes(storage, rounding, how, tmp_path):
    x, m, e = edge_cases()
    low, high = STORAGE[storage]
    for zero_point, clamp in [
        (low, (low, high)),
        (high, (low, high)),
        ((low + high) // 2, (low + 3, high - 7)),
        (low, (low, low)),
    ]:
        check_requantize(tmp_path, x, m, e, zero_point, clamp, rounding, storage, how)


@pytest.mark.parametrize("how", ["jit", "reference"])
@pytest.mark.parametrize("rounding", ["half_up", "half_even", "double"])
def test_requantize_one_multiplier(rounding, how, tmp_path):
    """Every pair of extremes as constants of a requantization of its own, and per channel."""
    x = np.concatenate([edge_cases()[0], np.arange(-300, 300)])
    x = np.resize(np.unique(x), (7, 3, 300)).astype(np.int32)
    pairs = [(m, e) for m in MULTIPLIERS for e in EXPONENTS]
    source, target = "tensor<7x3x300xsi32>", "tensor<7x3x300xsi16>"
    rows = [np.resize(np.array(pairs), (3, 2)), *[np.array([pair]) for pair in pairs]]
    lines = []
    for i, row in enumerate(rows):
        shape = "3x1x" if len(row) == 3 else ""
        m, e = (f"dense<{hexes(column)}> : tensor<{shape}i32>" for column in row.T)
        lines.append(
            f"  %{i} = qnn.requantize %x {{multiplier = {m}, exponent = {e}, zero_point = -3 : i64, "
            f"clamp = array<i64: -32768, 32767>, rounding = #qnn.rounding<{rounding}>}} : ({source}) -> {target}"
        )
    results = ", ".join(f'{target} {{qnn.name = "y{i}"}}' for i in range(len(rows)))
    values, types = ", ".join(f"%{i}" for i in range(len(rows))), ", ".join([target] * len(rows))
    text = f'func.func @main(%x: {source} {{qnn.name = "x"}}) -> ({results}) {{\n' + "\n".join(lines)
    found = run(tmp_path, f"{text}\n  return {values} : {types}\n}}", {"x": x}, how)
    for i, row in enumerate(rows):
        m, e = (np.broadcast_to(column.reshape(-1, 1), x.shape).astype(np.int64) for column in row.T)
        expected = np.clip(rounded(x * m, e, rounding) - 3, -32768, 32767)
        np.testing.assert_array_equal(found[f"y{i}"].reshape(x.shape), expected, str(row))


@pytest.mark.parametrize("rounding", ["half_up", "half_even", "double"])
def test_requantize_random(rounding, tmp_path):
    rng = np.random.default_rng(1)
    for block in range(COUNT // BLOCK // 3 + 1):
        storage = list(STORAGE)[block % 4]
        low, high = STORAGE[storage]
        zero_point = int(rng.integers(low, high + 1))
        how = "reference" if block % 10 == 0 else "jit"
        check_requantize(tmp_path, *random_cases(rng, BLOCK), zero_point, (low, high), rounding, storage, how)
    print(f"requantize {rounding}: {(block + 1) * BLOCK} random cases, 0 differing")


RANGES = {**STORAGE, "si32": (-(2**31), 2**31 - 1)}


def check_add(
    folder: Path,
    kinds: tuple[str, str],
    a,
    b,
    m1,
    m2,
    e,
    zeros: tuple[int, int, int],
    storage: str,
    rounding: str,
    how: str,
) -> int:
    """One qnn.add of the cases whose sum is provably below 2^63; returns how many."""
    total = (a - zeros[0]) * m1 + (b - zeros[1]) * m2
    # What the verifier bounds: the largest operands of the type, half a unit on top.
    bound = np.exp2(e - 1.0)
    for kind, zero, m in zip(kinds, zeros, (m1, m2)):
        bound = bound + m * float(max(abs(limit - zero) for limit in RANGES[kind]))
    keep = bound < 2.0**63 * (1 - 1e-9)
    a, b, m1, m2, e, total = (v[keep] for v in (a, b, m1, m2, e, total))
    low, high = STORAGE[storage]
    expected = np.clip(rounded(total, e, rounding) + zeros[2], low, high)
    n = a.size
    types = [f"tensor<{n}x{kind}>" for kind in (*kinds, storage)]
    vectors = [f"dense<{hexes(v)}> : tensor<{n}xi32>" for v in (m1, m2, e)]
    parameters = ", ".join(
        [
            f"a_zp = {zeros[0]} : i64, b_zp = {zeros[1]} : i64, zero_point = {zeros[2]} : i64",
            f"a_multiplier = {vectors[0]}, b_multiplier = {vectors[1]}, exponent = {vectors[2]}",
            f"clamp = array<i64: {low}, {high}>, rounding = #qnn.rounding<{rounding}>",
        ]
    )
    signature = (
        f'(%a: {types[0]} {{qnn.name = "a"}}, %b: {types[1]} {{qnn.name = "b"}}) -> ({types[2]} {{qnn.name = "y"}})'
    )
    text = f"""
func.func @main{signature} {{
  %y = qnn.add %a, %b {{{parameters}}} : ({types[0]}, {types[1]}) -> {types[2]}
  return %y : {types[2]}
}}"""
    found = run(folder, text, {"a": a.astype(DTYPES[kinds[0]]), "b": b.astype(DTYPES[kinds[1]])}, how)["y"].ravel()
    wrong = np.nonzero(found != expected)[0]
    assert found.dtype == DTYPES[storage]
    assert wrong.size == 0, [(a[i], b[i], m1[i], m2[i], e[i], found[i], expected[i]) for i in wrong[:5]]
    return n


def operands(kind: str) -> list[int]:
    low, high = RANGES[kind]
    return sorted(
        {low, low + 1, (low + high) // 2, high - 1, high}
        | ({0, 1, 2, 3, 127, -1, -2, -3} & set(range(max(low, -9), 128)))
    )


@pytest.mark.parametrize("how", ["jit", "reference"])
@pytest.mark.parametrize("rounding", ["half_up", "half_even"])
@pytest.mark.parametrize(
    "kinds", [("ui8", "si8"), ("si16", "ui16"), ("si8", "si32"), ("si32", "ui16"), ("si32", "si32")]
)
def test_add_extremes(kinds, rounding, how, tmp_path):
    """Operands at the ends of their types, ties, and sums next to 2^63."""
    multipliers = [0, 1, 3, 2**29, 2**30, 2**31 - 1]
    grid = np.meshgrid(operands(kinds[0]), operands(kinds[1]), multipliers, multipliers, [1, 2, 30, 31, 32, 45, 61, 62])
    a, b, m1, m2, e = (v.ravel() for v in grid)
    # Zero points at the ends; where only the last differs, everything saturates. An accumulator has none.
    for storage, end, last in [
        ("ui8", 0, 0),
        ("si8", 1, 1),
        ("ui16", 1, 1),
        ("si16", 0, 0),
        ("ui8", 1, 0),
        ("si16", 0, 1),
    ]:
        zeros = [0 if kind == "si32" else RANGES[kind][end] for kind in kinds]
        compared = check_add(tmp_path, kinds, a, b, m1, m2, e, (*zeros, STORAGE[storage][last]), storage, rounding, how)
        assert compared > a.size // 2


@pytest.mark.parametrize("rounding", ["half_up", "half_even"])
def test_add_random(rounding, tmp_path):
    """Operands of every kind, half of them near the extremes."""
    rng, compared, block = np.random.default_rng(2), 0, 0
    while compared < COUNT // 2:
        kinds = tuple(rng.choice(list(RANGES), 2).tolist())
        storage = list(STORAGE)[block % 4]
        a, b = (rng.integers(*RANGES[kind], BLOCK, endpoint=True) for kind in kinds)
        _, m1, e = random_cases(rng, BLOCK)
        m2 = rng.integers(0, 2**31, BLOCK) >> rng.integers(0, 31, BLOCK)
        zeros = [0 if kind == "si32" else int(rng.integers(*RANGES[kind], endpoint=True)) for kind in kinds]
        if block % 3 == 0:  # extremes and ties
            for operand, kind in zip((a, b), kinds):
                operand[: BLOCK // 2] = rng.choice(operands(kind), BLOCK // 2)
            m1[::2], m2[::2] = 2**30, np.resize([2**30, 2**29, 2**31 - 1], m2[::2].size)
            e[::2] = np.resize([1, 30, 31, 32, 61, 62], e[::2].size)
        if block % 2:
            m1, m2 = m2, m1
        how = "reference" if block % 8 == 1 else "jit"
        zeros.append(int(rng.integers(*STORAGE[storage], endpoint=True)))
        compared += check_add(tmp_path, kinds, a, b, m1, m2, e, tuple(zeros), storage, rounding, how)
        block += 1
    print(f"add {rounding}: {compared} random cases, 0 differing")
