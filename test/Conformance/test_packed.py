# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Packed kernels of every target, those that this machine lacks with their instructions emulated: the bits of the
reference interpreter, with weights that overflow where a plan is wrong, and no byte touched outside of the buffers.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path

import dyadic
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from conftest import run_tool

ROOT = Path(__file__).parents[2]
FULL = os.environ.get("DYADIC_CONFORMANCE") == "full"
#: Kernels for unsigned bytes, for signed ones, for both; avxvnni has those of avx512vnni.
TARGETS = ["generic", "avx2", "avx512vnni", "emulated-neon-dotprod", "emulated-neon-i8mm"]
if FULL:
    TARGETS += ["avxvnni", "emulated-avx2", "emulated-avx512vnni"]
GUARDED_RUNS = 12  # of guarded.c
WIDTHS = ["w8a8", "w4a8", "w8a12", "w4a4"]


def weights(rng: np.random.Generator, kind: str, shape: tuple[int, ...]) -> np.ndarray:
    if kind == "equal":
        return np.full(shape, 0.1, np.float32)
    if kind == "negative":
        return np.full(shape, -0.1, np.float32)
    if kind == "alternating":
        signs = np.where(np.arange(np.prod(shape)) % 2, 1, -1)
        return (0.1 * signs).reshape(shape).astype(np.float32)
    if kind == "uniform":
        return rng.uniform(-0.1, 0.1, shape).astype(np.float32)
    return rng.laplace(0, 0.03, shape).astype(np.float32)


KINDS = ["equal", "negative", "alternating", "uniform", "laplace"]
#: channels, filters, size, kernel, stride, dilation, pad, groups
LAYERS = {
    "3x3": (16, 32, (9, 11), 3, 1, 1, 1, 1),
    "odd channels": (13, 21, (7, 6), 3, 2, 1, 1, 1),
    "first layer": (3, 16, (15, 14), 7, 2, 1, 3, 1),
    "one channel, no border": (1, 9, (8, 9), 3, 1, 1, 0, 1),
    "pointwise": (24, 40, (5, 7), 1, 1, 1, 0, 1),
    "pointwise stride 2": (18, 16, (6, 6), 1, 2, 1, 0, 1),
    "dilated": (8, 17, (11, 10), 3, 1, 2, 2, 1),
    "grouped": (24, 36, (6, 7), 3, 1, 1, 1, 3),
    "depthwise": (32, 32, (9, 8), 3, 1, 1, 1, 32),
    "depthwise odd": (13, 13, (9, 8), 5, 2, 1, 2, 13),
    "depthwise even": (20, 20, (7, 9), 4, 1, 2, 3, 20),
    "one dimension": (6, 10, (23,), 5, 2, 1, 2, 1),
    "deep": (300, 18, (3, 3), 3, 1, 1, 1, 1),
}
#: Layers whose narrow operands qualify for Winograd, one whose 16-bit sums are long, some whose weights share bytes.
NARROW_WIDTHS = ["w4a4", "w2a6", "w3a5", "w4a6"]
NARROW_LAYERS = {
    "winograd": (64, 32, (8, 12), 3, 1, 1, 1, 1),
    "winograd odd": (20, 37, (9, 11), 3, 1, 1, 1, 1),
    "winograd, no border": (16, 16, (6, 9), 3, 1, 1, 0, 1),
    "winograd deep": (260, 18, (5, 5), 3, 1, 1, 1, 1),
    "long sums": (600, 20, (6, 7), 1, 1, 1, 0, 1),
    "one position": (600, 20, (1, 1), 1, 1, 1, 0, 1),
    "few positions": (13, 21, (5, 6), 3, 1, 1, 0, 1),
    "few positions, grouped": (24, 36, (4, 3), 3, 1, 1, 1, 3),
}
#: Layers with enough to do for threads: few lines, few panels, groups of panels, one position, odd edges.
LARGE_LAYERS = {
    "3x3": (32, 72, (13, 15), 3, 1, 1, 1, 1),
    "few lines": (128, 136, (3, 5), 3, 1, 1, 1, 1),
    "one panel": (24, 16, (28, 31), 3, 1, 1, 1, 1),
    "first layer": (3, 32, (63, 65), 7, 2, 1, 3, 1),
    "pointwise": (96, 70, (17, 19), 1, 1, 1, 0, 1),
    "one position": (1024, 1032, (1, 1), 1, 1, 1, 0, 1),
    "grouped": (48, 72, (20, 21), 3, 1, 1, 1, 3),
    "depthwise": (40, 40, (31, 29), 3, 1, 1, 1, 40),
    "depthwise, one line": (40, 40, (2000,), 5, 2, 1, 2, 40),
    "narrow 3x3": (64, 72, (23, 21), 3, 1, 1, 1, 1),
    "narrow few lines": (128, 136, (6, 5), 3, 1, 1, 1, 1),
}
TAILS = ["none", "relu", "add", "prelu", "clip"]


