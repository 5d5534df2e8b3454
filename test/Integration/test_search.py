# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The search for bits on real models: within its budget, and no worse than the same bits for all, measured anew."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import dyadic
import numpy as np
import onnx
import onnxruntime
import pytest

from conftest import BIN, run_tool

TESTS = Path(__file__).resolve().parents[1]
FULL = os.environ.get("DYADIC_CONFORMANCE") == "full"
SAMPLES = 64
#: Networks with the average widths that they are searched for.
QUICK = [("kws", 4), ("resnet20", 4)]
SLOW = [("squeezenet", 5)] + [("mobilenet", 5)] * FULL  # 70 s and 140 s with all samples
SMALL = ["kws"] + ["resnet20"] * FULL


def is_held_back(sample: np.ndarray) -> bool:
    digest = hashlib.sha256(np.ascontiguousarray(sample).tobytes()).digest()
    return int.from_bytes(digest[:8], "little") % 5 == 0


def log_probabilities(outputs: np.ndarray, is_softmax: bool) -> np.ndarray:
    numbers = outputs.reshape(len(outputs), -1).astype(np.float64)
    if is_softmax:
        return np.log(np.maximum(numbers, 1e-30))
    numbers -= numbers.max(1, keepdims=True)
    return numbers - np.log(np.exp(numbers).sum(1, keepdims=True))


def divergence(reference: np.ndarray, outputs: np.ndarray) -> float:
    # What float's outputs are; integers of 15 bits need not add up to 1 as well.
    numbers = reference.reshape(len(reference), -1)
    is_softmax = bool((numbers >= 0).all() and np.allclose(numbers.sum(1), 1, atol=1e-3))
    p, q = log_probabilities(reference, is_softmax), log_probabilities(outputs, is_softmax)
    return float((np.exp(p) * (p - q)).sum(1).mean())


def outputs_of(path, samples: np.ndarray) -> np.ndarray:
    program = dyadic.load(path)
    return np.concatenate([next(iter(program.run(sample[None]).values())) for sample in samples])


class Search:
    """One search of one model, with its files."""

    def __init__(self, model, bits: int, folder) -> None:
        self.model, self.bits, self.folder = model, bits, folder
        self.samples = np.concatenate([model.calibration, model.test])[: SAMPLES if FULL or (model.name, bits) in QUICK else 16]
        np.savez(folder / "samples.npz", **{model.input: self.samples})
        self.held_back = np.stack([sample for sample in self.samples if is_held_back(sample[None])])

    def command(self, out: str, *options: object) -> list[str]:
        return [str(part) for part in (self.model.onnx, f"--calibration={self.folder / 'samples.npz'}", "--name=net", "-o",
                                       self.folder / out, *options)]

    def compile(self, out: str, *options: object):
        run_tool("quant-translate", *self.command(out, *options))
        return self.folder / out


@pytest.fixture(scope="module")
def search(models, tmp_path_factory):
    made: dict[tuple[str, int], Search] = {}

    def get(name: str, bits: int) -> Search:
        if (name, bits) not in made:
            made[name, bits] = found = Search(models(name), bits, tmp_path_factory.mktemp(f"{name}{bits}"))
            found.compile("net.so", f"--budget=avg:{bits}", f"--sensitivity={found.folder / 's.json'}",
                          f"--save-plan={found.folder / 'plan.json'}", f"--report={found.folder / 'report.json'}")
        return made[name, bits]

    return get


@pytest.mark.parametrize("name, bits", QUICK + SLOW)
def test_plan_is_within_its_budget_and_no_worse_than_uniform(name, bits, search):
    found = search(name, bits)
    plan, report = (json.loads((found.folder / f"{file}.json").read_text()) for file in ("plan", "report"))
    counts = {layer["id"]: layer["weights"] for layer in report["layers"] if layer.get("weights")}
    widths = {id: plan["layers"][id]["weights"] for id in counts}
    total = sum(counts.values())
    assert sum(counts[id] * widths[id] for id in counts) <= bits * total
    if report["search"]["measured"][0]["plan"] != f"w{bits}a8":  # which held-back samples may prefer
        assert len(set(widths.values())) > 1
    expected = outputs_of(float_library(found), found.held_back)
    searched = divergence(expected, outputs_of(found.folder / "net.so", found.held_back))
    uniform = divergence(expected, outputs_of(found.compile("uniform.so", f"--bits=w{bits}a8"), found.held_back))
    assert searched <= uniform * (1 + 1e-6)
    assert searched == pytest.approx(report["search"]["measured"][0]["divergence"], rel=1e-3, abs=1e-6)


