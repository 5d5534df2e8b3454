# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A program means the same in every layout: the interpreter's outputs before and after
quant-assign-layout are the same bits, for random graphs of both levels."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import onnx
import pytest

from conftest import run_tool
from random_graph import Graph
from test_bits import compare

COUNT = 25
WINDOWS = re.compile(r"= qnn\.(?:conv|max_pool|avg_pool) .*")
TOTALS = {"windows": 0, "elements": 0}


def check_layout(program: Path, inputs: Path) -> None:
    moved = program.with_suffix(".moved.mlir")
    run_tool("quant-opt", "--quant-assign-layout", program, "-o", moved)
    windows = WINDOWS.findall(moved.read_text())
    assert len(windows) == len(WINDOWS.findall(program.read_text()))
    assert all("channels_last" in window for window in windows)
    outputs = []
    for file in (program, moved):
        run_tool("quant-run", file, "--reference", f"--inputs={inputs}", f"--outputs={file}.npz")
        outputs.append(dict(np.load(f"{file}.npz")))
    TOTALS["windows"] += len(windows)
    TOTALS["elements"] += compare(*outputs)


@pytest.mark.parametrize("seed", range(1000, 1000 + COUNT))
def test_random_layout(seed: int, tmp_path: Path) -> None:
    graph = Graph(seed)
    onnx.save(graph.build(), tmp_path / "m.onnx")
    samples = {n: graph.rng.standard_normal((12, *shape[1:])).astype(np.float32) for n, shape in graph.inputs.items()}
    np.savez(tmp_path / "c.npz", **samples)
    np.savez(tmp_path / "in.npz", **{name: array[:2] for name, array in samples.items()})
    run_tool("quant-translate", tmp_path / "m.onnx", "--float", "-o", tmp_path / "f.mlir")
    check_layout(tmp_path / "f.mlir", tmp_path / "in.npz")
    result = run_tool(
        "quant-translate",
        tmp_path / "m.onnx",
        f"--calibration={tmp_path / 'c.npz'}",
        "--weight-rounding=nearest",
        "-o",
        tmp_path / "i.mlir",
        check=False,
    )
    if result.returncode == 0:  # what may be refused, test_random_graphs.py knows
        check_layout(tmp_path / "i.mlir", tmp_path / "in.npz")


def test_layout_totals() -> None:
    print(TOTALS)
    assert all(TOTALS.values())
