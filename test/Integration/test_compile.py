# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""dyadic.compile: every kind of argument, the bytes and the messages of quant-translate."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dyadic
import numpy as np
import onnx
import pytest
from conftest import ROOT, run_tool
from onnx import TensorProto, helper, numpy_helper

DIGITS = ROOT / "examples" / "digits" / "digits.onnx"
DATA = ROOT / "examples" / "digits" / "calibration.npz"


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    with np.load(DATA) as data:
        return data["image"]


@pytest.fixture(scope="module")
def compiled() -> dyadic.CompiledProgram:
    return dyadic.compile(DIGITS, calibration=DATA)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    """One convolution for the digits' inputs, for tests that compile many times."""
    weights = np.random.default_rng(3).standard_normal((2, 1, 3, 3)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("Conv", ["image", "w"], ["c"]), helper.make_node("Relu", ["c"], ["y"])],
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 1, 8, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 2, 6, 6])],
        [numpy_helper.from_array(weights, "w")],
    )
    path = tmp_path_factory.mktemp("tiny") / "tiny.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


@pytest.fixture(scope="module")
def tiny_compiled(tiny) -> dyadic.CompiledProgram:
    return dyadic.compile(tiny, calibration=DATA)


def tool(folder: Path, *options: object, ending: str = "so", model: object = DIGITS) -> Path:
    """What quant-translate writes to a file with a fixed stem, which names the symbols."""
    folder.mkdir(parents=True, exist_ok=True)
    out = folder / f"net.{ending}"
    run_tool("quant-translate", model, "-o", out, *options)
    return out


def tool_error(*options: object) -> str:
    result = run_tool("quant-translate", *options, check=False)
    assert result.returncode == 1
    lines = [line for line in result.stderr.splitlines() if not line.startswith("warning: ")]
    return "\n".join(lines).removeprefix("error: ")


