# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random small graphs with extreme weights.

The float program agrees with ONNX Runtime; reference, JIT and library agree in every
bit of every value. A refusal (an accumulator that could overflow) is fine if it is one
clear error. With DYADIC_SEED=N the first graph is that of seed N.
"""

from __future__ import annotations

import collections
import json
import os
from pathlib import Path

import dyadic
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

from conftest import run_tool
from random_graph import Graph
from test_bits import compare

COUNT = 400 if os.environ.get("DYADIC_CONFORMANCE") == "full" else 40
FIRST = int(os.environ.get("DYADIC_SEED", "0"))
# What a compilation may refuse a graph for.
REFUSALS = ("accumulator bound", "scale ratio", "softmax")
TOTALS: collections.Counter = collections.Counter()


def nudged(array: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Every number changed by about its last bit."""
    return (array * (1 + rng.choice([-1, 1], array.shape) * 2.0**-23)).astype(np.float32)


class Onnxruntime:
    """The model's outputs, and how far the last bits of weights and inputs move them."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.rng, self.names = np.random.default_rng(0), [o.name for o in model.graph.output]
        self.sessions = [self.session(model)]
        for initializer in model.graph.initializer:
            array = numpy_helper.to_array(initializer)
            if array.dtype == np.float32:
                initializer.CopyFrom(numpy_helper.from_array(nudged(array, self.rng), initializer.name))
        self.sessions.append(self.session(model))

    @staticmethod
    def session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])

    def run(self, sample: dict[str, np.ndarray]) -> dict[str, tuple[np.ndarray, float]]:
        expected = self.sessions[0].run(None, sample)
        moved = self.sessions[1].run(None, {name: nudged(array, self.rng) for name, array in sample.items()})
        return {name: (a, float(np.abs(a - b).max())) for name, a, b in zip(self.names, expected, moved)}


def check_float(folder: Path, samples: dict[str, np.ndarray]) -> None:
    """Three samples; the largest error is 1e-4 of the largest number of each output, more only where f32 itself has
    fewer digits left (a large bias cancelled, a softmax of large scores)."""
    run_tool("quant-translate", folder / "m.onnx", "--float", "-o", folder / "f.so")
    program, ort = dyadic.load(folder / "f.so"), Onnxruntime(onnx.load(folder / "m.onnx"))
    for i in range(3):
        sample = {name: array[i : i + 1] for name, array in samples.items()}
        found = program.run(sample)
        for name, (expected, noise) in ort.run(sample).items():
            assert found[name].shape == expected.shape, name
            error, largest = np.abs(found[name] - expected).max(), np.abs(expected).max()
            assert error <= 1e-4 * max(largest, 1e-30) + 10 * noise, (
                f"{name}: error {error}, largest {largest}, noise {noise}"
            )
            TOTALS["float elements"] += expected.size
            TOTALS["of them ill-conditioned"] += expected.size if noise > 1e-4 * largest else 0


def random_plan(path: Path, rng: np.random.Generator) -> None:
    """Edits a saved plan in place: widths, signs, float layers, operands of additions."""
    plan = json.loads(path.read_text())
    for layer in plan["layers"].values():
        layer["weights"], layer["float"] = int(rng.integers(2, 9)), bool(rng.random() < 0.1)
        del layer["activations"]
    for value in plan["values"].values():
        if value["bits"] != 15:  # a softmax
            value["bits"], value["signed"] = int(rng.integers(2, 13)), bool(rng.random() < 0.5)
    plan["adds"] = {name: add for name, add in plan["adds"].items() if rng.random() < 0.5 and add["operand"] == "value"}
    path.write_text(json.dumps(plan))


def stored(x: np.ndarray, info) -> np.ndarray:
    """Real numbers as the program's input stores them."""
    if info.dtype == "float32":
        return x
    quotient = np.rint(x.astype(np.float64) / info.scales[0]) + info.zero_point
    return np.clip(quotient, info.min, info.max).astype(info.dtype)


