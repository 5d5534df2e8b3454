# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A library with integer inputs and outputs computes with integers and calls nothing."""

from __future__ import annotations

import re
import subprocess

import pytest

# Moves, shuffles and bitwise operations with float mnemonics do not count; the
# arithmetic, comparisons, conversions and divisions of SSE, AVX and x87 do.
FLOAT = re.compile(
    r"^v?(add|sub|mul|div|min|max|sqrt|rcp|rsqrt|round|cmp|comi|ucomi|dp|hadd|hsub|addsub|fn?m(add|sub)\w*)"
    r"[a-z0-9]*(ss|sd|ps|pd)$|^v?cvt|^f(add|sub|mul|div|ld|st|ild|ist|com|sqrt|ch|abs)|^i?div"
)


def instructions(library) -> list[str]:
    text = subprocess.run(
        ["objdump", "-d", "--no-show-raw-insn", library], capture_output=True, text=True, check=True
    ).stdout
    found = [
        m.group(1)
        for m in re.finditer(r"^\s+[0-9a-f]+:\s+(?:(?:rep\w*|lock|bnd|notrack|data16|cs)\s+)*(\S+)", text, re.M)
    ]
    assert len(found) > 500
    return found


@pytest.mark.parametrize("target", ["generic", "avx2"])
@pytest.mark.parametrize("name", ["digits", "kws", "resnet20", "mnist", "squeezenet", "mobilenet", "ultraface"])
def test_no_float_no_division_no_foreign_symbol(name, target, translate):
    library = translate(name, "--io=integer", "--integer-only", "--weight-rounding=nearest", f"--target={target}")
    wrong = sorted({i for i in instructions(library) if FLOAT.match(i)})
    assert wrong == []
    symbols = subprocess.run(
        ["nm", "-D", "--undefined-only", library], capture_output=True, text=True, check=True
    ).stdout
    assert set(re.findall(r"\bU (\S+)", symbols)) <= {"memcpy", "memset", "memmove"}
    exported = subprocess.run(
        ["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True
    ).stdout
    assert sorted(line.split()[-1] for line in exported.splitlines()) == sorted(["dyadic_open", f"{name}_open"])


def test_audit_sees_float(translate):
    """The audit can fail: a float program has what it looks for."""
    assert any(FLOAT.match(i) for i in instructions(translate("digits", "--float")))
