# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random small graphs with extreme weights.

The float program agrees with ONNX Runtime; reference, JIT and library agree in every
bit of every value. A refusal (an accumulator that could overflow) is fine if it is one
clear error.
"""

from __future__ import annotations

import json
import os

import dyadic
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from conftest import run_tool
from test_bits import compare

COUNT = 400 if os.environ.get("DYADIC_CONFORMANCE") == "full" else 60


class Graph:
    """Grows a graph node by node; `values` are [1, C, ...] tensors that may be read again."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.rank = int(self.rng.integers(1, 3))
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        size = [int(self.rng.integers(5, 10)) for _ in range(self.rank)]
        self.inputs = {"x": (1, int(self.rng.integers(1, 5)), *size)}
        if self.rng.random() < 0.3:
            self.inputs["u"] = self.inputs["x"]
        self.values = dict(self.inputs)
        self.tolerance = 1e-4  # of the float program, of the largest output

    def pick(self, *options):
        return options[int(self.rng.integers(len(options)))]

    def constant(self, array: np.ndarray) -> str:
        name = f"c{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(array, name))
        return name

    def weights(self, shape: tuple[int, ...]) -> np.ndarray:
        """Ordinary, or extreme in one of several ways."""
        w = self.rng.standard_normal(shape).astype(np.float32)
        kind = self.pick("plain", "plain", "equal", "signs", "zero channel", "one huge", "tiny", "subnormal")
        if kind == "equal":
            w[:] = self.pick(1.0, -1.0, 0.01)
        elif kind == "signs":
            w = np.where(np.indices(shape).sum(0) % 2 == 0, 1.0, -1.0).astype(np.float32)
        elif kind == "zero channel":
            w[0] = 0
        elif kind == "one huge":
            w.flat[int(self.rng.integers(w.size))] = 1000
        elif kind == "tiny":
            w *= np.float32(1e-20)
        elif kind == "subnormal":
            w[0] = np.float32(1e-41)
        return w

    def add(self, op: str, inputs: list[str], shape: tuple[int, ...], **attributes: object) -> None:
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], name=f"n{len(self.nodes)}", **attributes))
        self.values[name] = shape

    def spatial(self) -> str:
        return self.pick(*[n for n, s in self.values.items() if len(s) == self.rank + 2])

    def window(self, shape: tuple[int, ...], limit: int = 3) -> tuple[dict, tuple[int, ...], list[int]]:
        kernel = [int(self.rng.integers(1, min(limit, s) + 1)) for s in shape[2:]]
        pads = [int(self.rng.integers(0, k)) for k in kernel * 2]
        strides = [int(self.rng.integers(1, 3)) for _ in kernel]
        out = [(s + pads[d] + pads[d + self.rank] - k) // st + 1 for d, (s, k, st) in enumerate(zip(shape[2:], kernel, strides))]
        return {"pads": pads, "strides": strides, "kernel_shape": kernel}, tuple(out), kernel

    def conv(self) -> None:
        x = self.spatial()
        channels = self.values[x][1]
        group = self.pick(1, 1, channels)
        filters = group * int(self.rng.integers(1, 4))
        attributes, out, kernel = self.window(self.values[x])
        inputs = [x, self.constant(self.weights((filters, channels // group, *kernel)))]
        if self.rng.random() < 0.7:
            size = self.pick(1, 1, 1e6)
            if size > 1:
                self.tolerance = 0.1  # what cancels such a bias leaves few bits in f32
            bias = self.rng.standard_normal(filters).astype(np.float32) * np.float32(size)
            inputs.append(self.constant(bias))
        self.add("Conv", inputs, (1, filters, *out), group=group, **attributes)

    def pool(self) -> None:
        x = self.spatial()
        attributes, out, _ = self.window(self.values[x])
        op = self.pick("MaxPool", "AveragePool")
        if op == "AveragePool":
            attributes["count_include_pad"] = self.pick(0, 1)
        self.add(op, [x], (*self.values[x][:2], *out), **attributes)

    def activation(self) -> None:
        x = self.pick(*self.values)
        if self.rng.random() < 0.5:
            self.add("Relu", [x], self.values[x])
        else:
            low, high = self.pick((0.0, 6.0), (-1.0, 1.0), (0.5, 2.0), (-3.0, -0.25))
            bounds = [self.constant(np.float32(b)) for b in (low, high)]
            self.add("Clip", [x, *bounds], self.values[x])

    def sum(self) -> None:
        x = self.pick(*self.values)
        y = self.pick(*[n for n, s in self.values.items() if s == self.values[x]])
        self.add("Add", [x, y], self.values[x])

    def norm(self) -> None:
        x = self.spatial()
        c = self.values[x][1]
        rows = [self.rng.standard_normal(c), self.rng.standard_normal(c), self.rng.standard_normal(c), self.rng.random(c) + 0.1]
        self.add("BatchNormalization", [x, *[self.constant(r.astype(np.float32)) for r in rows]], self.values[x])

    def move(self) -> None:
        x = self.pick(*self.values)
        shape = self.values[x]
        axis = len(shape) - 1
        kind = self.pick("pad", "slice", "transpose", "concat")
        if kind == "pad":
            pads = [0] * (2 * len(shape))
            pads[axis], pads[-1] = 1, 2
            value = self.constant(np.float32(self.pick(0.0, 0.5)))
            self.add("Pad", [x, self.constant(np.array(pads, np.int64)), value], (*shape[:-1], shape[-1] + 3))
        elif kind == "slice" and shape[-1] >= 3:
            start, end, step = self.pick((1, 1 << 40, 2), (-1, -(1 << 40), -2), (0, -1, 1))
            out = len(range(shape[-1])[slice(start, end, step)])
            arrays = [np.array([v], np.int64) for v in (start, end, axis, step)]
            self.add("Slice", [x, *[self.constant(a) for a in arrays]], (*shape[:-1], out))
        elif kind == "transpose" and self.rank == 2 and len(shape) == 4:
            self.add("Transpose", [x], (shape[0], shape[1], shape[3], shape[2]), perm=[0, 1, 3, 2])
        elif kind == "concat":
            y = self.pick(*[n for n, s in self.values.items() if s[0] == shape[0] and s[2:] == shape[2:]])
            self.add("Concat", [x, y], (1, shape[1] + self.values[y][1], *shape[2:]), axis=1)

    def head(self) -> None:
        x = self.spatial()
        self.add("Flatten", [x], (1, int(np.prod(self.values[x]))), axis=1)
        x, shape = list(self.values.items())[-1]
        self.add("Gemm", [x, self.constant(self.weights((5, shape[1]))), self.constant(self.weights((5,)))], (1, 5), transB=1)
        if self.rng.random() < 0.4:
            self.add("Softmax", [list(self.values)[-1]], (1, 5), axis=1)
            self.tolerance = 0.1  # scores in the thousands amplify the last bits of both

    def build(self) -> onnx.ModelProto:
        for _ in range(int(self.rng.integers(3, 9))):
            self.pick(self.conv, self.conv, self.pool, self.activation, self.activation, self.sum, self.sum, self.norm, self.move)()
        self.head()
        made = [n.output[0] for n in self.nodes]
        outputs = sorted({made[-1], *self.rng.choice(made, int(self.rng.integers(0, 3)))})
        infos = [[helper.make_tensor_value_info(n, TensorProto.FLOAT, self.values[n]) for n in names] for names in (self.inputs, outputs)]
        graph = helper.make_graph(self.nodes, "random", *infos, self.initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model)
        return model


def check_float(folder, samples: dict[str, np.ndarray], tolerance: float) -> None:
    run_tool("quant-translate", folder / "m.onnx", "--float", "-o", folder / "f.so")
    session = onnxruntime.InferenceSession(str(folder / "m.onnx"), providers=["CPUExecutionProvider"])
    program = dyadic.load(folder / "f.so")
    for i in range(3):
        sample = {name: array[i : i + 1] for name, array in samples.items()}
        found = program.run(sample)
        for output, expected in zip(session.get_outputs(), session.run(None, sample)):
            assert np.abs(found[output.name] - expected).max() <= tolerance * max(np.abs(expected).max(), 1e-30), output.name


def random_plan(folder, rng: np.random.Generator) -> None:
    plan = json.loads((folder / "plan.json").read_text())
    for layer in plan["layers"].values():
        layer["weights"], layer["float"] = int(rng.integers(2, 9)), bool(rng.random() < 0.1)
        del layer["activations"]
    for value in plan["values"].values():
        if value["bits"] == 15:  # a softmax
            continue
        value["bits"], value["signed"] = int(rng.integers(2, 13)), bool(rng.random() < 0.5)
    plan["adds"] = {name: add for name, add in plan["adds"].items() if rng.random() < 0.5 and add["operand"] == "value"}
    (folder / "plan.json").write_text(json.dumps(plan))


@pytest.mark.parametrize("seed", range(COUNT))
def test_random_graph(seed, tmp_path):
    graph = Graph(seed)
    onnx.save(graph.build(), tmp_path / "m.onnx")
    samples = {n: graph.rng.standard_normal((12, *shape[1:])).astype(np.float32) for n, shape in graph.inputs.items()}
    np.savez(tmp_path / "c.npz", **samples)
    check_float(tmp_path, samples, graph.tolerance)

    width = f"w{graph.rng.integers(2, 9)}a{graph.rng.integers(2, 17)}"
    options = [tmp_path / "m.onnx", "--name=m", f"--rounding={graph.pick('half_up', 'half_even')}", f"--io={graph.pick('float', 'integer')}"]
    table = f"--calibration={tmp_path / 't.json'}"
    first = run_tool("quant-translate", *options, f"--calibration={tmp_path / 'c.npz'}", f"--bits={width}", "-o", tmp_path / "p.mlir",
                     f"--save-calibration={tmp_path / 't.json'}", f"--save-plan={tmp_path / 'plan.json'}", check=False)
    if first.returncode == 0 and seed % 2:
        random_plan(tmp_path, graph.rng)
        width = str(tmp_path / "plan.json")
        first = run_tool("quant-translate", *options, table, f"--bits={width}", "-o", tmp_path / "p.mlir", check=False)
    if first.returncode != 0:
        assert first.returncode == 1 and first.stderr.count("error: ") == 1, first.stderr
        assert "accumulator bound" in first.stderr, first.stderr
        return
    run_tool("quant-translate", *options, table, f"--bits={width}", "--dump-values", "-o", tmp_path / "p.so")
    program = dyadic.load(tmp_path / "p.so")
    inputs = {}
    for name, info in program.inputs.items():
        x = samples[name][:2]
        if info.dtype != "float32":
            stored = np.rint(x.astype(np.float64) / info.scales[0]) + info.zero_point
            x = np.clip(stored, info.min, info.max).astype(info.dtype)
        inputs[name] = x
    np.savez(tmp_path / "in.npz", **inputs)
    results = []
    for mode in ([], ["--reference"]):
        run_tool("quant-run", tmp_path / "p.mlir", f"--inputs={tmp_path / 'in.npz'}", f"--outputs={tmp_path / 'o.npz'}", f"--dump={tmp_path / 'v.npz'}", *mode)
        results.append((dict(np.load(tmp_path / "o.npz")), dict(np.load(tmp_path / "v.npz"))))
    runs = [program.run_values({n: x[i : i + 1] for n, x in inputs.items()}) for i in range(2)]
    for part in range(2):
        library = {n: np.concatenate([run[part][n] for run in runs]) for n in runs[0][part]}
        compare(results[1][part], results[0][part])
        compare(results[1][part], library)
