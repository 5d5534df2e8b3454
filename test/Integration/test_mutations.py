# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Damaged copies of real models: every one is imported, or refused by one error, in 5 s and 1 GB.

DYADIC_MUTATIONS is how many copies of each model are tried (2,000 with DYADIC_CONFORMANCE=full), DYADIC_MUTATE_OPTIONS what dyadic-mutate gets besides.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from conftest import ROOT, need_shared, run_tool

FULL = os.environ.get("DYADIC_CONFORMANCE") == "full"
COUNT = int(os.environ.get("DYADIC_MUTATIONS", "2000" if FULL else "500"))
OPTIONS = shlex.split(os.environ.get("DYADIC_MUTATE_OPTIONS", ""))
DIGITS = ROOT / "examples" / "digits" / "digits.onnx"
MODELS = [
    "digits",
    "kws_dscnn",
    "mnist_opset1",
    "mobilenet_v2_1.0",
    "resnet20_cifar10",
    "squeezenet1.1",
    "ultraface_rfb320",
]
COUNTS = re.compile(
    r"(\d+) imported, (\d+) quantized, (\d+) imported and not quantized, (\d+) refused, (\d+) failed\n"
)


def mutate(model: Path, first: int, count: int, keep: Path) -> subprocess.CompletedProcess[str]:
    arguments = [model, f"--seed={first}", f"--count={count}", f"--keep={keep}", *OPTIONS]
    return run_tool("dyadic-mutate", *arguments, check=False, timeout=None)  # it limits each copy


def shares(count: int) -> list[tuple[int, int]]:
    """The first seed and the number of seeds of each process."""
    processes = min(count, os.cpu_count() or 1)
    edges = [count * i // processes for i in range(processes + 1)]
    return [(first, last - first) for first, last in zip(edges, edges[1:])]


@pytest.mark.parametrize("name", MODELS)
def test_damaged_copies_are_imported_or_refused(name, tmp_path):
    model = DIGITS if name == "digits" else need_shared() / "models" / f"{name}.onnx"
    if not model.exists():
        pytest.skip(f"needs the model {model.name}, which is not there")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda share: mutate(model, *share, tmp_path), shares(COUNT)))
    text = "".join(result.stdout + result.stderr for result in results)
    assert all(result.returncode == 0 for result in results), text
    counts = [list(map(int, COUNTS.fullmatch(result.stdout).groups())) for result in results]
    imported, quantized, _, refused, failed = map(sum, zip(*counts))
    # Mutations that all break the file, or none of it, would test nothing.
    assert imported and refused and quantized and not failed
    assert sum(map(sum, counts)) == COUNT


def test_the_same_seeds_give_the_same_copies(tmp_path):
    run_tool("dyadic-mutate", DIGITS, "--count=100", "--write", f"--keep={tmp_path}")
    copies = [(tmp_path / f"digits-{seed}.onnx").read_bytes() for seed in range(100)]
    assert len(set(copies)) > 95
    assert hashlib.sha256(b"".join(copies)).hexdigest() == "e596193682b535f28779dd1d3bbf6d227200e6873d32cbe47c4e811b72952305"


def test_a_copy_that_fails_is_kept_and_named(tmp_path):
    result = run_tool("dyadic-mutate", DIGITS, "--count=2", "--megabytes=1", f"--keep={tmp_path / 'kept'}", check=False)
    assert result.returncode == 1 and result.stdout.endswith(" 2 failed\n")
    for seed in range(2):
        kept = tmp_path / "kept" / f"digits-{seed}.onnx"
        assert kept.exists() and re.search(rf"^{re.escape(str(kept))}: takes \d+ MiB", result.stdout, re.MULTILINE)


def test_a_model_that_does_not_import_is_an_error(tmp_path):
    (tmp_path / "m.onnx").write_bytes(b"no model")
    result = run_tool("dyadic-mutate", tmp_path / "m.onnx", check=False)
    assert result.returncode == 1 and result.stderr.startswith("error: ") and "is truncated" in result.stderr