def rounded(weights: np.ndarray, bits: int, axis: int) -> np.ndarray:
    """Each output channel to the nearest numbers of its symmetric grid."""
    others = tuple(i for i in range(weights.ndim) if i != axis)
    most = 2 ** (bits - 1) - 1
    scale = (np.abs(weights).max(others, keepdims=True).astype(np.float64) / most).astype(np.float32)
    return (np.clip(np.rint(weights.astype(np.float64) / scale), -most, most) * scale).astype(np.float32)


@pytest.mark.parametrize("layer, initializer, axis", [("stem", "w_stem", 0), ("left", "w_left", 0), ("deep", "w_deep", 0),
                                                      ("scores", "w_scores", 1)])
def test_sensitivities_are_those_of_onnxruntime(layer, initializer, axis, tmp_path):
    """Every number of the table: one layer's weights rounded, everything else in float."""
    subprocess.run([sys.executable, TESTS / "Inputs" / "search_model.py", tmp_path], check=True)
    run_tool("quant-translate", tmp_path / "model.onnx", f"--calibration={tmp_path / 'samples.npz'}", "--budget=avg:4",
             "--weight-rounding=nearest", f"--sensitivity={tmp_path / 's.json'}", f"--save-plan={tmp_path / 'p.json'}")
    table = json.loads((tmp_path / "s.json").read_text())
    samples = [sample[None] for sample in np.load(tmp_path / "samples.npz")["x"]]
    assert sorted(hashlib.sha256(sample.tobytes()).hexdigest() for sample in samples) == table["samples"]

    def outputs(model: onnx.ModelProto) -> np.ndarray:
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        return np.concatenate([session.run(None, {"x": sample})[0] for sample in samples])

    reference = outputs(onnx.load(tmp_path / "model.onnx"))
    for bits, numbers in table["weights"][layer].items():
        model = onnx.load(tmp_path / "model.onnx")
        (weights,) = (tensor for tensor in model.graph.initializer if tensor.name == initializer)
        weights.CopyFrom(onnx.numpy_helper.from_array(rounded(onnx.numpy_helper.to_array(weights), int(bits), axis),
                                                      initializer))
        found = outputs(model)
        error = np.square(reference.astype(np.float64) - found).sum(1) / np.square(reference.astype(np.float64)).sum(1)
        assert numbers["error"] == pytest.approx(error.mean(), rel=1e-3, abs=1e-9)
        assert numbers["kl"] == pytest.approx(divergence(reference, found), rel=1e-2, abs=1e-7)


def float_library(found: Search):
    path = found.folder / "float.so"
    if not path.exists():
        run_tool("quant-translate", found.model.onnx, "--float", "--name=net", "-o", path)
    return path


def test_plan_gives_the_same_library(search):
    found = search("resnet20", 4)
    again = found.compile("again.so", f"--bits={found.folder / 'plan.json'}")
    assert again.read_bytes() == (found.folder / "net.so").read_bytes()