def conv_model(path: Path, rng: np.random.Generator, layer: tuple, kind: str, tail: str) -> tuple[int, ...]:
    """x -> conv [-> ReLU | + conv of x | PReLU | Clip to so little that its scale grows]; returns the shape of x."""
    channels, filters, size, kernel, stride, dilation, pad, groups = layer
    rank = len(size)
    attributes = {
        "strides": [stride] * rank,
        "dilations": [dilation] * rank,
        "pads": [pad] * (2 * rank),
        "group": groups,
    }
    shape = (filters, channels // groups, *[kernel] * rank)
    tensors = {"w": weights(rng, kind, shape), "b": rng.normal(0, 0.2, filters).astype(np.float32)}
    nodes = [helper.make_node("Conv", ["x", "w", "b"], ["c"], **attributes)]
    if tail == "none":
        nodes.append(helper.make_node("Identity", ["c"], ["y"]))
    elif tail == "relu":
        nodes.append(helper.make_node("Relu", ["c"], ["y"]))
    elif tail == "clip":
        tensors |= {"low": np.float32(-0.004), "high": np.float32(0.006)}
        nodes.append(helper.make_node("Clip", ["c", "low", "high"], ["y"]))
    elif tail == "prelu":
        tensors["s"] = rng.uniform(-0.3, 0.4, (filters, *[1] * rank)).astype(np.float32)
        nodes.append(helper.make_node("PRelu", ["c", "s"], ["y"]))
    else:
        tensors["v"] = weights(rng, "laplace", shape)
        nodes.append(helper.make_node("Conv", ["x", "v"], ["d"], **attributes))
        nodes.append(helper.make_node("Add", ["c", "d"], ["y"]))
    # A reader of y, so that y is not a float output of the layer.
    tensors["p"] = weights(rng, "laplace", (5, filters, *[1] * rank))
    nodes.append(helper.make_node("Conv", ["y", "p"], ["z"]))
    graph = helper.make_graph(
        nodes,
        "packed",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, channels, *size])],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(a), n) for n, a in tensors.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(onnx.shape_inference.infer_shapes(model), path)
    return (1, channels, *size)


@lru_cache
def runnable(target: str) -> str:
    """The target, emulated where this CPU lacks its instructions."""
    with tempfile.TemporaryDirectory() as folder:
        model, library = Path(folder) / "m.onnx", Path(folder) / "m.so"
        conv_model(model, np.random.default_rng(0), LAYERS["one channel, no border"], "equal", "none")
        run_tool("quant-translate", model, "--float", f"--target={target}", "-o", library)
        try:
            dyadic.load(library)
        except dyadic.Error:
            return f"emulated-{target}"
    return target


@pytest.fixture(scope="module")
def guarded(tmp_path_factory) -> Path:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("needs cc")
    path = tmp_path_factory.mktemp("host") / "guarded"
    include = ROOT / "include" / "dyadic" / "Runtime"
    source = Path(__file__).with_name("guarded.c")
    options = ["-O1", "-Wall", "-Werror", "-pthread", f"-I{include}"]
    subprocess.run([compiler, *options, source, "-o", path, "-ldl"], check=True)
    return path


