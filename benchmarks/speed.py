#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Speed of W8A8 and float programs next to ONNX Runtime, in turn on one core.

    speed.py                         every model that is found
    speed.py --models kws_dscnn resnet18 --rounds 9
    speed.py --layers                single layers (and with --models, models too)
    speed.py --models resnet20_cifar10 --batch 8
    speed.py --avx2                  rivals as on a CPU that has AVX2 and nothing newer

Each rival is a process of its own, which waits while another runs. In a round each runs once for --turn seconds, and
the median of its calls counts; ratios are of the same round. README.md says how to read the tables.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import mask_cpuid
import numpy as np
import onnx
import synthetic
from rivals import (
    ROOT,
    Arrays,
    Rival,
    dyadic_float_rivals,
    dyadic_rivals,
    mnn_rival,
    openvino_int8,
    ort_int8,
    ort_session,
    quantize_layer,
    quantize_network,
    run_tool,
)
from tables import markdown

SAMPLES = 16  # that calibrate
CHECKED = 4  # of them, the outputs of which are compared
BASE = "ort fp32"
#: Real models, by the names of evaluate.py of the shared tools.
REAL = {
    "squeezenet1.1": "squeezenet1.1",
    "mobilenet_v2_1.0": "mobilenet_v2_1.0",
    "ultraface_rfb320": "ultraface",
    "resnet20_cifar10": "resnet20",
    "kws_dscnn": "kws_dscnn",
    "mnist_opset1": "mnist",
}
MODELS = [*REAL, "digits", *synthetic.NETWORKS]


@dataclass
class Subject:
    """A float model that ONNX Runtime takes, the model as it is, and samples."""

    name: str
    model: Path
    original: Path
    samples: list[Arrays]
    origin: str


def log(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


# Models and samples.


def find(name: str, folder: Path, shared: Path) -> Subject:
    if name == "digits":
        path = ROOT / "examples" / "digits"
        with np.load(path / "calibration.npz") as data:
            images = data["image"][:SAMPLES].astype(np.float32)
        model = path / "digits.onnx"
        return Subject(name, model, model, [{"image": image[None]} for image in images], "bundled")
    if name in REAL:
        spec = importlib.util.spec_from_file_location("evaluate", shared / "tools" / "evaluate.py")
        if spec is None or not (shared / "tools" / "evaluate.py").exists():
            raise RuntimeError(f"needs evaluate.py in {shared.name}/tools")
        evaluate = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(evaluate)
        task = evaluate.TASKS[REAL[name]]
        samples = list(task.calib(SAMPLES))
        return Subject(name, Path(evaluate.ort_model(task.model, str(folder))), Path(task.model), samples, "real")
    model = (synthetic.NETWORKS | synthetic.LAYERS)[name]()
    path = folder / "model.onnx"
    onnx.save(model, path)
    shape = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim]
    random = np.random.default_rng(1)
    samples = [{"x": random.standard_normal(shape, np.float32)} for _ in range(SAMPLES)]
    return Subject(name, path, path, samples, "synthetic")


def symbolic_batch(model: Path, path: Path) -> Path:
    """The model with a first dimension of any size, written to `path`, or itself where it has that already."""
    network = onnx.load(model)
    constants = {tensor.name for tensor in network.graph.initializer}
    inputs = [value for value in network.graph.input if value.name not in constants]
    if all(value.type.tensor_type.shape.dim[0].dim_param for value in inputs):
        return model
    for value in [*inputs, *network.graph.output]:
        value.type.tensor_type.shape.dim[0].dim_param = "N"
    del network.graph.value_info[:]
    for tensor in network.graph.initializer:  # a reshape to one sample is one to as many as there are
        if any(node.op_type == "Reshape" and node.input[1] == tensor.name for node in network.graph.node):
            sizes = onnx.numpy_helper.to_array(tensor).copy()
            if sizes.size > 1 and sizes[0] == 1 and -1 not in sizes:
                sizes[0] = -1
                tensor.CopyFrom(onnx.numpy_helper.from_array(sizes, tensor.name))
    onnx.save(network, path)
    return path


def save_samples(path: Path, samples: list[Arrays]) -> None:
    """A list of whole inputs: one axis more than an input."""
    np.savez(path, **{name: np.stack([sample[name] for sample in samples]) for name in samples[0]})


