#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The programs that speed.py compares: how each is made of a float model, and the process that runs it.

Run as a program it is such a process: it reads one JSON object a line on stdin and answers each with one on stdout.
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(os.environ.get("DYADIC_BIN", ROOT / "build" / "bin"))

Arrays = dict[str, np.ndarray]


@dataclass
class Rival:
    """A program to be timed."""

    name: str
    engine: str  # a key of ENGINES
    path: Path
    options: dict[str, str] = field(default_factory=dict)  # of ONNX Runtime's session
    reference: Path | None = None  # a module, whose interpreter must give the same outputs
    inputs: list[Arrays] = field(default_factory=list)  # samples; the first is timed


# Making programs.


def run_tool(tool: str, *arguments: object) -> None:
    command = [str(BIN / tool), *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        lines = (result.stdout + result.stderr).strip().splitlines() or [f"exit status {result.returncode}"]
        raise RuntimeError(f"{tool}: {lines[0]}")


def dyadic_rivals(
    model: Path, calibration: Path, folder: Path, targets: list[str], bits: str = "w8a8", integer: bool = False
) -> list[Rival]:
    """A library for each target. `integer`: its inputs and outputs are 8-bit integers."""
    table, plan, module = folder / "table.json", folder / f"{bits}.json", folder / f"dyadic_{bits}.mlir"
    arguments = [model, f"--calibration={table}"] + (["--io=integer"] if integer else [])
    if not table.exists():
        run_tool("quant-translate", model, f"--calibration={calibration}", f"--save-calibration={table}")
    run_tool("quant-translate", *arguments, f"--bits={bits}", f"--save-plan={plan}", "-o", module)
    if integer:  # outputs have 16 bits unless the plan says otherwise
        widths = json.loads(plan.read_text())
        for output in widths["outputs"].values():
            output["bits"] = 8
        plan.write_text(json.dumps(widths))
    run_tool("quant-translate", *arguments, f"--bits={plan}", "-o", module)
    rivals = []
    for target in targets:
        library = folder / f"dyadic_{bits}_{target}.so"
        run_tool("quant-translate", *arguments, f"--bits={plan}", f"--target={target}", "-o", library)
        rivals.append(Rival(f"dyadic {bits} {target}", "dyadic", library, reference=module))
    return rivals


def dyadic_float_rivals(model: Path, samples: list[Arrays], folder: Path, targets: list[str]) -> list[Rival]:
    """A library of the float program for each target."""
    module = folder / "dyadic_fp32.mlir"
    run_tool("quant-translate", model, "--float", "-o", module)
    rivals = []
    for target in targets:
        library = folder / f"dyadic_fp32_{target}.so"
        run_tool("quant-translate", model, "--float", f"--target={target}", "-o", library)
        rivals.append(Rival(f"dyadic fp32 {target}", "dyadic", library, reference=module, inputs=samples))
    return rivals


def mnn_rival(model: Path, samples: list[Arrays], folder: Path) -> Rival:
    """MNN's float program, made by its compiled converter: the wrapper around it installs packages."""
    path = folder / "mnn_fp32.mnn"
    convert = "import sys, _tools; _tools.mnnconvert(sys.argv)"
    arguments = ["-f", "ONNX", "--modelFile", str(model), "--MNNModel", str(path), "--bizCode", "benchmark"]
    result = subprocess.run([sys.executable, "-c", convert, *arguments], capture_output=True, text=True)
    if result.returncode != 0 or not path.exists():
        lines = (result.stdout + result.stderr).strip().splitlines() or [f"exit status {result.returncode}"]
        raise RuntimeError(f"mnnconvert: {lines[-1]}")
    import onnx

    names = json.dumps([output.name for output in onnx.load(model, load_external_data=False).graph.output])
    return Rival("mnn fp32", "mnn", path, {"outputs": names}, inputs=samples)


def openvino_int8(model: Path, samples: list[Arrays], folder: Path) -> Rival:
    """NNCF's default preset; inputs and outputs stay float."""
    import logging

    import nncf
    import openvino

    logging.getLogger("nncf").setLevel(logging.ERROR)
    network = openvino.Core().read_model(str(model))
    network.reshape({name: value.shape for name, value in samples[0].items()})
    network = nncf.quantize(network, nncf.Dataset(samples), subset_size=len(samples))
    path = folder / "openvino_int8.xml"
    openvino.save_model(network, str(path), compress_to_fp16=False)
    return Rival("openvino int8", "openvino", path, inputs=samples)


PRECISE = {"session.x64quantprecision": "1"}


def ort_int8(paths: dict[str, Path]) -> list[Rival]:
    """ONNX Runtime on Q/DQ models with signed and unsigned weights."""
    rivals = []
    for kind, path in paths.items():
        rivals.append(Rival(f"ort {kind}", "ort", path))
        if kind == "u8s8":
            rivals.append(Rival("ort u8s8 precise", "ort", path, PRECISE))
    return rivals


def quantize_network(model: Path, samples: list[Arrays], folder: Path, log: Callable[[str], None]) -> dict[str, Path]:
    """Q/DQ models with float inputs and outputs, by ONNX Runtime's quantizer.

    Signed weights are quantized per channel where that works, unsigned ones per tensor: ONNX Runtime has no fast
    depthwise convolution for unsigned weights per channel, and the faster rival is the one to compare with.
    """
    import onnxruntime.quantization as q
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(q.CalibrationDataReader):
        def __init__(self) -> None:
            self.samples = iter(samples)

        def get_next(self):
            return next(self.samples, None)

    prepared = folder / "prepared.onnx"
    quant_pre_process(str(model), str(prepared), skip_symbolic_shape=True)
    paths = {}
    for kind, weights in (("u8s8", q.QuantType.QInt8), ("u8u8", q.QuantType.QUInt8)):
        for per_channel in (True, False) if kind == "u8s8" else (False,):
            path = folder / f"ort_{kind}.onnx"
            try:
                q.quantize_static(
                    str(prepared),
                    str(path),
                    Reader(),
                    quant_format=q.QuantFormat.QDQ,
                    per_channel=per_channel,
                    activation_type=q.QuantType.QUInt8,
                    weight_type=weights,
                )
                for optimise in (True, False):  # some networks quantize, but do not run
                    ort_session(path, optimise=optimise).run(None, samples[0])
            except Exception as error:  # whatever the quantizer raises is its answer
                log(f"{kind} per_channel={per_channel}: {str(error).splitlines()[0][:150]}")
                continue
            paths[kind] = path
            break
    return paths


def quantize_layer(model: Path, samples: list[Arrays], folder: Path) -> dict[str, Path]:
    """Q/DQ models of a chain of layers with u8 inputs and outputs, so that ONNX Runtime makes QLinear operators.

    Weights per channel or per tensor as in `quantize_network`.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    float_model = onnx.load(model)
    nodes = float_model.graph.node
    weights = {w.name: numpy_helper.to_array(w) for w in float_model.graph.initializer}
    ranges = observe(float_model, samples)
    paths = {}
    for kind, zero in (("u8s8", 0), ("u8u8", 128)):
        made, constants = [], []

        def constant(name: str, values, dtype, constants=constants) -> str:
            constants.append(numpy_helper.from_array(np.asarray(values, dtype), name))
            return name

        for name, (low, high) in ranges.items():
            low, high = min(low, 0.0), max(high, 0.0)
            scale = np.float32((high - low) / 255)
            constant(f"{name}_scale", scale, np.float32)
            constant(f"{name}_zero", np.clip(np.rint(-low / scale), 0, 255), np.uint8)
        for node in nodes:
            x, y, w = node.input[0], node.output[0], weights[node.input[1]]
            axis = 0 if node.op_type == "Conv" else w.ndim - 1
            others = tuple(i for i in range(w.ndim) if i != axis)
            scales = np.abs(w).max(axis=others if kind == "u8s8" else None) / np.float32(127)
            shape = [-1 if i == axis else 1 for i in range(w.ndim)]
            values = np.rint(w / (scales.reshape(shape) if scales.ndim else scales)) + zero
            dtype = np.int8 if kind == "u8s8" else np.uint8
            w_inputs = [
                constant(f"{y}_w", values, dtype),
                constant(f"{y}_w_scale", scales, np.float32),
                constant(f"{y}_w_zero", np.full(scales.shape, zero), dtype),
            ]
            made.append(helper.make_node("DequantizeLinear", w_inputs, [f"{y}_w_real"], axis=axis))
            made.append(helper.make_node("DequantizeLinear", [f"{x}_u8", f"{x}_scale", f"{x}_zero"], [f"{x}_real"]))
            inputs = [f"{x}_real", f"{y}_w_real"]
            if len(node.input) > 2:
                x_scale = next(numpy_helper.to_array(c) for c in constants if c.name == f"{x}_scale")
                bias_scale = (scales * x_scale).astype(np.float32)
                bias = np.rint(weights[node.input[2]] / bias_scale)
                b_inputs = [
                    constant(f"{y}_b", bias, np.int32),
                    constant(f"{y}_b_scale", bias_scale, np.float32),
                    constant(f"{y}_b_zero", np.zeros(scales.shape), np.int32),
                ]
                made.append(helper.make_node("DequantizeLinear", b_inputs, [f"{y}_b_real"], axis=0))
                inputs.append(f"{y}_b_real")
            layer = helper.make_node(node.op_type, inputs, [f"{y}_exact"])
            layer.attribute.extend(node.attribute)
            made.append(layer)
            made.append(helper.make_node("QuantizeLinear", [f"{y}_exact", f"{y}_scale", f"{y}_zero"], [f"{y}_u8"]))
        shape = [d.dim_value for d in float_model.graph.input[0].type.tensor_type.shape.dim]
        graph = helper.make_graph(
            made,
            kind,
            [helper.make_tensor_value_info(f"{nodes[0].input[0]}_u8", TensorProto.UINT8, shape)],
            [helper.make_tensor_value_info(f"{nodes[-1].output[0]}_u8", TensorProto.UINT8, None)],
            constants,
        )
        paths[kind] = folder / f"ort_{kind}.onnx"
        onnx.save(helper.make_model(graph, opset_imports=list(float_model.opset_import), ir_version=8), paths[kind])
    return paths


def observe(model, samples: list[Arrays]) -> dict[str, tuple[float, float]]:
    """The least and the largest number of the input and of each node's output."""
    import onnx
    from onnx import helper

    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    names = [node.output[0] for node in model.graph.node]
    del copy.graph.output[:]
    copy.graph.output.extend(helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, None) for n in names)
    session = ort_session(copy.SerializeToString())
    ranges: dict[str, tuple[float, float]] = {}
    for sample in samples:
        for name, value in [*sample.items(), *zip(names, session.run(names, sample))]:
            low, high = ranges.get(name, (np.inf, -np.inf))
            ranges[name] = (min(low, float(value.min())), max(high, float(value.max())))
    return ranges