def saved(program: dyadic.CompiledProgram, folder: Path, ending: str = "so") -> bytes:
    """What ``save`` writes; the module (``mlir``) has every number and takes no time."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"net.{ending}"
    program.save(path)
    return path.read_bytes()


def two_inputs() -> onnx.ModelProto:
    """z = relu(a w + b), with a and b of different shapes and no batch."""
    weights = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["a", "w"], ["m"]),
            helper.make_node("Add", ["m", "b"], ["s"]),
            helper.make_node("Relu", ["s"], ["z"]),
        ],
        "two",
        [
            helper.make_tensor_value_info("a", TensorProto.FLOAT, [2, 3]),
            helper.make_tensor_value_info("b", TensorProto.FLOAT, [2, 4]),
        ],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, [2, 4])],
        [numpy_helper.from_array(weights, "w")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


# The same bytes as the tool


@pytest.mark.parametrize(
    "model, arguments, options",
    [
        ("digits", {}, []),
        ("tiny", {"bits": 8, "rounding": "half_even"}, ["--bits=8", "--rounding=half_even"]),
        ("tiny", {"bits": "w4a8", "io": "integer", "integer_only": True}, ["--bits=w4a8", "--io=integer", "--integer-only"]),
        ("tiny", {"calibration_method": "percentile:99.9"}, ["--calibration-method=percentile:99.9"]),
        ("tiny", {"bits": "w4a8", "weight_rounding": "gptq"}, ["--bits=w4a8", "--weight-rounding=gptq"]),
        ("tiny", {"weight_rounding": "auto"}, ["--weight-rounding=auto"]),
        ("tiny", {"target": "generic", "name": "net_1"}, ["--target=generic", "--name=net_1"]),
        ("tiny", {"dump_values": True, "bits": np.int64(8)}, ["--dump-values"]),
        ("tiny", {"input_shapes": {"image": (4, 1, 8, 8)}}, ["--input-shape=image:4,1,8,8"]),
    ],
)
def test_options_mean_the_same(model, arguments, options, tiny, tmp_path):
    path = DIGITS if model == "digits" else tiny
    table, plan, report = (tmp_path / f"{name}.json" for name in ("table", "plan", "report"))
    saves = [f"--save-calibration={table}", f"--save-plan={plan}", f"--report={report}"]
    library = tool(tmp_path / "tool", f"--calibration={DATA}", *options, *saves, model=path)
    program = dyadic.compile(path, calibration=DATA, detailed_report=True, **arguments)
    assert saved(program, tmp_path / "python") == library.read_bytes()
    assert (tmp_path / "python" / "net.h").read_bytes() == library.with_suffix(".h").read_bytes()
    for save, expected in [(program.save_calibration, table), (program.save_plan, plan)]:
        save(tmp_path / "again.json")
        assert (tmp_path / "again.json").read_bytes() == expected.read_bytes()
    assert program.calibration == json.loads(table.read_text())
    assert program.plan == json.loads(plan.read_text())
    assert untimed(program.report) == untimed(json.loads(report.read_text()))


def test_ranges_without_data(tmp_path):
    """The table, which needs no samples, gives the same program again."""
    options = ["--calibration-method=batchnorm:7.5", "--input-range=image:0,1"]
    table = tmp_path / "table.json"
    library = tool(tmp_path / "tool", *options, f"--save-calibration={table}")
    program = dyadic.compile(DIGITS, calibration_method="batchnorm:7.5", input_ranges={"image": (0, 1)})
    assert saved(program, tmp_path / "python") == library.read_bytes()
    assert program.calibration == json.loads(table.read_text())
    again = tool(tmp_path / "again", f"--calibration={table}")
    assert again.read_bytes() == library.read_bytes()
    edited = json.loads(table.read_text())
    del edited["values"]["image"]["range"]
    with pytest.raises(dyadic.Error, match="no range, expected one with the method batchnorm:7.5"):
        dyadic.compile(DIGITS, calibration=edited)


def test_overrides(images, tmp_path):
    """Found, kept and written as the tool does."""
    overrides, data = tmp_path / "overrides.json", tmp_path / "data.npz"
    np.savez(data, image=images[:50])
    options = f"--calibration={data}", "--bits=w3a8", "--weight-rounding=nearest", f"--attribution={overrides}", "--attribution-target=sqnr:20dB"
    tool(tmp_path / "tool", *options)
    program = dyadic.compile(DIGITS, calibration=data, bits="w3a8", weight_rounding="nearest",
                             attribution=tmp_path / "found.json", attribution_target="sqnr:20dB")
    assert (tmp_path / "found.json").read_bytes() == overrides.read_bytes()
    assert program.report["attribution"]
    program.save_overrides(tmp_path / "mine.json")
    assert (tmp_path / "mine.json").read_bytes() == overrides.read_bytes()
    assert program.overrides == json.loads(overrides.read_text())
    repaired = dyadic.compile(DIGITS, calibration=data, bits=program.overrides)
    assert saved(repaired, tmp_path / "a", "mlir") == tool(
        tmp_path / "b", f"--calibration={data}", f"--bits={overrides}", ending="mlir").read_bytes()
    plain = dyadic.compile(DIGITS, float=True)
    assert plain.overrides is None
    with pytest.raises(dyadic.Error, match="no overrides were looked for, expected attribution=True"):
        plain.save_overrides(tmp_path / "none.json")


def untimed(report):
    """Without times and the path of the output."""
    report = {key: value for key, value in report.items() if key not in ("times", "output")}
    report["layers"] = [{k: v for k, v in row.items() if not k.startswith("time")} for row in report["layers"]]
    return report


def test_merged_tables(tiny, tiny_compiled, tmp_path):
    with np.load(DATA) as data:
        halves = data["image"][:100], data["image"][100:]
    tables = []
    for i, half in enumerate(halves):
        dyadic.compile(tiny, calibration=half).save_calibration(tmp_path / f"{i}.json")
        tables.append(tmp_path / f"{i}.json")
    merged = dyadic.compile(tiny, merge_calibration=tables)
    assert merged.calibration == tiny_compiled.calibration
    with pytest.raises(TypeError, match="ndarray, expected a path next to merge_calibration"):
        dyadic.compile(tiny, calibration=halves[0], merge_calibration=tables)


@pytest.mark.parametrize("ending", ["o", "s", "ll", "mlir"])
def test_endings(ending, tiny, tiny_compiled, tmp_path):
    expected = tool(tmp_path / "tool", f"--calibration={DATA}", ending=ending, model=tiny).read_bytes()
    assert saved(tiny_compiled, tmp_path / "python", ending) == expected


def test_float(tmp_path, images):
    program = dyadic.compile(DIGITS, float=True)
    assert saved(program, tmp_path / "python") == tool(tmp_path / "tool", "--float").read_bytes()
    assert program.plan is None and program.calibration is None
    expected = dyadic.load(tmp_path / "python" / "net.so").run(images)["logits"]
    np.testing.assert_array_equal(program.run(images)["logits"], expected)
    with pytest.raises(dyadic.Error, match="--save-plan: an option of quantization, which --float turns off"):
        program.save_plan(tmp_path / "plan.json")
    with pytest.raises(dyadic.Error, match="--save-calibration: an option of quantization"):
        program.save_calibration(tmp_path / "table.json")
    assert not list(tmp_path.glob("*.json"))


def test_a_foreign_target_runs_here_with_the_same_bits(tiny, tiny_compiled, tmp_path, images):
    target = "generic@aarch64-linux-gnu"
    program = dyadic.compile(tiny, calibration=DATA, target=target)
    expected = tool(tmp_path / "tool", f"--calibration={DATA}", f"--target={target}", ending="o", model=tiny).read_bytes()
    assert saved(program, tmp_path / "python", "o") == expected
    np.testing.assert_array_equal(program.run(images)["y"], tiny_compiled.run(images)["y"])
    assert program.target.startswith("generic@aarch64") and "@" not in tiny_compiled.target
    program.save(tmp_path / "net.so")  # for every Linux of 64 bits
    with pytest.raises(dyadic.Error, match="net.so: cannot be loaded: it is for another architecture"):
        dyadic.load(tmp_path / "net.so")
    bare = dyadic.compile(tiny, calibration=DATA, target="generic@aarch64-none-elf")
    with pytest.raises(dyadic.Error, match="a library for aarch64.* needs its linker, expected .o, .s or .ll"):
        bare.save(tmp_path / "bare.so")


# Models


def test_models_in_memory(tiny, tiny_compiled, tmp_path):
    expected = saved(tiny_compiled, tmp_path, "mlir")
    content = tiny.read_bytes()
    for model in [str(tiny), content, bytearray(content), memoryview(content), onnx.load(tiny)]:
        assert saved(dyadic.compile(model, calibration=DATA), tmp_path, "mlir") == expected


def test_external_data(tmp_path):
    model = onnx.load(DIGITS)
    onnx.save(model, tmp_path / "m.onnx", save_as_external_data=True, location="m.data", size_threshold=64)
    expected = saved(dyadic.compile(DIGITS, float=True), tmp_path, "mlir")
    content = (tmp_path / "m.onnx").read_bytes()
    assert len(content) < DIGITS.stat().st_size / 2
    for model, folder in [(tmp_path / "m.onnx", None), (content, tmp_path), (content, str(tmp_path))]:
        assert saved(dyadic.compile(model, float=True, folder=folder), tmp_path, "mlir") == expected
    without = onnx.load(tmp_path / "m.onnx", load_external_data=False)
    with pytest.raises(dyadic.Error, match="^<model>: tensor '.*': has external data, expected a folder to read it from$"):
        dyadic.compile(without, float=True)
    with pytest.raises(dyadic.Error, match="^<model>: .*m.data"):
        dyadic.compile(content, float=True, folder=tmp_path / "elsewhere")
    with pytest.raises(TypeError, match="folder is for models in memory"):
        dyadic.compile(DIGITS, float=True, folder=tmp_path)


# Calibration


def test_calibration_arguments(tiny, tmp_path, images):
    compiled = dyadic.compile(tiny, calibration=DATA)
    expected = saved(compiled, tmp_path, "mlir")
    np.save(tmp_path / "images.npy", images)
    compiled.save_calibration(tmp_path / "table.json")
    rng = np.random.default_rng(0)
    arguments = {
        "text": str(DATA),
        "npy": tmp_path / "images.npy",
        "array": images,
        "list of whole inputs": images[:, None],
        "float64": images.astype(np.float64),
        "big-endian": images.astype(">f4"),
        "strided": np.asfortranarray(images),
        "dict": {"image": images, "label": np.zeros(3), "other": "text"},
        "list of arrays": [images[i : i + 1] for i in range(len(images))],
        "list of dicts": [{"image": images[i : i + 1]} for i in range(len(images))],
        "generator": (images[i : i + 7] for i in range(0, len(images), 7)),
        "mixed": [images[:50], {"image": images[50:]}],
    }
    for what, calibration in arguments.items():
        assert saved(dyadic.compile(tiny, calibration=calibration), tmp_path, "mlir") == expected, what
    for what, calibration in {"table": tmp_path / "table.json", "table as dict": compiled.calibration}.items():
        program = dyadic.compile(tiny, calibration=calibration)
        assert saved(program, tmp_path, "mlir") == expected, what
        assert program.report["outputs"] == [] and "no held-back samples" in str(program.report)
    # The order changes nothing.
    shuffled = dyadic.compile(tiny, calibration=images[rng.permutation(len(images))])
    assert saved(shuffled, tmp_path, "mlir") == expected and shuffled.calibration == compiled.calibration


def is_held_back(image: np.ndarray) -> bool:
    import hashlib

    return int.from_bytes(hashlib.sha256(image.tobytes()).digest()[:8], "little") % 5 == 0


@pytest.mark.parametrize("held_back, others", [(0, 1), (0, 9), (3, 0), (3, 8)])
def test_streamed_samples_make_the_same_table(tiny, held_back, others, images, tmp_path):
    """Also where no sample, or every one, is of the fifth to be held back."""
    sides: dict[bool, list[np.ndarray]] = {True: [], False: []}
    for image in images:
        sides[is_held_back(image)].append(image)
    chosen = np.stack(sides[True][:held_back] + sides[False][:others])
    chosen = chosen[np.random.default_rng(0).permutation(len(chosen))]
    np.savez(tmp_path / "images.npz", image=chosen)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dyadic.CalibrationWarning)
        whole = dyadic.compile(tiny, calibration=tmp_path / "images.npz")
        streamed = dyadic.compile(tiny, calibration=(image[None] for image in chosen))
    whole.save_calibration(tmp_path / "whole.json")
    streamed.save_calibration(tmp_path / "streamed.json")
    assert (tmp_path / "whole.json").read_bytes() == (tmp_path / "streamed.json").read_bytes()
    assert {**streamed.report} == {**whole.report}


def test_streamed_samples_are_not_kept():
    """A generator of many times the memory that the process may take; no weights are fitted."""
    script = f"""
