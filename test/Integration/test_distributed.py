# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Calibration and sensitivities by several processes: the tables of one, byte for byte."""

from __future__ import annotations

import dyadic
import dyadic.distributed
import numpy as np
import pytest
from conftest import ROOT, run_tool

dask = pytest.importorskip("distributed", reason="needs Dask (pip install dask[distributed]), which is not there")

DIGITS = ROOT / "examples" / "digits" / "digits.onnx"
DATA = ROOT / "examples" / "digits" / "calibration.npz"


@pytest.fixture(scope="module")
def client():
    with dask.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        with dask.Client(cluster) as client:
            yield client


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The folder of what one process finds."""
    folder = tmp_path_factory.mktemp("alone")
    run_tool("quant-translate", DIGITS, f"--calibration={DATA}", f"--save-calibration={folder / 'table.json'}",
             "--budget=avg:4", f"--sensitivity={folder / 's.json'}", f"--save-plan={folder / 'plan.json'}")
    return folder


@pytest.mark.parametrize("parts", [1, None, 5])
def test_calibration(parts, client, alone, tmp_path):
    dyadic.distributed.calibrate(client, DIGITS, DATA, parts=parts).save(tmp_path / "table.json")
    assert (tmp_path / "table.json").read_bytes() == (alone / "table.json").read_bytes()


def test_sensitivities(client, alone, tmp_path):
    found = dyadic.distributed.measure_sensitivity(client, DIGITS, DATA, "avg:4", parts=3)
    found.save(tmp_path / "s.json")
    assert (tmp_path / "s.json").read_bytes() == (alone / "s.json").read_bytes()
    plan = dyadic.search_plan(DIGITS, "avg:4", calibration=DATA, sensitivity=tmp_path / "s.json")
    plan.save(tmp_path / "plan.json")
    assert (tmp_path / "plan.json").read_bytes() == (alone / "plan.json").read_bytes()
    assert (tmp_path / "s.json").read_bytes() == (alone / "s.json").read_bytes()


def test_what_is_in_memory(client, alone, tmp_path):
    """A model's bytes, arrays and a table as a dict."""
    with np.load(DATA) as data:
        images = data["image"]
    table = dyadic.distributed.calibrate(client, DIGITS.read_bytes(), {"image": images})
    assert table == dyadic.distributed.calibrate(client, DIGITS.read_bytes(), images)
    table.save(tmp_path / "table.json")
    assert (tmp_path / "table.json").read_bytes() == (alone / "table.json").read_bytes()


def test_more_parts_than_samples_are_held_back(client):
    with np.load(DATA) as data:
        images = data["image"][:30]
    table = dyadic.distributed.calibrate(client, DIGITS, images)
    assert len(table["held_back"]) < 9
    options = {"table": dict(table), "choices": "w4a8,w8a8", "sensitivity_metric": "trace"}
    pairs = {"table": dict(table), "choices": "w4a8,w8a8", "pairs": "neighbours"}
    one, many = (
        dyadic.distributed.measure_sensitivity(client, DIGITS, images, "avg:6", parts=parts, **options) for parts in (1, 9)
    )
    assert many == one and one["curvatures"]
    one, many = (
        dyadic.distributed.measure_sensitivity(client, DIGITS, images, "avg:6", parts=parts, **pairs) for parts in (1, 2)
    )
    assert many == one and one["pairs"]


def test_what_is_wrong(client):
    with np.load(DATA) as data:
        images = data["image"]
    with pytest.raises(dyadic.Error, match="to calibrate with, expected one for each of 1000 parts"):
        dyadic.distributed.calibrate(client, DIGITS, DATA, parts=1000)
    with pytest.raises(dyadic.Error, match="expected size:, avg:|--budget"):
        dyadic.distributed.measure_sensitivity(client, DIGITS, DATA, "avg")
    other = dyadic.distributed.calibrate(client, DIGITS, images[:100])
    with pytest.raises(dyadic.Error, match="was calibrated with other samples than those of"):
        dyadic.distributed.measure_sensitivity(client, DIGITS, DATA, "avg:4", table=other)
    with pytest.raises(ValueError, match="parts is 0, expected at least 1"):
        dyadic.distributed.calibrate(client, DIGITS, DATA, parts=0)
    with pytest.raises(TypeError, match="calibration is int, expected a path, an array or a dict of arrays"):
        dyadic.distributed.calibrate(client, DIGITS, 3)
    with pytest.warns(dyadic.CalibrationWarning, match="expected at least 10"):
        dyadic.distributed.calibrate(client, DIGITS, images[:6])
