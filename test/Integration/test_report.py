# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The report against numbers computed here from the programs' dumps; its advice; the documented comparison."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys

import dyadic
import numpy as np
import pytest
from conftest import ROOT, run_tool

CHECK = ROOT / "test" / "Inputs" / "check_report.py"
MODELS = ["digits", "kws", "resnet20"]


def decibels(signal: np.ndarray, noise: np.ndarray) -> float:
    return 10 * np.log10(np.square(signal, dtype=np.float64).sum() / np.square(noise, dtype=np.float64).sum())


def held_back(samples: np.ndarray) -> np.ndarray:
    """What calibration holds back, by the documented rule: a hash that is 0 modulo 5."""
    hashes = [int.from_bytes(hashlib.sha256(s.tobytes()).digest()[:8], "little") for s in samples]
    return np.flatnonzero(np.array(hashes, np.uint64) % np.uint64(5) == 0)


@pytest.fixture(scope="module", params=MODELS)
def reported(request, models, tmp_path_factory):
    """A model's report, and its float and integer dumps of the held-back samples."""
    model = models(request.param)
    folder = tmp_path_factory.mktemp("report")
    data, test = folder / "calibration.npz", folder / "test.npz"
    indices = held_back(model.calibration)
    np.savez(data, **{model.input: model.calibration})
    np.savez(test, **{model.input: model.calibration[indices]})
    options = {"dump_values": True, "name": "m", "weight_rounding": "auto" if request.param == "digits" else "nearest"}
    compiled = dyadic.compile(model.onnx, calibration=data, detailed_report=True, **options)
    compiled.save(folder / "m.so")
    for ending in ("json", "html"):
        compiled.save_report(folder / f"r.{ending}")
    for program, name, *options in [(model.onnx, "f"), (folder / "m.so", "q", "--dequantize")]:
        files = [f"--dump={folder / name}.npz", f"--outputs={folder / name}o.npz"]
        run_tool("quant-run", program, f"--inputs={test}", *files, *options)
    arrays = {name: dict(np.load(folder / f"{name}.npz")) for name in ("f", "q", "fo", "qo")}
    return json.loads((folder / "r.json").read_text()), arrays, indices, folder


def test_files_are_valid(reported):
    folder = reported[3]
    subprocess.run([sys.executable, CHECK, folder / "r.json", folder / "r.html"], check=True)


def test_dumps_have_the_same_ids_and_shapes(reported):
    report, arrays, *_ = reported
    shapes = {key: value.shape for key, value in arrays["f"].items()}
    assert shapes == {key: value.shape for key, value in arrays["q"].items()}
    assert list(shapes) == [row["id"] for row in report["inputs"] + report["layers"]]
    assert all(value.dtype == np.float32 for value in arrays["q"].values())


def test_layers_agree_with_the_dumps(reported):
    report, arrays, *_ = reported
    for row in report["inputs"] + report["layers"]:
        f, q = arrays["f"][row["id"]], arrays["q"][row["id"]]
        assert row["sqnr_db"] == pytest.approx(decibels(f, f - q), abs=1e-3)
        assert row["own"]["share"] >= 0
    assert sum(row["own"]["share"] for row in report["inputs"] + report["layers"]) == pytest.approx(1)


def test_outputs_agree_with_the_runs(reported):
    report, arrays, indices, _ = reported
    assert report["held_back_samples"] == len(indices)
    (output,) = report["outputs"]
    f, q = arrays["fo"][output["name"]], arrays["qo"][output["name"]]
    f, q = (a.reshape(len(indices), -1).astype(np.float64) for a in (f, q))
    assert output["sqnr_db"] == pytest.approx(decibels(f, f - q), abs=1e-6)
    signal, noise = np.square(f).sum(1), np.square(f - q).sum(1)
    d = signal / signal.mean() - noise / noise.mean()
    error = 10 / np.log(10) * np.sqrt(np.square(d).sum() / (len(d) * (len(d) - 1)))
    assert output["sqnr_standard_error_db"] == pytest.approx(error, rel=1e-6)
    assert output["worst_sample"] == indices[np.argmax(noise / signal)]
    agreeing = int((f.argmax(1) == q.argmax(1)).sum())
    assert (output["top1"]["agreeing"], output["top1"]["decisions"]) == (agreeing, len(indices))