def integer_inputs(name: str, samples: list[Arrays], bits: int = 8) -> list[Arrays]:
    """Numbers of `bits` bits around their middle for a layer, the same for all rivals."""
    arrays = [next(iter(sample.values())) for sample in samples]
    numbers = [np.clip(np.rint(array * 32 + 128), 0, 255).astype(np.uint8) for array in arrays]
    return [{name: array >> (8 - bits)} for array in numbers]


def float_rivals(subject: Subject, folder: Path, targets: list[str]) -> list[Rival]:
    rivals = [Rival(BASE, "ort", subject.model, inputs=subject.samples)]
    if importlib.util.find_spec("openvino"):
        rivals.append(Rival("openvino fp32", "openvino", subject.model, inputs=subject.samples))
    if importlib.util.find_spec("MNN"):
        try:
            rivals.append(mnn_rival(subject.model, subject.samples, folder))
        except RuntimeError as error:
            log(f"{subject.name}: {error}")
    try:
        rivals += dyadic_float_rivals(subject.original, subject.samples, folder, targets)
    except RuntimeError as error:
        log(f"{subject.name}: dyadic fp32: {error}")
    return rivals


def make_rivals(subject: Subject, folder: Path, targets: list[str], widths: list[str]) -> list[Rival]:
    """What can be made of the model; says what cannot."""
    is_layer = subject.name in synthetic.LAYERS
    if subject.name.startswith("depthwise"):  # these have no kernels for narrow weights
        widths = ["w8a8"]
    rivals = float_rivals(subject, folder, targets)
    quantize = quantize_layer if is_layer else lambda *arguments: quantize_network(*arguments, log)
    try:
        rivals += ort_int8(quantize(subject.model, subject.samples, folder))
    except Exception as error:  # a missing rival is reported, not fatal
        log(f"{subject.name}: ONNX Runtime int8: {error}")
    if not is_layer and importlib.util.find_spec("nncf"):
        try:
            rivals.append(openvino_int8(subject.model, subject.samples, folder))
        except Exception as error:  # whatever NNCF raises is its answer
            log(f"{subject.name}: OpenVINO int8: {str(error).splitlines()[0][:150]}")
    calibration = folder / "samples.npz"
    save_samples(calibration, subject.samples)
    for bits in widths:
        try:
            rivals += dyadic_rivals(subject.original, calibration, folder, targets, bits, is_layer)
        except RuntimeError as error:
            log(f"{subject.name}: dyadic {bits}: {error}")
    for rival in rivals:
        if not rival.inputs:
            names = {"ort": "x_u8", "dyadic": "x"}
            bits = 4 if "a4 " in rival.name else 8
            rival.inputs = integer_inputs(names[rival.engine], subject.samples, bits) if is_layer else subject.samples
    if subject.name.startswith("matvec"):  # an int8 weight for each MAC
        size = str(synthetic.macs(onnx.load(subject.model)))
        for source in ("memory", "file"):
            options = {"bytes": size, "from": source}
            rivals.append(Rival(f"{source} read", "read", subject.model, options, inputs=subject.samples))
    return rivals


# Exactness.


