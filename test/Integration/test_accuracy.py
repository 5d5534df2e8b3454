# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Real models: the float program against ONNX Runtime, W8A8 against float."""

from __future__ import annotations

from pathlib import Path

import dyadic
import numpy as np
import onnx
import onnxruntime
import pytest

from conftest import evaluate

MODELS = ["digits", "kws", "resnet20", "mnist", "squeezenet", "mobilenet", "ultraface"]
LARGE = {"squeezenet": 4, "mobilenet": 4, "ultraface": 4}


def outputs(program: dyadic.Program, model, samples: np.ndarray) -> list[np.ndarray]:
    """Every output for all samples, in one batch or one by one."""
    if program.inputs[model.input].shape[0] == -1:
        return list(program.run(samples).values())
    runs = [list(program.run(sample[None]).values()) for sample in samples]
    return [np.concatenate(parts) for parts in zip(*runs)]


def float_outputs(model, samples: np.ndarray, folder: Path) -> list[np.ndarray]:
    path = str(model.onnx)
    if onnx.load(path).opset_import[0].version < 7:  # too old for ONNX Runtime
        path = evaluate().ort_model(path, str(folder))
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    runs = [session.run(None, {model.input: sample[None]}) for sample in samples]
    return [np.concatenate(parts) for parts in zip(*runs)]


@pytest.mark.parametrize("name", MODELS)
def test_float_program_matches_onnxruntime(name, models, translate, tmp_path):
    model = models(name)
    samples = model.test[: LARGE.get(name, 64)]
    found = outputs(dyadic.load(translate(name, "--float")), model, samples)
    for expected, array in zip(float_outputs(model, samples, tmp_path), found, strict=True):
        assert np.abs(array - expected).max() <= 1e-4 * np.abs(expected).max()


# Least accuracy (percent) and output SQNR (dB) of W8A8 on the whole test split.
@pytest.mark.parametrize(
    "name, accuracy, sqnr", [("digits", 98.1, 30.0), ("kws", 90.8, 30.0), ("resnet20", 82.0, 26.0)]
)
def test_w8a8_accuracy(name, accuracy, sqnr, models, translate):
    model = models(name)
    expected = outputs(dyadic.load(translate(name, "--float")), model, model.test)[0]
    found = outputs(dyadic.load(translate(name)), model, model.test)[0]
    assert 100 * np.mean(found.argmax(1) == model.labels) >= accuracy
    noise = np.square(expected.astype(np.float64) - found).sum()
    assert 10 * np.log10(np.square(expected.astype(np.float64)).sum() / noise) >= sqnr