import resource
import dyadic, numpy as np
from dyadic import _compiler
def samples():
    rng = np.random.default_rng(0)
    for i in range(40):
        if i == 5:
            base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        yield {{"x": rng.random((1, 1 << 20), np.float32)}}
    global grown
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base
from onnx import TensorProto, helper
x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1 << 20])
y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1 << 20])
model = helper.make_model(helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [x], [y]),
                          opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
dyadic.compile(model, calibration=samples(), weight_rounding="nearest")
print(grown)
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=300)
    assert int(result.stdout) < 35 * 4096 / 2  # KiB: of 35 samples of 4 MiB, half


def test_two_inputs(tmp_path):
    rng = np.random.default_rng(1)
    a, b = rng.standard_normal((40, 3), np.float32), rng.standard_normal((40, 4), np.float32)
    np.savez(tmp_path / "data.npz", a=a, b=b)
    model = two_inputs()
    program = dyadic.compile(model, calibration=tmp_path / "data.npz")
    pairs = ({"b": b[i : i + 2], "a": a[i : i + 2]} for i in range(0, 40, 2))
    assert saved(dyadic.compile(model, calibration=pairs), tmp_path, "mlir") == saved(program, tmp_path, "mlir")
    found = program.run({"a": a[:2], "b": b[:2]})["z"]
    expected = np.maximum(a[:2] @ np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4) + b[:2], 0)
    assert np.abs(found - expected).max() < 0.1
    one_array = "^<calibration>: one array, but the model has 2 inputs, expected one an input$"
    with pytest.raises(dyadic.Error, match=one_array):
        dyadic.compile(model, calibration=a)
    with pytest.raises(dyadic.Error, match=r"^<calibration>\[1\]: found 'a', expected an array 'b' for"):
        dyadic.compile(model, calibration=[{"a": a, "b": b}, {"a": a}])
    with pytest.raises(dyadic.Error, match="input 'a' has 20 samples, but input 'b' has 19, expected the same number"):
        dyadic.compile(model, calibration={"a": a, "b": b[:38]})