def compile_graph(folder: Path, graph: Graph, edit_plan: bool, is_fitted: bool) -> list[str] | None:
    """Writes p.mlir; the options it was made with, or None if it was refused for a good reason. With `is_fitted` weights
    are fitted to the samples; without, the table alone has to give the same."""
    width = f"w{graph.rng.integers(2, 9)}a{graph.pick(*range(2, 13), 16)}"
    common = [
        folder / "m.onnx",
        "--name=m",
        f"--rounding={graph.pick('half_up', 'half_even')}",
        f"--io={graph.pick('float', 'integer')}",
    ]
    table, plan = folder / "t.json", folder / "plan.json"
    rounding = f"--weight-rounding={'gptq' if is_fitted else 'nearest'}"
    calibration = f"--calibration={folder / 'c.npz' if is_fitted else table}"
    options = [*common, calibration, rounding, f"--bits={width}"]
    result = run_tool(
        "quant-translate",
        *common,
        f"--calibration={folder / 'c.npz'}",
        rounding,
        f"--bits={width}",
        "-o",
        folder / "p.mlir",
        f"--save-calibration={table}",
        f"--save-plan={plan}",
        check=False,
    )
    if result.returncode == 0 and edit_plan:
        random_plan(plan, graph.rng)
        options[-1] = f"--bits={plan}"
        result = run_tool("quant-translate", *options, "-o", folder / "p.mlir", check=False)
    if result.returncode == 0:
        return options
    lines = result.stderr.splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    assert result.returncode == 1 and len(errors) == 1 and lines[-1] == errors[0], result.stderr
    reason = next((reason for reason in REFUSALS if reason in errors[0]), None)
    assert reason is not None, result.stderr
    TOTALS[f"graphs refused ({reason})"] += 1
    return None


@pytest.mark.parametrize("seed", range(FIRST, FIRST + COUNT))
def test_random_graph(seed: int, tmp_path: Path) -> None:
    graph = Graph(seed)
    onnx.save(graph.build(), tmp_path / "m.onnx")
    samples = {n: graph.rng.standard_normal((12, *shape[1:])).astype(np.float32) for n, shape in graph.inputs.items()}
    np.savez(tmp_path / "c.npz", **samples)
    check_float(tmp_path, samples)

    options = compile_graph(tmp_path, graph, edit_plan=bool(seed % 2), is_fitted=seed % 4 < 2)
    if options is None:
        return
    TOTALS["graphs compared"] += 1
    run_tool("quant-translate", *options, "--dump-values", "-o", tmp_path / "p.so")
    program = dyadic.load(tmp_path / "p.so")
    inputs = {name: stored(samples[name][:2], info) for name, info in program.inputs.items()}
    np.savez(tmp_path / "in.npz", **inputs)
    runs = [program.run_values({n: x[i : i + 1] for n, x in inputs.items()}) for i in range(2)]
    library = [{n: np.concatenate([run[part][n] for run in runs]) for n in runs[0][part]} for part in range(2)]
    library[1] = inputs | library[1]  # a dump has the inputs too, as given where the program does not store them
    results = []
    for mode in (["--reference"], []):
        run_tool(
            "quant-run",
            tmp_path / "p.mlir",
            f"--inputs={tmp_path / 'in.npz'}",
            f"--outputs={tmp_path / 'o.npz'}",
            f"--dump={tmp_path / 'v.npz'}",
            *mode,
        )
        results.append([dict(np.load(tmp_path / file)) for file in ("o.npz", "v.npz")])
    for expected, jit, compiled in zip(*results, library):
        TOTALS["elements"] += compare(expected, jit) + compare(expected, compiled)


def test_totals() -> None:
    """Most graphs are compiled: a compiler that refuses everything does not pass."""
    print(", ".join(f"{count} {what}" for what, count in TOTALS.items()) + ", 0 differing")
    assert sum(count for what, count in TOTALS.items() if what.startswith("graphs refused")) <= 0.3 * COUNT
