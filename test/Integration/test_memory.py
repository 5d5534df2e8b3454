# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The workspace of real models is hardly larger than what lives in it at one moment."""

from __future__ import annotations

import dyadic
import pytest

#: A workspace may be so many times as large as the largest set of buffers that live at one moment.
LIMIT = 1.15


MODELS = ["digits", "kws", "resnet20", "mnist", "squeezenet", "mobilenet", "ultraface"]
CASES = [(name, "w8a8", "avx2") for name in MODELS] + [("kws", "w4a4", "avx2"), ("kws", "w8a8", "generic")]


@pytest.mark.parametrize("name, bits, target", CASES)
def test_workspace(name, bits, target, models, table):
    options = {"bits": bits, "target": target, "weight_rounding": "nearest", "detailed_report": True}
    sizes = dyadic.compile(models(name).onnx, calibration=table(name), **options).report["sizes"]
    for program in ("integer", "float"):
        live, workspace = sizes[program]["live_set"], sizes[program]["workspace"]
        assert 0 < live <= workspace <= LIMIT * live, f"{name} {bits} {target} {program}: {workspace} for {live}"