def test_plans(tiny, tiny_compiled, tmp_path):
    plan = tiny_compiled.plan
    (layer,) = plan["layers"].values()
    layer["weights"] = 4
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    expected = tool(tmp_path / "tool", f"--calibration={DATA}", f"--bits={tmp_path / 'plan.json'}", model=tiny).read_bytes()
    assert expected != saved(tiny_compiled, tmp_path)
    for bits in (plan, tmp_path / "plan.json", str(tmp_path / "plan.json")):
        assert saved(dyadic.compile(tiny, calibration=DATA, bits=bits), tmp_path) == expected
    even = dyadic.compile(tiny, calibration=DATA, rounding="half_even").plan
    assert dyadic.compile(tiny, calibration=DATA, bits=even).plan == even
    with pytest.raises(dyadic.Error, match="^<plan>: rounding differs from --rounding=half_up$"):
        dyadic.compile(tiny, calibration=DATA, bits=even, rounding="half_up")
    with pytest.raises(dyadic.Error, match="^<plan>: .*'colour'|^<plan>: .*colour"):
        dyadic.compile(tiny, calibration=DATA, bits={**plan, "colour": 1})
    with pytest.raises(dyadic.Error, match=f"^<plan>: belongs to model {'0' * 64}, expected {plan['model']}$"):
        dyadic.compile(tiny, calibration=DATA, bits={**plan, "model": "0" * 64})