def check(rival: Rival, folder: Path) -> dict[str, float] | None:
    """How far outputs are from exact arithmetic: in steps of their quantization, and the part half a step off or more.

    ONNX Runtime is compared with the same Q/DQ model without graph optimizations, which computes in float between Q and
    DQ; Dyadic with the reference interpreter, bit for bit. None: nothing to compare.
    """
    samples = rival.inputs[:CHECKED]
    if rival.engine == "dyadic":
        import dyadic

        program = dyadic.load(rival.path)
        inputs, outputs = folder / "inputs.npz", folder / "outputs.npz"
        save_samples(inputs, samples)
        run_tool("quant-run", rival.reference, "--reference", f"--inputs={inputs}", f"--outputs={outputs}")
        found = [program.run(sample) for sample in samples]
        with np.load(outputs) as data:
            pairs = [(np.concatenate([f[n].ravel() for f in found]), data[n].ravel()) for n in program.outputs]
        steps = [1.0 if np.issubdtype(exact.dtype, np.integer) else None for _, exact in pairs]
    elif rival.engine == "ort" and rival.name != BASE:
        session, plain = ort_session(rival.path, rival.options), ort_session(rival.path, optimise=False)
        names = [output.name for output in session.get_outputs()]
        found = [session.run(names, sample) for sample in samples]
        expected = [plain.run(names, sample) for sample in samples]
        pairs = [tuple(np.concatenate([o[i].ravel() for o in r]) for r in (found, expected)) for i in range(len(names))]
        model = onnx.load(rival.path)
        steps = [output_step(model, name, exact) for name, (_, exact) in zip(names, pairs)]
    else:
        return None
    if all(np.array_equal(a, b) for a, b in pairs):
        return {"steps": 0.0, "part": 0.0}
    errors = [np.abs(a.astype(np.float64) - b) / (s or spread_step(b)) for (a, b), s in zip(pairs, steps)]
    errors = np.concatenate(errors)
    # Float operations after the last quantization make differences of a last bit, which are no step.
    return {"steps": float(errors.max()), "part": float(np.mean(errors >= 0.5))}


def output_step(model: onnx.ModelProto, name: str, exact: np.ndarray) -> float:
    """The scale of a quantized output; 1 for stored integers."""
    if np.issubdtype(exact.dtype, np.integer):
        return 1.0
    scales = {w.name: w for w in model.graph.initializer}
    for node in model.graph.node:
        if name in node.output and node.op_type == "DequantizeLinear":
            return float(onnx.numpy_helper.to_array(scales[node.input[1]]).max())
    return spread_step(exact)  # float operations follow


def spread_step(values: np.ndarray) -> float:
    """The step with which 8 bits would hold the values."""
    return max(float(values.max() - values.min()), 1e-30) / 255


# Timing.