# Running them.


def ort_session(model: Path | bytes, options: dict[str, str] | None = None, optimise: bool = True):
    import onnxruntime as ort

    ort.set_default_logger_severity(4)  # errors are raised too
    settings = ort.SessionOptions()
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    if not optimise:
        settings.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    for key, value in (options or {}).items():
        settings.add_session_config_entry(key, value)
    source = model if isinstance(model, bytes) else str(model)
    return ort.InferenceSession(source, settings, providers=["CPUExecutionProvider"])


#: Runs once, in buffers that stay.
Runner = Callable[[], object]


def ort_runner(path: Path, options: dict[str, str], inputs: Arrays) -> Runner:
    """Inputs and outputs are bound, so that a run neither allocates nor converts."""
    session = ort_session(path, options)
    binding = session.io_binding()
    for name, value in inputs.items():
        binding.bind_cpu_input(name, value)
    names = [output.name for output in session.get_outputs()]
    for name in names:
        binding.bind_output(name)
    session.run_with_iobinding(binding)
    for name, value in zip(names, binding.get_outputs()):
        binding.bind_ortvalue_output(name, value)
    return lambda: session.run_with_iobinding(binding)


def aligned(size: int) -> np.ndarray:
    """Zeroed bytes at a multiple of 64."""
    memory = np.zeros(size + 64, np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start : start + size]