# The program


def test_program(compiled, tmp_path, images):
    assert isinstance(compiled, dyadic.Program)
    ((name, info),) = compiled.inputs.items()
    assert (name, info.dtype, info.shape) == ("image", "float32", [-1, 1, 8, 8]) and list(compiled.outputs) == ["logits"]
    saved(compiled, tmp_path)
    loaded = dyadic.load(tmp_path / "net.so")
    assert loaded.fingerprint == compiled.fingerprint and loaded.target == compiled.target
    for threads in (1, 3):
        expected = loaded.run(images, threads=threads)["logits"]
        np.testing.assert_array_equal(compiled.run({"image": images}, threads=threads)["logits"], expected)
    with pytest.raises(dyadic.Error, match="input 'image' is float64, expected float32"):
        compiled.run(images.astype(np.float64))


def test_values(tmp_path, images):
    program = dyadic.compile(DIGITS, calibration=DATA, weight_rounding="nearest", dump_values=True)
    saved(program, tmp_path)
    outputs, values = program.run_values(images)
    expected_outputs, expected = dyadic.load(tmp_path / "net.so").run_values(images)
    assert list(values) == list(expected) and "stem_conv" in values
    for name, value in {**expected, **expected_outputs}.items():
        np.testing.assert_array_equal({**values, **outputs}[name], value)


def test_report(tmp_path):
    program = dyadic.compile(DIGITS, calibration=DATA)
    report = program.report
    assert report["kind"] == "report" and report["model"] == str(DIGITS)
    assert report["sizes"]["output"] == 0 and report["sizes"]["integer"]["workspace"] > 0
    assert report["held_back_samples"] + report["options"]["calibration_samples"] == 200
    assert {"id", "op", "float", "macs", "weights", "weight_bits"} <= set(report["layers"][0])
    assert report["outputs"][0]["sqnr_db"] > 30
    assert repr(report) == str(report) and "stem_conv" in str(report) and "wrote" not in str(report)
    out = tmp_path / "net.so"
    printed = run_tool("quant-translate", DIGITS, f"--calibration={DATA}", "-o", out).stdout
    program.save(out)
    assert str(program.report) == printed and program.report["sizes"]["output"] == out.stat().st_size
    program.save_report(tmp_path / "report.json")
    assert json.loads((tmp_path / "report.json").read_text()) == program.report


def test_saving_never_overwrites_what_was_read(tiny, tiny_compiled, tmp_path):
    model, data = tmp_path / "net.mlir", tmp_path / "data.json"
    model.write_bytes(tiny.read_bytes())
    tiny_compiled.save_calibration(data)
    program = dyadic.compile(model, calibration=data)
    for save, path in [(program.save, model), (program.save_calibration, data), (program.save_plan, data)]:
        with pytest.raises(dyadic.Error, match="cannot be written: it is read too"):
            save(path)
    assert model.read_bytes() == tiny.read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["data.json", "net.mlir"]


