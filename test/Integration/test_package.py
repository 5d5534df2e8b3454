# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The Python package as it is installed: its files, its types, its commands, its documentation."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import dyadic
import numpy as np
import pytest
from conftest import BIN, ROOT, run_tool

BUILD = BIN.parent
DIGITS = ROOT / "examples" / "digits" / "digits.onnx"
DATA = ROOT / "examples" / "digits" / "calibration.npz"


def run_python(*arguments: object, path: object = None, **options: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **({"PYTHONPATH": str(path)} if path else {})}
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment, **options)


def module(tool: str, *arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    return run_python("-m", "dyadic", tool, *arguments, **options)


@pytest.mark.parametrize("section", ["Compile from Python"])
def test_documentation(section, tmp_path):
    """The Python code of a section runs as it stands."""
    text = (ROOT / "docs" / "GettingStarted.md").read_text()
    part = re.search(rf"^## {section}$(.*?)^## ", text, re.MULTILINE | re.DOTALL)
    code = "\n".join(re.findall(r"^```python\n(.*?)^```", part.group(1), re.MULTILINE | re.DOTALL))
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    result = run_python("-c", code, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert float(result.stdout.split()[0]) > 0.98 and (tmp_path / "digits.h").exists()
    with np.load(ROOT / "examples" / "digits" / "test.npz") as data:
        logits = dyadic.load(tmp_path / "digits.so").run(data["image"])["logits"]
        assert np.mean(logits.argmax(1) == data["label"]) > 0.98


# python -m dyadic


@pytest.mark.parametrize("tool", ["translate", "run", "opt", "search"])
@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["--nonsense"], ["missing.file"], []])
def test_commands_are_the_tools(tool, arguments):
    found = module(tool, *arguments, stdin=subprocess.DEVNULL)
    expected = subprocess.run([BIN / f"quant-{tool}", *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert (found.returncode, found.stdout) == (expected.returncode, expected.stdout)
    # Upstream's quant-opt names itself by its path.
    errors = [re.sub(r"\S*/quant-opt", "quant-opt", result.stderr) for result in (found, expected)]
    assert errors[0] == errors[1]


def test_translate_and_run(tmp_path):
    assert module("translate", DIGITS, f"--calibration={DATA}", "-o", tmp_path / "net.so").returncode == 0
    (tmp_path / "tool").mkdir()
    run_tool("quant-translate", DIGITS, f"--calibration={DATA}", "-o", tmp_path / "tool" / "net.so")
    assert (tmp_path / "net.so").read_bytes() == (tmp_path / "tool" / "net.so").read_bytes()
    result = module("run", tmp_path / "net.so", f"--inputs={DATA}", f"--outputs={tmp_path / 'out.npz'}")
    assert result.returncode == 0, result.stderr
    with np.load(tmp_path / "out.npz") as out, np.load(DATA) as data:
        expected = dyadic.load(tmp_path / "net.so").run(data["image"])["logits"]
        np.testing.assert_array_equal(out["logits"], expected)


@pytest.mark.parametrize(
    "arguments, code, out, error",
    [
        (["--help"], 0, "usage: python -m dyadic COMMAND", ""),
        ([], 1, "", "error: no command, expected translate, run, opt, search\n"),
        (["compile"], 1, "", "error: unknown command 'compile', expected translate, run, opt, search\n"),
    ],
)
def test_command_line(arguments, code, out, error):
    result = run_python("-m", "dyadic", *arguments)
    assert result.returncode == code and result.stdout.startswith(out) and result.stderr == error


# What is installed


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("installed")
    command = [Path(sys.executable).with_name("cmake"), "--install", BUILD, "--component", "python", "--prefix", folder]
    subprocess.run(list(map(str, command)), check=True, capture_output=True)
    return folder


def test_installed_files(installed):
    files = {str(f.relative_to(installed / "dyadic")) for f in installed.rglob("*") if f.is_file()}
    sources = {f.name for f in (ROOT / "python" / "dyadic").iterdir() if f.is_file()}
    suffix = Path(dyadic._program._runtime.__file__).name.removeprefix("_runtime")
    extensions = {f"{name}{ending}" for name in ("_runtime", "_compiler") for ending in (suffix, ".pyi")}
    assert files == sources | extensions | {f"bin/quant-{tool}" for tool in ("translate", "run", "opt", "search")}
    assert {"py.typed", "__init__.py"} <= sources and not any(f.is_symlink() for f in installed.rglob("*"))


def test_installed_package_compiles(installed, tmp_path):
    script = f"""
import dyadic
assert dyadic.__file__.startswith({str(installed)!r}), dyadic.__file__
dyadic.compile({str(DIGITS)!r}, calibration={str(DATA)!r}).save("python.so")
"""
    result = run_python("-c", script, path=installed, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    result = module("translate", DIGITS, f"--calibration={DATA}", "--name=python", "-o", "tool.so", path=installed, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "python.so").read_bytes() == (tmp_path / "tool.so").read_bytes()


def test_types(tmp_path):
    """The package passes mypy --strict, and so does code that uses it as documented."""
    pytest.importorskip("mypy")
    (tmp_path / "user.py").write_text(
        """
from collections.abc import Iterator
from pathlib import Path
from typing import Any
import dyadic
import numpy as np

Images = np.ndarray[Any, Any]

def samples() -> Iterator[dict[str, Images]]:
    yield {"image": np.zeros((1, 1, 8, 8), np.float32)}

program: dyadic.CompiledProgram = dyadic.compile(Path("m.onnx"), calibration=samples(), bits="w4a8",
                                                 input_shapes={"image": (1, 1, 8, 8)}, progress=True)
other: dyadic.Program = dyadic.compile(b"", float=True)
dyadic.compile("m.onnx", calibration=np.zeros(3), bits={"kind": "plan"}, progress=lambda done, total: None)
logits: Images = program.run({"image": np.zeros(3)}, threads=2)["logits"]
layers = program.report["layers"]
info = program.inputs["image"]
scales: list[float] = info.scales
program.save("m.so")
dyadic.compile("m.onnx", bits=8.5)  # expected: error
dyadic.compile("m.onnx", colour=1)  # expected: error
"""
    )
    mypy = ["-m", "mypy", "--strict", f"--cache-dir={tmp_path / 'cache'}"]
    result = run_python(*mypy, "-p", "dyadic", cwd=BUILD / "python")
    assert result.returncode == 0, result.stdout
    result = run_python(*mypy, "user.py", cwd=tmp_path)
    lines = (tmp_path / "user.py").read_text().splitlines()
    expected = {i + 1 for i, line in enumerate(lines) if "expected: error" in line}
    found = {int(m) for m in re.findall(r"^user\.py:(\d+): error", result.stdout, re.MULTILINE)}
    assert found == expected, result.stdout
