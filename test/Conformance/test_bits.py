# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The same bits everywhere: reference interpreter = JIT = library from Python.

Every value of the network is compared, not only the outputs. With
DYADIC_CONFORMANCE=full: all models, 32 samples, every combination.
"""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path

import dyadic
import numpy as np
import pytest

from conftest import run_tool

FULL = os.environ.get("DYADIC_CONFORMANCE") == "full"
SAMPLES = 32 if FULL else 2
MODELS = ["digits", "kws", "resnet20", "mnist", "squeezenet", "mobilenet", "ultraface"] if FULL else ["digits", "kws"]
#: Networks whose interpretation takes seconds a sample.
LARGE = {"squeezenet": 2, "mobilenet": 2, "ultraface": 2}
WIDTHS = ["w8a8", "w4a8", "w4a4", "w8a12"]
ROUNDINGS = ["half_up", "half_even"]


def compare(expected: dict[str, np.ndarray], found: dict[str, np.ndarray]) -> int:
    """Elements compared; fails on the first array that differs in type, shape or content."""
    assert sorted(expected) == sorted(found)
    for name, array in expected.items():
        assert (array.dtype, array.shape) == (found[name].dtype, found[name].shape), name
        different = int((array != found[name]).sum())
        assert different == 0, f"{name}: {different} of {array.size} elements differ"
    return sum(a.size for a in expected.values())


def check_bits(model, calibration: Path, folder: Path, *options: str, threads: tuple[int, ...] = (1,)) -> int:
    """Compiles to .mlir and .so and compares all three, the library with each number of threads, the JIT, which compiles
    anew for each, with the last one (all with DYADIC_CONFORMANCE=full); returns the elements compared."""
    common = [model.onnx, f"--calibration={calibration}", f"--name={model.name}", *options]
    run_tool("quant-translate", *common, "-o", folder / "p.mlir")
    run_tool("quant-translate", *common, "--dump-values", "-o", folder / "p.so")
    program = dyadic.load(folder / "p.so")
    inputs = model.test[: LARGE.get(model.name, SAMPLES)]
    info = program.inputs[model.input]
    if info.dtype != "float32":
        quotient = np.rint(inputs / np.float32(info.scales[0])).astype(np.int64) + info.zero_point
        inputs = np.clip(quotient, info.min, info.max).astype(info.dtype)
    np.savez(folder / "inputs.npz", **{model.input: inputs})

    def run_module(how: str) -> list[dict[str, np.ndarray]]:
        files = [folder / "outputs.npz", folder / "values.npz"]
        arguments = [f"--inputs={folder / 'inputs.npz'}", f"--outputs={files[0]}", f"--dump={files[1]}", how]
        run_tool("quant-run", folder / "p.mlir", *arguments)
        return [dict(np.load(file)) for file in files]

    reference, compared = run_module("--reference"), 0
    for count in threads:
        # All samples in one call, which spreads them, and one by one, which splits each.
        batches = [[x[None] for x in inputs], *([[inputs]] if info.shape[0] == -1 else [])]
        if FULL or count == threads[-1]:
            compared += sum(map(compare, reference, run_module(f"--threads={count}")))
        for runs in [[program.run_values(x, threads=count) for x in batch] for batch in batches]:
            for part in range(2):
                library = {name: np.concatenate([run[part][name] for run in runs]) for name in runs[0][part]}
                if part == 1:
                    library.setdefault(model.input, inputs)  # a dump has the inputs too, with --io=integer as given
                compared += compare(reference[part], library)
    return compared


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("bits", WIDTHS)
@pytest.mark.parametrize("name", MODELS)
def test_widths(name, bits, rounding, models, table, tmp_path):
    compared = check_bits(models(name), table(name), tmp_path, f"--bits={bits}", f"--rounding={rounding}")
    assert compared > 10000
    print(f"{name} {bits} {rounding}: {compared} elements, 0 differing")


@pytest.mark.parametrize(
    "name, target",
    itertools.product(MODELS, ["native", "generic"])
    if FULL
    else [("kws", "generic"), ("resnet20", "native"), ("resnet20", "generic"), ("mobilenet", "native")],
)
def test_threads(name, target, models, table, tmp_path):
    options = (f"--target={target}", "--bits=w4a4" if name == "resnet20" else "--bits=w8a8")
    compared = check_bits(models(name), table(name), tmp_path, *options, threads=(1, 2, 3, 7))
    print(f"{name} {target}, threads: {compared} elements, 0 differing")


def mixed_plan(model, calibration: Path, folder: Path, rounding: str = "half_up") -> Path:
    """First layer 8/8, then weights of 2 to 8 bits and values of 3 to 12, some signed."""
    path = folder / "plan.json"
    run_tool(
        "quant-translate", model.onnx, f"--calibration={calibration}", f"--save-plan={path}", "-o", folder / "x.mlir"
    )
    plan = json.loads(path.read_text())
    for i, layer in enumerate(plan["layers"].values()):
        layer["weights"] = [8, 4, 2, 6, 3, 7, 5][i % 7]
        del layer["activations"]
    for i, value in enumerate(plan["values"].values()):
        if value["bits"] == 15 and not value["signed"]:  # a softmax
            continue
        value["bits"], value["signed"] = [8, 6, 12, 5, 10, 3, 9][i % 7], i % 3 == 0
    for add in plan["adds"].values():
        add["operand"] = "value"
    plan["rounding"] = rounding
    path.write_text(json.dumps(plan))
    return path


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("name", MODELS)
def test_mixed_plan(name, rounding, models, table, tmp_path):
    plan = mixed_plan(models(name), table(name), tmp_path, rounding)
    compared = check_bits(models(name), table(name), tmp_path, f"--bits={plan}")
    print(f"{name} mixed {rounding}: {compared} elements, 0 differing")


def test_float_island(models, table, tmp_path):
    plan = mixed_plan(models("digits"), table("digits"), tmp_path)
    text = json.loads(plan.read_text())
    for layer in ("block1_pw", "head_conv"):
        text["layers"][layer]["float"] = True
    plan.write_text(json.dumps(text))
    check_bits(models("digits"), table("digits"), tmp_path, f"--bits={plan}")
    refused = run_tool(
        "quant-translate",
        models("digits").onnx,
        f"--calibration={table('digits')}",
        f"--bits={plan}",
        "--integer-only",
        "-o",
        tmp_path / "refused.so",
        check=False,
    )
    assert refused.returncode == 1 and "computes in float" in refused.stderr
    assert not (tmp_path / "refused.so").exists()


@pytest.mark.parametrize("target", ["generic", "avx2"])
@pytest.mark.parametrize("name", MODELS)
def test_integer_io(name, target, models, table, tmp_path):
    compared = check_bits(models(name), table(name), tmp_path, "--io=integer", "--integer-only", f"--target={target}")
    print(f"{name} --io=integer {target}: {compared} elements, 0 differing")


ENDINGS = [".so", ".o", ".ll", ".s", ".mlir"]


@pytest.mark.parametrize(
    "name, ending", [(name, ending) for name in MODELS for ending in ENDINGS if FULL or name == "digits" or ending == ".so"]
)
def test_same_compile_twice(name, ending, models, table, tmp_path):
    files = [tmp_path / folder / f"model{ending}" for folder in ("a", "b")]
    for file in files:
        file.parent.mkdir()
        run_tool("quant-translate", models(name).onnx, f"--calibration={table(name)}", "--bits=w4a8", "-o", file)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_saved_plan_and_table_give_the_same_library(models, table, tmp_path):
    model = models("digits")
    np.savez(tmp_path / "c.npz", image=model.calibration)
    run_tool(
        "quant-translate",
        model.onnx,
        f"--calibration={tmp_path / 'c.npz'}",
        "--weight-rounding=nearest",
        "--bits=w4a6",
        "--rounding=half_even",
        f"--save-plan={tmp_path / 'p.json'}",
        f"--save-calibration={tmp_path / 't.json'}",
        "-o",
        tmp_path / "a.so",
        "--name=m",
    )
    run_tool(
        "quant-translate",
        model.onnx,
        f"--calibration={tmp_path / 't.json'}",
        f"--bits={tmp_path / 'p.json'}",
        "-o",
        tmp_path / "b.so",
        "--name=m",
    )
    assert (tmp_path / "a.so").read_bytes() == (tmp_path / "b.so").read_bytes()
