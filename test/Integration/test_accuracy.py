# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Real models: the float program against ONNX Runtime, W8A8 against float."""

from __future__ import annotations

import dyadic
import numpy as np
import onnxruntime
import pytest

MODELS = ["digits", "kws", "resnet20"]


def outputs(program: dyadic.Program, model, samples: np.ndarray) -> np.ndarray:
    """The first output for every sample, in one batch or one by one."""
    if program.inputs[model.input].shape[0] == -1:
        return next(iter(program.run(samples).values()))
    return np.concatenate([next(iter(program.run(s[None]).values())) for s in samples])


def float_outputs(model, samples: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(model.onnx), providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(None, {model.input: s[None]})[0] for s in samples])


@pytest.mark.parametrize("name", MODELS)
def test_float_program_matches_onnxruntime(name, models, translate):
    model = models(name)
    samples = model.test[:64]
    expected = float_outputs(model, samples)
    found = outputs(dyadic.load(translate(name, "--float")), model, samples)
    assert np.abs(found - expected).max() <= 1e-4 * np.abs(expected).max()


# Least accuracy (percent) and output SQNR (dB) of W8A8 on the whole test split.
@pytest.mark.parametrize(
    "name, accuracy, sqnr", [("digits", 98.1, 30.0), ("kws", 90.8, 30.0), ("resnet20", 82.0, 26.0)]
)
def test_w8a8_accuracy(name, accuracy, sqnr, models, translate):
    model = models(name)
    expected = outputs(dyadic.load(translate(name, "--float")), model, model.test)
    found = outputs(dyadic.load(translate(name)), model, model.test)
    assert 100 * np.mean(found.argmax(1) == model.labels) >= accuracy
    noise = np.square(expected.astype(np.float64) - found).sum()
    assert 10 * np.log10(np.square(expected.astype(np.float64)).sum() / noise) >= sqnr