# Errors


@pytest.mark.parametrize(
    "arguments, options",
    [
        ({"bits": 9}, ["--bits=9"]),
        ({"bits": -1}, ["--bits=-1"]),
        ({"bits": "w1a8"}, ["--bits=w1a8"]),
        ({"bits": ""}, ["--bits="]),
        ({"bits": Path("missing.json")}, ["--bits=missing.json"]),
        ({"rounding": "up"}, ["--rounding=up"]),
        ({"weight_rounding": "up"}, ["--weight-rounding=up"]),
        ({"io": "int\n"}, ["--io=int\n"]),
        ({"target": "z80"}, ["--target=z80"]),
        ({"name": "1x"}, ["--name=1x"]),
        ({"name": ""}, ["--name="]),
        ({"calibration_method": "mode"}, ["--calibration-method=mode"]),
        ({"input_shapes": {"image": [0, 1, 8, 8]}}, ["--input-shape=image:0,1,8,8"]),
        ({"input_shapes": {"image": []}}, ["--input-shape=image:"]),
        ({"input_shapes": {"picture": [1]}}, ["--input-shape=picture:1"]),
        ({"float": True}, ["--float"]),
    ],
)
def test_messages_of_options(arguments, options, tmp_path):
    message = tool_error(DIGITS, f"--calibration={DATA}", "-o", tmp_path / "net.so", *options)
    with pytest.raises(dyadic.Error) as caught:
        dyadic.compile(DIGITS, calibration=DATA, **arguments)
    assert str(caught.value) == message
    assert isinstance(caught.value, ValueError)


def test_messages_of_files(tmp_path, images):
    model = onnx.load(DIGITS)
    model.graph.node[0].op_type = "Frobnicate"
    model.graph.node[0].domain = "odd"
    onnx.save(model, tmp_path / "odd.onnx")
    (tmp_path / "cut.onnx").write_bytes(DIGITS.read_bytes()[:999])
    (tmp_path / "empty.onnx").write_bytes(b"")
    np.savez(tmp_path / "names.npz", picture=images)
    np.savez(tmp_path / "shapes.npz", image=images[:, 0])
    np.savez(tmp_path / "nan.npz", image=np.where(images == 0, np.nan, images).astype(np.float32))
    bad = os.fsdecode(os.fsencode(tmp_path) + b"/\xff\n.onnx")
    for path in [tmp_path / "odd.onnx", tmp_path / "cut.onnx", tmp_path / "empty.onnx", tmp_path, bad, "no\tfile"]:
        with pytest.raises(dyadic.Error) as caught:
            dyadic.compile(path, calibration=DATA)
        assert str(caught.value) == tool_error(path, f"--calibration={DATA}", "-o", tmp_path / "net.so")
        name = os.fspath(path)
        if os.path.isfile(name):
            with pytest.raises(dyadic.Error) as in_memory:
                dyadic.compile(Path(name).read_bytes(), calibration=DATA)
            assert str(in_memory.value) == str(caught.value).replace(name, "<model>")
    for name in ["names.npz", "shapes.npz", "nan.npz", "missing.npz", "odd.onnx"]:
        path = tmp_path / name
        with pytest.raises(dyadic.Error) as caught:
            dyadic.compile(DIGITS, calibration=path)
        assert str(caught.value) == tool_error(DIGITS, f"--calibration={path}", "-o", tmp_path / "net.so")
        if path.suffix == ".npz" and path.exists():
            with np.load(path) as data, pytest.raises(dyadic.Error) as in_memory:
                dyadic.compile(DIGITS, calibration=dict(data))
            assert str(in_memory.value) == str(caught.value).replace(str(path), "<calibration>")
    assert not list(tmp_path.glob("net*"))


