# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Weights fitted to samples: what it gains on real models, and what it must not depend on."""

from __future__ import annotations

import os
import subprocess

import dyadic
import numpy as np
import pytest
from conftest import BIN, run_tool


def sqnr(expected: dyadic.Program, found: dyadic.Program, samples: np.ndarray) -> float:
    signal = noise = 0.0
    for sample in samples:
        a, b = (next(iter(program.run(sample[None]).values())).astype(np.float64) for program in (expected, found))
        signal += np.square(a).sum()
        noise += np.square(a - b).sum()
    return 10 * np.log10(signal / noise)


@pytest.mark.parametrize(
    "name, bits, gain, least",
    [("digits", "w3a8", 5, 0), ("kws", "w4a8", 9, 25.0), ("kws", "w3a8", 9, 19.0), ("resnet20", "w4a8", 8, 20.0)],
)
def test_gain_at_few_bits(name, bits, gain, least, models, translate):
    model = models(name)
    expected = dyadic.load(translate(name, "--float"))
    nearest, fitted = (
        sqnr(expected, dyadic.load(translate(name, f"--bits={bits}", f"--weight-rounding={how}")), model.test[:200])
        for how in ("nearest", "auto")
    )
    assert fitted > nearest + gain
    assert fitted > least


@pytest.mark.parametrize("name, bits", [("digits", "8"), ("kws", "8"), ("digits", "w5a8"), ("kws", "w8a4")])
def test_auto_is_not_worse_where_it_looks(name, bits, models, translate, tmp_path):
    model = models(name)
    np.savez(tmp_path / "inputs.npz", **{model.input: model.calibration})
    report = dyadic.compile(
        model.onnx, calibration=tmp_path / "inputs.npz", bits=bits, weight_rounding="auto"
    ).report
    rounding = report["options"]["weight_rounding"]
    assert rounding["fitted"] == (rounding["fitted_error"] < rounding["nearest_error"])
    kept = rounding["fitted_error" if rounding["fitted"] else "nearest_error"]
    assert np.isclose(-10 * np.log10(kept), report["outputs"][0]["sqnr_db"], atol=1e-3)


def test_samples_come_from_anywhere(models, tmp_path):
    model = models("digits")
    samples = model.calibration[:150]
    np.savez(tmp_path / "inputs.npz", **{model.input: samples})
    made = []
    for calibration in (tmp_path / "inputs.npz", samples, ({model.input: sample[None]} for sample in samples)):
        program = dyadic.compile(model.onnx, calibration=calibration, bits="w4a8", weight_rounding="gptq", name="net")
        program.save(tmp_path / "out.mlir")
        made.append((tmp_path / "out.mlir").read_bytes())
    assert made[0] == made[1] == made[2]


@pytest.mark.parametrize("name, io", [("digits", "integer"), ("kws", "float")])
def test_cores_and_targets_do_not_show(name, io, models, tmp_path):
    """Nor the caches: Eigen would ask for their sizes."""
    model = models(name)
    np.savez(tmp_path / "inputs.npz", **{model.input: model.calibration[:60]})
    core = min(os.sched_getaffinity(0))
    made = set()
    for target, one in (("native", False), ("native", True), ("generic", False)):
        out = tmp_path / "out.mlir"
        command = [BIN / "quant-translate", model.onnx, f"--calibration={tmp_path / 'inputs.npz'}", "-o", out]
        command += ["--bits=w4a8", "--weight-rounding=gptq", f"--target={target}", f"--io={io}"]
        setup = (lambda: os.sched_setaffinity(0, {core})) if one else None
        subprocess.run(command, check=True, capture_output=True, timeout=600, preexec_fn=setup)
        made.add(out.read_bytes())
    assert len(made) == 1


@pytest.mark.parametrize("bits", ["w4a8", "w8a4", "w4a16"])
def test_the_reference_agrees(bits, models, tmp_path):
    """The program that was fitted piece by piece is an ordinary one."""
    model = models("digits")
    np.savez(tmp_path / "inputs.npz", **{model.input: model.calibration})
    out = tmp_path / "net.mlir"
    run_tool("quant-translate", model.onnx, f"--calibration={tmp_path / 'inputs.npz'}", f"--bits={bits}",
             "--weight-rounding=gptq", "--integer-only", "-o", out)  # fmt: skip
    np.savez(tmp_path / "test.npz", **{model.input: model.test[:8]})
    found = []
    for options in ([], ["--reference"]):
        outputs = tmp_path / "outputs.npz"
        run_tool("quant-run", out, f"--inputs={tmp_path / 'test.npz'}", f"--outputs={outputs}", *options)
        with np.load(outputs) as arrays:
            found.append({name: arrays[name] for name in arrays})
    assert found[0].keys() == found[1].keys()
    assert all(np.array_equal(found[0][name], found[1][name]) for name in found[0])
