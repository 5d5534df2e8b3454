# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A full disk, and files beyond what a process may write: one error, nothing written."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import BIN, ROOT

sys.path.insert(0, str(ROOT / "test" / "Inputs"))
import bad_models  # noqa: E402

FLOAT = "quant-translate ../good.onnx --float -o "
QUANTIZE = "quant-translate ../good.onnx --calibration=../good.npz "
RUN = "quant-run ../good.onnx --inputs=../good.npz "
#: Commands by the file that is too large; the smaller ones before it must go too.
COMMANDS = {
    "out.o": FLOAT + "out.o",
    "out.s": FLOAT + "out.s",
    "out.ll": FLOAT + "out.ll",
    "out.mlir": FLOAT + "out.mlir",
    "table.json": QUANTIZE + "--save-calibration=table.json",
    "report.html": QUANTIZE + "-o ../library.so --report=report.html",
    "report.json": QUANTIZE + "-o ../library.so --report=report.json --save-plan=plan.json",
    "outputs.npz": RUN + "--outputs=outputs.npz",
    "values.npz": RUN + "--dump=values.npz",
}


@pytest.fixture
def folder(tmp_path) -> Path:
    """An empty folder, with a model and samples in the one above."""
    (tmp_path / "good.onnx").write_bytes(bad_models.models()["good"].SerializeToString())
    np.savez(tmp_path / "good.npz", x=np.random.default_rng(0).random((12, 3, 8, 8), np.float32))
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


def split(command: str) -> list[str]:
    tool, *rest = command.split()
    return [str(BIN / tool), *rest]


def check_refused(result: subprocess.CompletedProcess[str], file: str, reason: str) -> None:
    assert (result.returncode, result.stdout) == (1, ""), result
    message = result.stderr.replace("write error: ", "")  # libzip's
    assert message == f"error: {file}: cannot be written: {reason}\n"


@pytest.mark.parametrize("file", [name for name in COMMANDS if not name.startswith("report")])
def test_limit_of_file_sizes(file, folder):
    """Every system has one, unlike small disks."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    result = subprocess.run(
        split(COMMANDS[file]),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=limit,
        restore_signals=False,
    )
    check_refused(result, file, "File too large")
    assert list(folder.iterdir()) == []


#: Mounts a disk of one page on the folder $1, runs the rest there, and shows what is left.
SMALL_DISK = 'mount -t tmpfs -o size=4k none "$1" || exit 77; cd "$1"; shift; "$@"; code=$?; ls -A; exit $code'


@pytest.mark.parametrize("file", ["library.so", *(name for name in COMMANDS if name != "out.mlir")])
def test_full_disk(file, folder):
    command = COMMANDS.get(file, FLOAT + "library.so")
    try:
        result = subprocess.run(
            ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", SMALL_DISK, "sh", folder, *split(command)],
            capture_output=True,
            text=True,
            timeout=60,
        )
    except FileNotFoundError:
        pytest.skip("needs unshare")
    if result.returncode == 77 or result.stderr.startswith("unshare:"):
        pytest.skip("needs a system that lets users mount")
    check_refused(result, file, "No space left on device")
    assert sorted(path.name for path in folder.parent.iterdir()) == ["empty", "good.npz", "good.onnx"]


@pytest.mark.parametrize("command", [FLOAT + "out.mlir", QUANTIZE + "--save-calibration=t.json", RUN + "--json"])
def test_full_standard_output(command, folder):
    with open("/dev/full", "w") as full:
        result = subprocess.run(
            split(command), cwd=folder, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
        )
    assert result.returncode == 1
    assert result.stderr == "error: standard output: cannot be written: No space left on device\n"