@pytest.mark.parametrize(
    "calibration, message",
    [
        ([], "^<calibration>: no samples, expected at least one$"),
        ({}, "^<calibration>: found no arrays, expected an array 'image' for the model's input$"),
        (np.zeros((0, 1, 8, 8), np.float32), "^<calibration>: has no samples: its shape is"),
        (np.zeros((1, 8, 8), np.float32), "^<calibration>: has shape .1, 8, 8., expected .N, 1, 8, 8."),
        (np.zeros((1, 1, 8, 8), np.float16), "^<calibration>: holds float16, expected float32$"),
        (np.zeros((1, 1, 8, 8), np.int32), "^<calibration>: holds int32, expected float32$"),
        (np.array([None]), "^<calibration>: holds object, expected float32$"),
        ({"image": ["a"]}, "^<calibration>: array 'image' holds <U1, expected float32$"),
        ({"kind": "plan"}, "^<calibration>: "),
    ],
)
def test_wrong_calibration(tiny, calibration, message):
    with pytest.raises(dyadic.Error, match=message):
        dyadic.compile(tiny, calibration=calibration)


def test_values_that_the_float_program_cannot_compute(images):
    huge = np.full((1, 1, 8, 8), 3e38, np.float32)
    with pytest.raises(dyadic.Error, match=r"digits.onnx: value '.*' has a NaN or infinite number .*, for sample 199$"):
        dyadic.compile(DIGITS, calibration=[*(i[None] for i in images[:199]), huge])


@pytest.mark.parametrize(
    "arguments",
    [
        {"model": 3},
        {"model": None},
        {"calibration": 3},
        {"calibration": b"images.npz"},
        {"calibration": [3]},
        {"calibration": [[0.5]]},
        {"calibration": [(np.zeros((1, 1, 8, 8), np.float32), 1)]},
        {"bits": 8.0},
        {"bits": True},
        {"target": None},
        {"rounding": 1},
        {"budgets": "drop:1%"},
        {"budget": 4},
    ],
)
def test_wrong_types(arguments):
    with pytest.raises(TypeError):
        dyadic.compile(**{"model": DIGITS, "calibration": DATA, **arguments})


def test_no_calibration_is_the_tools_error():
    expected = "<model>: no --calibration=PATH, expected representative inputs, or --float for no quantization"
    with pytest.raises(dyadic.Error) as caught:
        dyadic.compile(DIGITS.read_bytes())
    assert str(caught.value) == expected


def test_integer_only_lists_the_islands(compiled, tmp_path):
    plan = compiled.plan
    for layer in ("stem_conv", "head_conv"):
        plan["layers"][layer] = {"float": True}
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    options = [f"--calibration={DATA}", f"--bits={tmp_path / 'plan.json'}", "--integer-only"]
    with pytest.raises(dyadic.Error) as caught:
        dyadic.compile(DIGITS, calibration=DATA, bits=plan, integer_only=True)
    assert str(caught.value) == tool_error(DIGITS, "-o", tmp_path / "net.so", *options)
    assert "\n" in str(caught.value)


def test_save_errors(compiled, tmp_path):
    for name in ["net", "net.exe", "net.ptx", "missing/net.so", "zero\0byte.so"]:
        with pytest.raises(dyadic.Error):
            compiled.save(tmp_path / name)
    with pytest.raises(dyadic.Error, match="r.txt: ending '.txt', expected .json or .html"):
        compiled.save_report(tmp_path / "r.txt")
    assert not list(tmp_path.iterdir())


def test_few_samples_are_a_warning(tiny, images, tmp_path):
    np.savez(tmp_path / "few.npz", image=images[:3])
    for calibration, name in [(tmp_path / "few.npz", tmp_path / "few.npz"), (images[:3], "<calibration>")]:
        with pytest.warns(dyadic.CalibrationWarning) as caught:
            dyadic.compile(tiny, calibration=calibration)
        text = f"{name}: 3 samples, expected at least 10 for ranges that can be trusted"
        assert [str(w.message) for w in caught] == [text] and caught[0].filename == __file__


# Manners


def test_progress(tiny, images):
    calls: list[tuple[int, int]] = []
    dyadic.compile(tiny, calibration=DATA, progress=lambda done, total: calls.append((done, total)))
    total = calls[0][1]
    assert total > 100 and calls == [(i + 1, total) for i in range(total)]
    calls.clear()
    dyadic.compile(tiny, calibration=iter([images]), progress=lambda done, total: calls.append((done, total)))
    assert calls == [(i + 1, 0) for i in range(total)]

    def stop(done: int, total: int) -> None:
        calls.append((done, total))
        raise LookupError("stop")

    calls.clear()
    with pytest.raises(LookupError, match="stop"):
        dyadic.compile(tiny, calibration=DATA, progress=stop)
    assert len(calls) == 1