def run_guarded(guarded: Path, library: Path, sample: np.ndarray, folder: Path) -> tuple[bytes, int]:
    """The outputs of one run, which are those of all runs, and how often these asked for parts."""
    sample.tofile(folder / "in")
    command = [guarded, library, folder / "in", folder / "out"]
    forks = subprocess.run(command, check=True, timeout=60, capture_output=True, text=True).stdout
    written = (folder / "out").read_bytes()
    size = len(written) // GUARDED_RUNS
    assert written == GUARDED_RUNS * written[:size]
    return written[:size], int(forks)


def calibrated(folder: Path, *options: str) -> list[object]:
    """Quantizes m.onnx with the samples of c.npz to m.mlir; returns what further compilations start with, which need no
    float run."""
    common = [folder / "m.onnx", "--weight-rounding=nearest", "--name=m"]
    samples = [f"--calibration={folder / 'c.npz'}", "--calibration-method=minmax", f"--save-calibration={folder / 't.json'}"]
    run_tool("quant-translate", *common, *samples, *options, "-o", folder / "m.mlir")
    return [*common, f"--calibration={folder / 't.json'}"]


@pytest.mark.parametrize("name", [*LAYERS, *NARROW_LAYERS])
def test_layer(name: str, guarded: Path, tmp_path: Path) -> None:
    table, widths = (LAYERS, WIDTHS) if name in LAYERS else (NARROW_LAYERS, NARROW_WIDTHS)
    expected = "packed_winograd" if "winograd" in name else "weight_bits" if "position" in name else ""
    check_layer(table[name], list(table).index(name), widths, guarded, tmp_path, expected)


@pytest.mark.parametrize("name", LARGE_LAYERS)
def test_large_layer(name: str, guarded: Path, tmp_path: Path) -> None:
    seed, narrow = list(LARGE_LAYERS).index(name), name.startswith("narrow")
    widths = NARROW_WIDTHS if narrow else WIDTHS
    expected = "packed_winograd" if narrow else ""
    forks = check_layer(LARGE_LAYERS[name], seed, widths, guarded, tmp_path, expected, threads=(1, 2, 3, 7))
    assert forks > 0