def dyadic_runner(path: Path, options: dict[str, str], inputs: Arrays) -> Runner:
    """Calls the C function itself: what Python's package adds to a call is not the program's."""
    import dyadic

    sys.path.append(str(ROOT / "test"))
    from abi import PARALLEL_FOR, Model

    program = dyadic.load(path)
    library = ctypes.CDLL(str(path))
    library.dyadic_open.restype = ctypes.POINTER(Model)
    message = ctypes.c_char_p()
    opened = library.dyadic_open(ctypes.byref(message))
    if not opened:
        raise RuntimeError((message.value or b"cannot be opened").decode())
    model = opened.contents
    batch = max([len(inputs[name]) for name, info in program.inputs.items() if info.shape and info.shape[0] == -1] + [1])
    buffers, arrays = [], {}
    for infos in (program.inputs, program.outputs):
        for name, info in infos.items():
            shape = [batch if size == -1 else size for size in info.shape]
            dtype = np.dtype(info.dtype)
            array = aligned(int(np.prod(shape)) * dtype.itemsize).view(dtype).reshape(shape)
            if name in inputs and infos is program.inputs:
                array[...] = inputs[name].reshape(shape)
            arrays[name] = array
            buffers.append(array.ctypes.data)
    count = model.num_inputs
    sources = (ctypes.c_void_p * count)(*buffers[:count])
    results = (ctypes.c_void_p * (len(buffers) - count))(*buffers[count:])
    workspace = aligned(max(1, model.workspace_size(batch, 1)))
    call, address, nobody = model.run, workspace.ctypes.data, PARALLEL_FOR()

    def run() -> None:
        status = call(sources, results, batch, address, 1, nobody, None)
        if status != 0:
            raise RuntimeError(f"status {status} of {path.name}")

    run.keep = (library, workspace, arrays)  # the buffers live as long as the function
    return run