@pytest.mark.parametrize("calibration, last", [("path", "calibrating: 8/8"), ("[image]", "calibrating: 8")])
def test_progress_on_a_terminal(calibration, last, tiny, images, tmp_path):
    path = tmp_path / "few.npz"
    held_back = next(image for image in images if is_held_back(image))
    np.savez(path, image=np.stack([held_back, *[image for image in images if not is_held_back(image)][:8]]))
    script = f"""
import dyadic, numpy as np, warnings
warnings.simplefilter("ignore")
path = {str(path)!r}
image = np.load(path)["image"]
dyadic.compile({str(tiny)!r}, calibration={calibration}, progress=True)
"""
    reader, writer = os.openpty()
    subprocess.run([sys.executable, "-c", script], stderr=writer, check=True, timeout=300)
    os.close(writer)
    shown = os.read(reader, 1 << 16).decode().replace("\r\n", "\n")
    os.close(reader)
    assert shown.startswith("\rcalibrating: 1") and shown.endswith(f"\r{last}\n")
    off = subprocess.run([sys.executable, "-c", script], stderr=subprocess.PIPE, check=True, timeout=300)
    assert off.stderr == b""  # no terminal


def test_what_a_generator_raises_comes_through(tiny, images):
    def samples():
        yield images
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        dyadic.compile(tiny, calibration=samples())


def test_interrupt(tiny):
    """Ctrl-C between two samples ends the calibration."""

    def interrupt(done: int, total: int) -> None:
        assert done <= 3, "the signal was not noticed"
        if done == 2:
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            dyadic.compile(DIGITS, calibration=DATA, progress=interrupt)
    finally:
        signal.signal(signal.SIGINT, before)
    dyadic.compile(tiny, calibration=DATA)


def test_threads(tiny, tmp_path, images):
    """Several compilations at once, good and bad ones, and calls on one program."""
    bits = ["w8a8", "w4a8", "nonsense", "w4a8"]

    def work(i: int) -> object:
        try:
            return saved(dyadic.compile(tiny, calibration=DATA, bits=bits[i]), tmp_path / str(i), "mlir")
        except dyadic.Error as error:
            return str(error)

    alone = [work(i) for i in range(len(bits))]
    with ThreadPoolExecutor(len(bits)) as pool:
        assert list(pool.map(work, range(len(bits)))) == alone
    assert alone[1] == alone[3] and len({*alone}) == 3

    program = dyadic.compile(tiny, calibration=DATA)
    expected = saved(program, tmp_path)
    with ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(program.run, images) for _ in range(8)]
        reports = [pool.submit(lambda: str(program.report)) for _ in range(8)]
        files = [pool.submit(saved, program, tmp_path / f"f{i}") for i in range(4)]
    assert all(f.result() == expected for f in files) and len({r.result().split("wrote")[0] for r in reports}) == 1
    for run in runs:
        np.testing.assert_array_equal(run.result()["y"], program.run(images)["y"])


def test_other_threads_run_meanwhile():
    beats = 0
    stop = threading.Event()

    def beat() -> None:
        nonlocal beats
        while not stop.wait(0.001):
            beats += 1

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        # `finish` makes no call back into Python: without releasing the lock, nothing beats.
        dyadic.compile(DIGITS, float=True)
    finally:
        stop.set()
        thread.join()
    assert beats > 5


def test_import_is_light():
    script = """
import sys, dyadic
maps = lambda: open("/proc/self/maps").read()
assert "libLLVM" not in maps() and "libMLIR" not in maps() and "dyadic._compiler" not in sys.modules
dyadic.compile({model!r}, float=True)
assert "libMLIR" in maps() and "onnx" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script.format(model=str(DIGITS))], check=True, timeout=300)


def test_beside_other_users_of_protobuf_and_onnx():
    script = """
import onnx, onnxruntime, dyadic
model = onnx.load({model!r})
onnx.checker.check_model(model)
dyadic.compile(model, float=True)
onnx.shape_inference.infer_shapes(model)
onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
dyadic.compile(model, float=True)
"""
    subprocess.run([sys.executable, "-c", script.format(model=str(DIGITS))], check=True, timeout=300)