def test_killed_search_resumes(search):
    """Ended at any moment, a search leaves a table that the next one completes to the same bytes."""
    found = search("resnet20", 4)
    part = found.folder / "part.json"
    for delay in (0.0, 0.2):
        process = subprocess.Popen([str(BIN / "quant-translate"), *found.command("part.so", "--budget=avg:4",
                                                                            f"--sensitivity={part}")],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and not part.exists():
            time.sleep(0.01)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
        table = json.loads(part.read_text())
        assert 0 < len(table["samples"]) <= SAMPLES
    resumed = found.compile("part.so", "--budget=avg:4", f"--sensitivity={part}")
    assert part.read_bytes() == (found.folder / "s.json").read_bytes()
    assert resumed.read_bytes() == (found.folder / "net.so").read_bytes()


def written(folder: Path) -> set[tuple[str, int]]:
    return {(path.name, path.stat().st_mtime_ns) for path in folder.glob("*.json")}


@pytest.mark.parametrize("name", SMALL)
def test_search_resumes_from_its_cache(name, search, tmp_path):
    """Ended at many moments, by signals that it can and cannot catch, a search ends with the same bytes."""
    found = search(name, 4)
    cache, plan = tmp_path / "cache", tmp_path / "plan.json"
    options = "--budget=avg:4", f"--cache={cache}", f"--save-plan={plan}"
    ended = set()
    # After so many changes of the cache, or as soon as it has measured a plan.
    for number, changes in [(signal.SIGKILL, 0), (signal.SIGINT, 1), (signal.SIGKILL, 4), (signal.SIGINT, "plans"),
                            (signal.SIGKILL, 2), (signal.SIGKILL, 4), (signal.SIGINT, 4), (signal.SIGKILL, 12)]:
        process = subprocess.Popen([str(BIN / "quant-translate"), *found.command("part.so", *options)],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        before, seen = written(cache), 0
        while process.poll() is None and (not list(cache.glob("plans-*")) if changes == "plans" else seen < changes):
            time.sleep(0.002)
            now = written(cache)
            seen += now != before
            before = now
        process.send_signal(number)
        _, errors = process.communicate()
        if process.returncode == 0:
            break  # done before the signal
        assert process.returncode in (-signal.SIGKILL, -signal.SIGINT) or errors.endswith("interrupted\n"), errors
        assert not plan.exists()
        ended.add("plans" if list(cache.glob("plans-*")) else "sensitivities" if list(cache.glob("*")) else "start")
    assert "sensitivities" in ended and "plans" in ended
    resumed = found.compile("part.so", *options)
    assert plan.read_bytes() == (found.folder / "plan.json").read_bytes()
    assert resumed.read_bytes() == (found.folder / "net.so").read_bytes()
    compiled = dyadic.compile(found.model.onnx, calibration=found.folder / "samples.npz", budget="avg:4", cache=cache,
                              time_limit=600)
    assert compiled.plan == json.loads(plan.read_text())


@pytest.mark.parametrize("name", SMALL)
def test_overrides_repair_a_plan(name, models, tmp_path):
    """What attribution says of held-back samples holds for others."""
    model = models(name)
    np.savez(tmp_path / "samples.npz", **{model.input: model.calibration})
    command = [model.onnx, f"--calibration={tmp_path / 'samples.npz'}", "--weight-rounding=nearest", "--name=net"]
    run_tool("quant-translate", model.onnx, "--float", "--name=net", "-o", tmp_path / "float.so")
    run_tool("quant-translate", *command, "--bits=w4a8", "-o", tmp_path / "base.so",
             f"--attribution={tmp_path / 'overrides.json'}", "--attribution-target=sqnr:22dB")
    run_tool("quant-translate", *command, f"--bits={tmp_path / 'overrides.json'}", "-o", tmp_path / "repaired.so")
    overrides = json.loads((tmp_path / "overrides.json").read_text())
    layers = json.loads(run_plan(command, tmp_path)).get("layers")
    assert 0 < sum(len(entry) for entry in overrides["layers"].values()) < len(layers)
    test = model.test[:200]
    reference, base, repaired = (outputs_of(tmp_path / f"{part}.so", test) for part in ("float", "base", "repaired"))

    def sqnr(outputs: np.ndarray) -> float:
        noise = np.square(reference.astype(np.float64) - outputs).sum()
        return 10 * np.log10(np.square(reference.astype(np.float64)).sum() / noise)

    assert sqnr(repaired) > 19 > sqnr(base) + 2  # asked were 22 on held-back samples


def run_plan(command: list, folder: Path) -> str:
    run_tool("quant-translate", *command, "--bits=w4a8", "-o", folder / "plan.so", f"--save-plan={folder / 'base.json'}")
    return (folder / "base.json").read_text()


def test_python_searches_as_the_tool(search, tmp_path):
    """The plan alone and the front: the same bytes and the same words."""
    found = search("kws", 4)
    data, sensitivity = found.folder / "samples.npz", found.folder / "s.json"
    plan, front = tmp_path / "plan.json", tmp_path / "front.csv"
    result = run_tool("quant-translate", found.model.onnx, f"--calibration={data}", "--budget=avg:4",
                      f"--sensitivity={sensitivity}", f"--save-plan={plan}", f"--pareto={front}")
    searched = dyadic.search_plan(found.model.onnx, "avg:4", calibration=data, sensitivity=sensitivity,
                                  pareto=tmp_path / "python.csv", save_plan=tmp_path / "python.json")
    assert (tmp_path / "python.csv").read_bytes() == front.read_bytes()
    assert (tmp_path / "python.json").read_bytes() == plan.read_bytes()
    searched.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == plan.read_bytes()
    assert searched == json.loads(plan.read_text())
    assert result.stdout == f"{searched}wrote {plan}\n"
    with pytest.raises(dyadic.Error, match="--attribution-target: an option of --attribution"):
        dyadic.compile(found.model.onnx, calibration=data, attribution_target="sqnr:20dB")
    with pytest.raises(dyadic.Error, match="no such folder|cannot be written|No such file"):
        dyadic.search_plan(found.model.onnx, "avg:4", calibration=data, save_plan=tmp_path / "none" / "plan.json")


def test_python_takes_a_budget(search):
    found = search("kws", 4)
    compiled = dyadic.compile(found.model.onnx, calibration=found.folder / "samples.npz", budget="avg:4",
                              sensitivity=found.folder / "s.json")
    assert compiled.plan == json.loads((found.folder / "plan.json").read_text())
    assert compiled.report["search"]["budget"] == "avg:4"
    # Samples in memory: those held back are enough.
    streamed = dyadic.compile(found.model.onnx, calibration=(sample[None] for sample in found.samples), budget="avg:4")
    assert streamed.plan == compiled.plan