def check_layer(
    layer: tuple,
    seed: int,
    widths: list[str],
    guarded: Path,
    tmp_path: Path,
    expected: str,
    threads: tuple[int, ...] = (1,),
) -> int:
    """Compares the layer with several weights, tails and widths on all targets; returns how often parts were asked for.

    The packed program has `expected` in it.
    """
    rng, forks = np.random.default_rng(seed), 0
    for i in range(len(KINDS)):
        if not FULL and (i + seed) % 3:
            continue
        kind, tail, width = KINDS[i], TAILS[(i + seed) % len(TAILS)], widths[(i // 2 + seed) % len(widths)]
        rounding = "half_even" if (i + seed) % 3 == 0 else "half_up"
        shape = conv_model(tmp_path / "m.onnx", rng, layer, kind, tail)
        samples = rng.normal(0.3, 1, (6, *shape[1:])).astype(np.float32)
        samples[0], samples[1] = samples.max(), samples.min()  # every input at its limit
        np.savez(tmp_path / "c.npz", x=samples)
        options = [f"--bits={width}", f"--rounding={rounding}"]
        common = [*calibrated(tmp_path, *options), *options]
        run_tool(
            "quant-run",
            tmp_path / "m.mlir",
            "--reference",
            f"--inputs={tmp_path / 'c.npz'}",
            f"--outputs={tmp_path / 'o.npz'}",
            f"--dump={tmp_path / 'd.npz'}",
        )
        values, outputs = np.load(tmp_path / "d.npz"), np.load(tmp_path / "o.npz")
        if expected:
            pack = ["--quant-assign-layout", "--quant-pack-layers=byte-dot=maddubs word-dot=maddwd"]
            run_tool("quant-opt", tmp_path / "m.mlir", *pack, "-o", tmp_path / "p.mlir")
            assert expected in (tmp_path / "p.mlir").read_text()
        compared = 0
        emulated = TARGETS[3 + (i // 2 + seed) % 2]  # in turns: they are slow
        targets = [runnable(target) for target in (TARGETS if FULL else [*TARGETS[:3], emulated])]
        # Values that are no outputs may share memory.
        run_tool("quant-translate", *common, f"--target={targets[(i + seed) % len(targets)]}", "-o", tmp_path / "plain.so")
        plain = dyadic.load(tmp_path / "plain.so")
        for count, (n, sample) in itertools.product(threads, enumerate(samples)):
            for key, array in plain.run(sample[None], threads=count).items():
                np.testing.assert_array_equal(array, outputs[key][n : n + 1])
        for target in targets:
            library = tmp_path / f"{target}.so"
            run_tool("quant-translate", *common, f"--target={target}", "--dump-values", "-o", library)
            program = dyadic.load(library)
            for count, (n, sample) in itertools.product(threads, enumerate(samples)):
                for found, reference in zip(program.run_values(sample[None], threads=count), (outputs, values)):
                    for key, array in found.items():
                        different = int((array != reference[key][n : n + 1]).sum())
                        assert different == 0, f"{kind} {tail} {width} {target}, {count}: {different} of {key} differ"
                        compared += array.size
            first = [np.ascontiguousarray(a[:1]) for a in program.run_values(samples[:1])[0].values()]
            written, asked = run_guarded(guarded, library, samples[:1], tmp_path)
            assert written.startswith(b"".join(a.tobytes() for a in first))
            forks += asked
        assert compared > 0
    return forks


#: Layers, their widths, and schedules: each must give the bits of the reference interpreter.
SCHEDULES = {
    "3x3": ("w8a8", [{"order": "lines", "rows": 1}, {"order": "panels", "rows": 8}, {"rows": 3}]),
    "grouped": ("w4a8", [{"order": "lines", "rows": 5}, {"order": "panels", "rows": 2}]),
    "pointwise": ("w4a8", [{"order": "lines"}, {"order": "panels", "rows": 6}]),
    "depthwise": ("w8a8", [{"rows": 1}, {"rows": 8}]),
    "one position": ("w2a8", [{"order": "lines"}, {"order": "panels", "rows": 7}]),
    "narrow 3x3": ("w4a4", [{"kernel": "direct"}, {"kernel": "winograd", "order": "lines", "rows": 3}, {"order": "panels"}]),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules(name: str, guarded: Path, tmp_path: Path) -> None:
    (width, schedules), seed = SCHEDULES[name], list(SCHEDULES).index(name)
    rng = np.random.default_rng(seed)
    shape = conv_model(tmp_path / "m.onnx", rng, LARGE_LAYERS[name], "laplace", "add")
    samples = rng.normal(0.3, 1, (3, *shape[1:])).astype(np.float32)
    np.savez(tmp_path / "c.npz", x=samples)
    plan_file = tmp_path / "plan.json"
    common = calibrated(tmp_path, f"--bits={width}", f"--save-plan={plan_file}")
    inputs = f"--inputs={tmp_path / 'c.npz'}"
    run_tool("quant-run", tmp_path / "m.mlir", "--reference", inputs, f"--outputs={tmp_path / 'o.npz'}")
    expected = np.load(tmp_path / "o.npz")["z"]
    plan = json.loads(plan_file.read_text())
    # Two schedules a program, one for each of its large layers.
    for i in range(0, len(schedules), 1 if FULL else 2):
        of_layers = {layer: schedules[(i + k) % len(schedules)] for k, layer in enumerate("cd")}
        plan["schedules"] = {target.removeprefix("emulated-"): of_layers for target in TARGETS[1:]}
        plan_file.write_text(json.dumps(plan))
        for target in map(runnable, TARGETS[1:] if FULL else [*TARGETS[1:3], TARGETS[3 + (i // 2 + seed) % 2]]):
            library = tmp_path / "s.so"
            run_tool("quant-translate", *common, f"--bits={plan_file}", f"--target={target}", "-o", library)
            program = dyadic.load(library)
            for threads in (1, 3):
                found = np.concatenate([program.run(x[None], threads=threads)["z"] for x in samples])
                assert int((found != expected).sum()) == 0, f"{of_layers} {target} {threads}"
            run_guarded(guarded, library, samples[:1], tmp_path)


@pytest.mark.parametrize("name", [name for name in NARROW_LAYERS if "winograd" in name])
def test_winograd_in_words(name: str, guarded: Path, tmp_path: Path) -> None:
    """AVX2's Winograd of 8-bit inputs, also where it is not the compiler's choice."""
    seed = list(NARROW_LAYERS).index(name)
    rng, plan_file = np.random.default_rng(seed), tmp_path / "plan.json"
    for i, width in enumerate(["w8a8", "w4a8", "w2a8"]):
        shape = conv_model(tmp_path / "m.onnx", rng, NARROW_LAYERS[name], KINDS[(i + seed) % 5], TAILS[(i + seed) % len(TAILS)])
        samples = rng.normal(0.3, 1, (3, *shape[1:])).astype(np.float32)
        samples[0], samples[1] = samples.max(), samples.min()
        np.savez(tmp_path / "c.npz", x=samples)
        common = calibrated(tmp_path, f"--bits={width}", f"--save-plan={plan_file}")
        inputs = f"--inputs={tmp_path / 'c.npz'}"
        run_tool("quant-run", tmp_path / "m.mlir", "--reference", inputs, f"--outputs={tmp_path / 'o.npz'}")
        plan = json.loads(plan_file.read_text())
        plan["schedules"] = {"avx2": {"c": {"kernel": "winograd", "rows": 4 - i}}}
        plan_file.write_text(json.dumps(plan))
        library, report = tmp_path / "s.so", tmp_path / "r.json"
        options = [f"--bits={plan_file}", f"--target={runnable('avx2')}", f"--report={report}"]
        run_tool("quant-translate", *common, *options, "-o", library)
        assert "winograd maddwd" in report.read_text()
        program, expected = dyadic.load(library), np.load(tmp_path / "o.npz")
        for n, x in enumerate(samples):
            for key, array in program.run(x[None]).items():
                np.testing.assert_array_equal(array, expected[key][n : n + 1])
        run_guarded(guarded, library, samples[:1], tmp_path)


def test_matmul(guarded: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    for rows, depth, columns in [(1, 64, 10), (7, 33, 48), (197, 20, 17)]:
        tensors = {"w": weights(rng, "uniform", (depth, columns)), "b": rng.normal(0, 0.2, columns).astype(np.float32)}
        nodes = [
            helper.make_node("MatMul", ["x", "w"], ["m"]),
            helper.make_node("Add", ["m", "b"], ["n"]),
            helper.make_node("Relu", ["n"], ["r"]),
            helper.make_node("Softmax", ["r"], ["y"]),
        ]
        graph = helper.make_graph(
            nodes,
            "matmul",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, rows, depth])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, rows, columns])],
            [numpy_helper.from_array(a, n) for n, a in tensors.items()],
        )
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), tmp_path / "m.onnx")
        samples = rng.normal(0, 1, (4, rows, depth)).astype(np.float32)
        np.savez(tmp_path / "c.npz", x=samples)
        expected, common = None, calibrated(tmp_path)
        for target in map(runnable, TARGETS):
            library = tmp_path / f"{target}.so"
            run_tool("quant-translate", *common, f"--target={target}", "-o", library)
            program = dyadic.load(library)
            found = np.concatenate([program.run(x[None])["y"] for x in samples])
            expected = found if expected is None else expected  # generic, as the interpreter (test_bits.py)
            np.testing.assert_array_equal(found, expected)
            run_guarded(guarded, library, samples[:1], tmp_path)


@pytest.mark.parametrize("name", ["digits", "kws", "resnet20", "mnist", "squeezenet", "mobilenet", "ultraface"])
def test_every_product_is_packed(name: str, translate, tmp_path: Path) -> None:
    program = translate(name, "--weight-rounding=nearest", suffix=".mlir")
    pack = ["--quant-assign-layout", "--quant-pack-layers=byte-dot=maddubs word-dot=maddwd"]
    run_tool("quant-opt", program, *pack, "-o", tmp_path / "p.mlir")
    before, after = program.read_text(), (tmp_path / "p.mlir").read_text()
    linear = before.count("= qnn.conv ") + before.count("= qnn.matmul ")
    assert after.count("= qnn.packed_") == linear > 0
    assert "= qnn.conv " not in after and "= qnn.matmul " not in after
