#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Accuracy of W8A8 programs next to ONNX Runtime and OpenVINO, compared sample by sample.

Networks, data and metrics are those of evaluate.py of the shared tools; every compiler calibrates on the same samples.

    accuracy.py run --compiler COMPILER [--folder FOLDER] [TASK...]   the outputs for every sample, in FOLDER/TASK/*.npz
    accuracy.py table [--folder FOLDER] [TASK...]                     a table in Markdown of what is in FOLDER

COMPILER is `dyadic`, `ort` (ONNX Runtime) or `openvino` (NNCF and OpenVINO). Each imports only what it needs, so that
each can have a Python environment of its own. `ort` goes first: it writes float's outputs, which the table needs,
and converted copies of models that are too old for the others.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import math
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
#: Samples that calibrate: evaluate.py gives its peers as many.
SAMPLES = 100
TASKS = ["kws_dscnn", "resnet20", "mnist", "squeezenet1.1", "mobilenet_v2_1.0", "ultraface"]
METHODS = ["minmax", "mse", "percentile", "entropy"]

Runner = Callable[[dict[str, np.ndarray]], "dict[str, np.ndarray] | Sequence[np.ndarray]"]
#: A name for the table, and what makes the program.
Configuration = tuple[str, Callable[[], Runner]]


def load_evaluate(path: Path):
    """The module evaluate.py."""
    spec = importlib.util.spec_from_file_location("evaluate", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# The compilers: each yields configurations, from which outputs are saved.


def dyadic_configurations(task, model: str) -> Iterator[Configuration]:
    import dyadic

    def compile(method: str) -> Runner:
        return dyadic.compile(task.model, calibration=task.calib(SAMPLES), calibration_method=method, weight_rounding="nearest").run

    for method in METHODS:
        yield f"dyadic {method}", lambda method=method: compile(method)


def ort_configurations(task, model: str, evaluate) -> Iterator[Configuration]:
    """Every choice of evaluate.py's peer: as ONNX Runtime runs it, and with the exact meaning of its Q/DQ nodes."""
    import onnxruntime.quantization as q
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(q.CalibrationDataReader):
        def __init__(self) -> None:
            self.samples = task.calib(SAMPLES)

        def get_next(self):
            return next(self.samples, None)

    def quantize(weights, method, per_channel: bool) -> str:
        prepared, quantized = f"{folder}/prepared.onnx", f"{folder}/quantized.onnx"
        quant_pre_process(model, prepared, skip_symbolic_shape=True)
        q.quantize_static(
            prepared,
            quantized,
            Reader(),
            quant_format=q.QuantFormat.QDQ,
            per_channel=per_channel,
            activation_type=q.QuantType.QUInt8,
            weight_type=weights,
            calibrate_method=method,
        )
        return quantized

    yield "float", lambda: evaluate.ort_runner(model)
    with tempfile.TemporaryDirectory() as folder:
        kinds = itertools.product([q.QuantType.QInt8, q.QuantType.QUInt8], ["MinMax", "Entropy", "Percentile"])
        for weights, method in kinds:
            for per_channel in (True, False):
                try:
                    path = quantize(weights, q.CalibrationMethod[method], per_channel)
                    for exact in (False, True):  # some networks quantize, but do not run
                        evaluate.ort_runner(path, exact)(next(task.calib(1)))
                except Exception as error:
                    print(f"{task.name}: {weights} {method} per_channel={per_channel}: {error}", file=sys.stderr)
                    continue
                name = f"ort u8{'s8' if weights == q.QuantType.QInt8 else 'u8'} {method.lower()}"
                name += "" if per_channel else " per tensor"
                for exact in (False, True):
                    how = "exact" if exact else "as run"
                    yield f"{name} {how}", lambda path=path, exact=exact: evaluate.ort_runner(path, exact)
                break


def openvino_configurations(task, model: str) -> Iterator[Configuration]:
    """Both presets of NNCF; float operations in 32 bits, so that only the quantization is measured."""
    import nncf
    import openvino

    def quantize(preset) -> Runner:
        core = openvino.Core()
        network = core.read_model(model)
        names = [port.any_name for port in network.inputs]
        # A batch of one, as the samples have.
        network.reshape({port: next(task.calib(1))[name].shape for port, name in zip(network.inputs, names)})
        samples = list(task.calib(SAMPLES))
        network = nncf.quantize(network, nncf.Dataset(samples), preset=preset, subset_size=len(samples))
        compiled = core.compile_model(network, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        return lambda inputs: [value.copy() for value in compiled(inputs).to_tuple()]

    for preset in (nncf.QuantizationPreset.PERFORMANCE, nncf.QuantizationPreset.MIXED):
        try:
            program = quantize(preset)
        except Exception as error:
            print(f"{task.name}: openvino {preset.value}: {error}", file=sys.stderr)
            continue
        yield f"openvino {preset.value}", lambda program=program: program


def model_of(task, folder: Path, evaluate) -> str:
    """The model that the peers take: a converted copy where it is too old for them."""
    converted = folder / "converted.onnx"
    if not converted.exists():
        if importlib.util.find_spec("onnx") is None:
            return task.model
        return evaluate.ort_model(task.model, str(folder))
    return str(converted)


def run(options: argparse.Namespace, evaluate) -> None:
    """Saves the outputs of all configurations of a compiler."""
    for task in (evaluate.TASKS[name] for name in options.tasks):
        folder = options.folder / task.name
        folder.mkdir(parents=True, exist_ok=True)
        model = model_of(task, folder, evaluate)
        configurations = {
            "dyadic": lambda: dyadic_configurations(task, model),
            "ort": lambda: ort_configurations(task, model, evaluate),
            "openvino": lambda: openvino_configurations(task, model),
        }[options.compiler]()
        for name, make in configurations:
            outputs = task.outputs(make())
            arrays = {f"o{k}": np.stack([sample[k] for sample in outputs]) for k in range(len(outputs[0]))}
            np.savez(folder / f"{name}.npz", **arrays)
            print(f"{task.name}: {name}", flush=True)


# The table.

#: A sample's own figures: right or wrong, equal to float's or not. ultraface has no labels, but faces.
RIGHT, AGREES = ("top1", "acc"), ("faces_matched", "agree")


def pick(figures: dict[str, float], names: Sequence[str]) -> float:
    """The first of `names` that a network has, or NaN."""
    return next((figures[name] for name in names if name in figures), math.nan)


class Row:
    """One configuration's figures, of all samples and of each."""

    def __init__(self, task, name: str, outputs: list, reference: list) -> None:
        items = task.items()
        self.name = name
        self.all = {**task.score(outputs, items), **task.compare(outputs, reference, items)}
        self.right, self.agrees = [], []
        for output, expected, item in zip(outputs, reference, items):
            self.right.append(pick(task.score([output], [item]), RIGHT))
            self.agrees.append(pick(task.compare([output], [expected], [item]), AGREES))

    @property
    def is_exact_peer(self) -> bool:
        return self.name.startswith("ort") and self.name.endswith("exact")

    @property
    def sqnr(self) -> float:
        return self.all["sqnr_db"]


def paired(ours: list[float], theirs: list[float]) -> tuple[float, float]:
    """The mean difference of two programs on the same samples, and its standard error."""
    difference = np.array(ours) - np.array(theirs)
    return difference.mean(), difference.std(ddof=1) / math.sqrt(len(difference))


def difference(ours: list[float], theirs: list[float]) -> str:
    mean, error = paired(ours, theirs)
    return "" if math.isnan(mean) else f"{mean:+.2f} ± {error:.2f}"


def read(path: Path) -> list[list[np.ndarray]]:
    with np.load(path) as file:
        return [list(sample) for sample in zip(*(file[f"o{k}"] for k in range(len(file.files))))]


def cell(figures: dict[str, float], names: Sequence[str]) -> str:
    value = pick(figures, names)
    return "" if math.isnan(value) else f"{value:.0f}" if "faces_matched" in figures else f"{value:.2f}"


def print_task(task, folder: Path) -> None:
    reference = read(folder / "float.npz")
    paths = sorted(path for path in folder.glob("*.npz") if path.stem != "float")
    rows = [Row(task, path.stem, read(path), reference) for path in paths]
    peers = [row for row in rows if row.is_exact_peer]
    # The best by each figure; where two are level, the one that is nearer to float.
    by_right, by_agrees = (
        max(peers, key=lambda row, figure=figure: (np.nan_to_num(np.mean(getattr(row, figure))), row.sqnr))
        for figure in ("right", "agrees")
    )
    best_sqnr = max(row.sqnr for row in peers)
    faces = "faces_float" in rows[0].all
    scores = task.score(reference, task.items())
    print(f"## {task.name}\n\n{len(reference)} samples; ", end="")
    right = f"{pick(scores, RIGHT):.2f}% right"
    print(f"float finds {rows[0].all['faces_float']} faces" if faces else f"float: {right}", end="")
    print(f". Best exact ONNX Runtime: `{by_agrees.name}` by agreement", end="")
    print("" if faces else f", `{by_right.name}` by right answers", end="")
    print(f"; {best_sqnr:.2f} dB.\n")
    unit = "faces as float" if faces else "as float (%)"
    print(f"| program | right (%) | paired | {unit} | paired | SQNR (dB) | difference |\n|---|--:|--:|--:|--:|--:|--:|")
    for row in rows:
        right, agrees = difference(row.right, by_right.right), difference(row.agrees, by_agrees.agrees)
        figures = [cell(row.all, RIGHT), right, cell(row.all, AGREES), agrees]
        print(f"| {row.name} | {' | '.join(figures)} | {row.sqnr:.2f} | {row.sqnr - best_sqnr:+.2f} |")
    print(flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["run", "table"])
    parser.add_argument("tasks", nargs="*", default=TASKS, metavar="TASK", help=f"default: {' '.join(TASKS)}")
    parser.add_argument("--compiler", choices=["dyadic", "ort", "openvino"])
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "accuracy", help="default: build/accuracy")
    parser.add_argument("--evaluate", type=Path, default=ROOT.parent / "shared" / "tools" / "evaluate.py")
    options = parser.parse_intermixed_args()
    evaluate = load_evaluate(options.evaluate)
    if options.command == "table":
        for name in options.tasks:
            print_task(evaluate.TASKS[name], options.folder / name)
    elif options.compiler is None:
        parser.error("run needs --compiler")
    else:
        run(options, evaluate)


if __name__ == "__main__":
    main()