def test_page_says_what_the_json_says(reported):
    report, _, _, folder = reported
    page = (folder / "r.html").read_text()
    (output,) = report["outputs"]
    assert f"{output['sqnr_db']:.1f} &plusmn; {output['sqnr_standard_error_db']:.1f} dB" in page
    assert f"{output['top1']['agreeing']} of {output['top1']['decisions']}" in page
    assert report["model_sha256"] in page
    assert page.count('role="img"') == len(report["inputs"]) + len(report["layers"])
    for row in report["layers"]:
        assert f'<span class="aside">{row["sqnr_db"]:.1f} dB</span>' in page


def test_advice_is_a_plan_that_helps(models, tmp_path):
    """All advice for digits at 4 bits of weights and 6 of activations, followed at once."""
    model = models("digits")
    data = tmp_path / "c.npz"
    np.savez(data, **{model.input: model.calibration})
    command = ["quant-translate", model.onnx, f"--calibration={data}", "-o", tmp_path / "m.so"]
    command += ["--weight-rounding=nearest"]
    run_tool(*command, "--bits=w4a6", f"--save-plan={tmp_path / 'p.json'}", f"--report={tmp_path / 'r.json'}")
    before = json.loads((tmp_path / "r.json").read_text())
    plan = json.loads((tmp_path / "p.json").read_text())
    assert len(before["advice"]) == 3
    for advice in before["advice"]:
        for section, entries in json.loads("{" + advice["plan"] + "}").items():
            for name, entry in entries.items():
                plan[section].setdefault(name, {}).update(entry)
    (tmp_path / "p.json").write_text(json.dumps(plan))
    run_tool(*command, f"--bits={tmp_path / 'p.json'}", f"--report={tmp_path / 'r.json'}")
    after = json.loads((tmp_path / "r.json").read_text())
    assert after["outputs"][0]["sqnr_db"] > before["outputs"][0]["sqnr_db"] + 1


def test_documented_comparison(tmp_path):
    """The commands and the lines of Python in docs/GettingStarted.md, as they stand there."""
    text = (ROOT / "docs" / "GettingStarted.md").read_text()
    section = text[text.index("### Compare layer by layer") :]
    shell, python = re.search(r"```sh\n(.*?)```.*?```python\n(.*?)```", section, re.S).groups()
    for name in ("build", "examples"):
        (tmp_path / name).symlink_to(ROOT / name)
    subprocess.run(["sh", "-e", "-c", shell], cwd=tmp_path, check=True, capture_output=True)
    out = subprocess.run([sys.executable, "-c", python], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    rows = [line.split() for line in out.splitlines()]
    assert [row[-1] for row in rows][:2] == ["image", "stem_conv"] and rows[-1][-1] == "logits"
    assert all(30 < float(row[0]) < 70 for row in rows)


@pytest.mark.parametrize("target, bits", [("avx2", {"w2a8": 2, "w3a8": 4, "w4a16": 8}), ("generic", {"w4a8": 8})])
def test_bytes_of_narrow_weights_are_those_of_the_target(target, bits, models, tmp_path):
    model = models("digits")
    np.savez(tmp_path / "c.npz", **{model.input: model.calibration})

    def report(width):
        file = tmp_path / f"{width}.json"
        common = ["--weight-rounding=nearest", f"--target={target}", f"--bits={width}", f"--report={file}"]
        run_tool("quant-translate", model.onnx, f"--calibration={tmp_path / 'c.npz'}", *common, "-o", tmp_path / "m.so")
        return json.loads(file.read_text())

    wide = report("w8a8")
    for width, stored in bits.items():
        for row, full in zip(report(width)["layers"], wide["layers"], strict=True):
            if "weights" in row:
                saved = 0 if row["id"] == "block1_dw" else row["weights"] * (8 - stored) // 8
                assert full["bytes"] - row["bytes"] == saved, (width, row["id"])