def openvino_runner(path: Path, options: dict[str, str], inputs: Arrays) -> Runner:
    import openvino

    core = openvino.Core()
    network = core.read_model(str(path))
    network.reshape({name: value.shape for name, value in inputs.items()})
    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY"}
    request = core.compile_model(network, "CPU", settings).create_infer_request()
    for name, value in inputs.items():
        request.set_tensor(name, openvino.Tensor(value, shared_memory=True))
    return request.infer


def mnn_runner(path: Path, options: dict[str, str], inputs: Arrays) -> Runner:
    """The module interface: it takes and gives arrays as they are, the session's does not."""
    import MNN

    settings = {"backend": "CPU", "numThread": 1, "precision": "high"}
    manager = MNN.nn.create_runtime_manager((settings,))
    names = list(inputs)
    module = MNN.nn.load_module_from_file(str(path), names, json.loads(options["outputs"]), runtime_manager=manager)
    values = [MNN.expr.const(inputs[name], list(inputs[name].shape), MNN.expr.NCHW) for name in names]

    def run() -> None:
        for output in module.forward(values):
            output.read()  # else nothing is computed

    return run


def read_runner(path: Path, options: dict[str, str], inputs: Arrays) -> Runner:
    """No rival but a limit: the speed at which this machine reads what the int8 matrices take, from memory of its own,
    which may lie in huge pages, or from a file as a library's constants are."""
    words = int(options["bytes"]) // 8
    data = np.memmap(path, np.uint64, "r", shape=words) if options["from"] == "file" else np.ones(words, np.uint64)
    return data.sum


ENGINES = {
    "ort": ort_runner,
    "dyadic": dyadic_runner,
    "openvino": openvino_runner,
    "mnn": mnn_runner,
    "read": read_runner,
}


def serve() -> None:
    """Answers commands: {"engine", "path", ...} loads, {"runs"} times as many runs."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer

    def answer(value: dict[str, object]) -> None:
        print(json.dumps(value), file=answers, flush=True)

    run: Runner = lambda: None
    for line in sys.stdin:
        command = json.loads(line)
        try:
            if "engine" in command:
                with np.load(command["inputs"]) as data:
                    inputs = {name: np.ascontiguousarray(data[name]) for name in data.files}
                run = ENGINES[command["engine"]](Path(command["path"]), command["options"], inputs)
                run()
                answer({})
            else:
                times = []
                for _ in range(command["runs"]):
                    start = time.perf_counter_ns()
                    run()
                    times.append(time.perf_counter_ns() - start)
                answer({"times": times})
        except Exception as error:  # the other end reports it
            answer({"error": f"{type(error).__name__}: {error}"})


if __name__ == "__main__":
    serve()