class Worker:
    """The process of a rival."""

    def __init__(self, rival: Rival, folder: Path, core: int, batch: int) -> None:
        inputs = folder / "timed.npz"
        timed = [rival.inputs[i % len(rival.inputs)] for i in range(batch)]
        np.savez(inputs, **{name: np.concatenate([sample[name] for sample in timed]) for name in timed[0]})
        environment = os.environ | {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
        self.name = rival.name
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("rivals.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        try:
            os.sched_setaffinity(self.process.pid, {core})
            self.ask(engine=rival.engine, path=str(rival.path), options=rival.options, inputs=str(inputs))
            self.runs = 3
        except BaseException:
            self.close()
            raise

    def ask(self, **command) -> dict:
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        answer = json.loads(line) if line else {"error": f"ended with status {self.process.wait()}"}
        if "error" in answer:
            raise RuntimeError(f"{self.name}: {answer['error']}")
        return answer

    def take_turn(self) -> float:
        """Seconds of a run: the median of one turn."""
        return statistics.median(self.ask(runs=self.runs)["times"]) / 1e9

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def measure(rivals: list[Rival], folder: Path, options: argparse.Namespace) -> dict[str, list[float]]:
    """Seconds of each rival for each round."""
    workers: list[Worker] = []
    try:
        for rival in rivals:
            try:
                workers.append(Worker(rival, folder, options.core, options.batch))
            except RuntimeError as error:
                log(str(error))
        for worker in workers:  # warm up, and learn how many runs make a turn
            worker.runs = max(3, min(5000, round(options.turn / worker.take_turn())))
            worker.take_turn()
        times: dict[str, list[float]] = {worker.name: [] for worker in workers}
        for i in range(options.rounds):
            shift = i % len(workers)  # nobody always follows the same neighbour's state of caches and clock
            for worker in workers[shift:] + workers[:shift]:
                times[worker.name].append(worker.take_turn())
        return times
    finally:
        for worker in workers:
            worker.close()


def benchmark(name: str, options: argparse.Namespace) -> dict:
    folder = Path(tempfile.mkdtemp(prefix=f"speed-{name}-"))
    try:
        subject = find(name, folder, options.shared)
        if options.batch > 1:
            subject.model = symbolic_batch(subject.model, folder / "batched.onnx")
            subject.original = symbolic_batch(subject.original, folder / "batched_original.onnx")
        if options.fp32:
            rivals = float_rivals(subject, folder, options.targets)
        else:
            rivals = make_rivals(subject, folder, options.targets, options.bits)
        exactness = {}
        for rival in rivals:
            try:
                exactness[rival.name] = check(rival, folder)
            except Exception as error:  # the time is still worth having
                log(f"{name}: {rival.name}: not compared: {error}")
        times = measure(rivals, folder, options)
        count = synthetic.macs(onnx.load(subject.model)) if name in synthetic.LAYERS else None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    base = times[BASE]
    rows = {}
    for rival, seconds in times.items():
        ratios = [b / s for b, s in zip(base, seconds)]
        rows[rival] = {
            "seconds": seconds,
            "median_seconds": statistics.median(seconds),
            "ratio": statistics.median(ratios),
            "ratio_least": min(ratios),
            "ratio_most": max(ratios),
            "difference": exactness.get(rival),
        }
        if count is not None:
            rows[rival]["gops"] = 2 * count / statistics.median(seconds) / 1e9
    return {"name": name, "origin": subject.origin, "rivals": rows}


def cpu_name() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    flags = next((set(line.split()) for line in lines if line.startswith("flags")), set())
    units = [name for name in ("avx2", "avx_vnni", "avx512_vnni") if name in flags]
    return f"{names[0] if names else 'unknown CPU'} ({', '.join(units) or 'no AVX2'})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=None, metavar="NAME", help=f"of {', '.join(MODELS)}")
    parser.add_argument("--layers", nargs="*", default=None, metavar="NAME", help=f"of {', '.join(synthetic.LAYERS)}")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--turn", type=float, default=0.2, help="seconds of a rival's turn in a round")
    parser.add_argument("--targets", default=None, help="of Dyadic, separated by commas (avx2,native)")
    parser.add_argument("--avx2", action="store_true", help="rivals, and by default Dyadic, use nothing newer than AVX2")
    parser.add_argument("--bits", default="w8a8", help="of Dyadic, separated by commas, as w8a8,w4a8,w4a4")
    parser.add_argument("--batch", type=int, default=1, help="samples of a call; models get a symbolic batch for more")
    parser.add_argument("--fp32", action="store_true", help="only float programs")
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)))
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared", help="where real models are")
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    names = options.models if options.models is not None else ([] if options.layers is not None else MODELS)
    if options.layers is not None:
        names = [*names, *(options.layers or synthetic.LAYERS)]
    unknown = [name for name in names if name not in [*MODELS, *synthetic.LAYERS]]
    if unknown or min(options.rounds, options.batch) < 1 or options.turn <= 0:
        parser.error(f"unknown: {', '.join(unknown)}" if unknown else "--rounds, --batch and --turn must be positive")
    if options.avx2 and "DYADIC_MASKED" not in os.environ:
        try:
            masked = mask_cpuid.environment(ROOT / "build" / "avx2-rivals")
        except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
            parser.error(f"--avx2: {error}")
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | masked | {"DYADIC_MASKED": "1"})
    options.targets = (options.targets or ("avx2" if options.avx2 else "avx2,native")).split(",")
    options.bits = options.bits.split(",")
    os.sched_setaffinity(0, {options.core})  # preparing takes this core only, too
    for module, rival in (("openvino", "OpenVINO"), ("nncf", "OpenVINO's int8, which NNCF makes,"), ("MNN", "MNN")):
        if not importlib.util.find_spec(module):
            log(f"skipped: {rival} is not installed")
    log("skipped: LiteRT, whose models need a converter with TensorFlow")

    import onnxruntime

    onnxruntime.set_default_logger_severity(4)  # errors are raised too
    result: dict = {
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "onnxruntime": onnxruntime.__version__,
        "rounds": options.rounds,
        "turn_seconds": options.turn,
        "batch": options.batch,
        "avx2": options.avx2,
        "load_before": os.getloadavg()[0],
        "subjects": [],
    }
    for name in names:
        try:
            result["subjects"].append(benchmark(name, options))
            log(f"{name}: done")
        except Exception as error:  # others are still measured
            log(f"{name}: skipped: {error}")
        result["load_after"] = os.getloadavg()[0]
    text = markdown(result)
    print(text)
    if options.markdown:
        options.markdown.write_text(text + "\n")
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
