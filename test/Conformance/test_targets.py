# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""One model for several targets, and the C interface as a C program sees it."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import threading
from pathlib import Path

import dyadic
import numpy as np
import pytest

from abi import PARALLEL_FOR, Model
from conftest import run_tool

HOST = Path(__file__).with_name("host.c")
OK, NULL_ARGUMENT, BAD_BATCH, BAD_THREADS = range(4)


def need(tool: str) -> str:
    path = shutil.which(tool)
    if path is None:
        pytest.skip(f"needs {tool}")
    return path


def build_host(compiler: list[str], object_file: Path, folder: Path) -> Path:
    host = folder / "host"
    subprocess.run(
        [*compiler, "-O1", "-Wall", "-Werror", f"-I{object_file.parent}", str(HOST), str(object_file), "-o", str(host)],
        check=True,
    )
    return host


@pytest.fixture(scope="session")
def compile_digits(models, table):
    def compile(options: list[str], folder: Path, name: str = "digits.o") -> Path:
        folder.mkdir(exist_ok=True)
        common = [models("digits").onnx, f"--calibration={table('digits')}", "--weight-rounding=nearest", "--name=digits"]
        run_tool("quant-translate", *common, *options, "-o", folder / name)
        return folder / name

    return compile


@pytest.mark.parametrize("cpu", ["generic", "neon-dotprod", "neon-i8mm", "generic,neon-dotprod,neon-i8mm"])
@pytest.mark.parametrize("io", ["float", "integer"])
def test_aarch64_gives_the_same_bits(io, cpu, compile_digits, models, tmp_path):
    qemu, compiler = need("qemu-aarch64"), need("aarch64-linux-gnu-gcc")
    arm = compile_digits([f"--io={io}", f"--target={cpu}@aarch64-linux-gnu"], tmp_path / "arm")
    native = dyadic.load(compile_digits([f"--io={io}"], tmp_path / "native", "digits.so"))
    images = models("digits").test[:16]
    if io == "integer":
        images = np.clip(np.rint(images * 255), 0, 255).astype(np.uint8)
    expected = native.run(images)["logits"]
    images.tofile(tmp_path / "in")
    host = build_host([compiler, "-static"], arm, tmp_path)
    subprocess.run(
        [qemu, "-cpu", "max", str(host), str(tmp_path / "in"), str(tmp_path / "out"), str(len(images))],
        check=True,
        timeout=120,
    )
    found = np.fromfile(tmp_path / "out", expected.dtype).reshape(expected.shape)
    np.testing.assert_array_equal(found, expected)


def test_aarch64_refuses_a_cpu_without_the_instructions(compile_digits, tmp_path):
    qemu, compiler = need("qemu-aarch64"), need("aarch64-linux-gnu-gcc")
    host = build_host(
        [compiler, "-static"], compile_digits(["--target=neon-dotprod"], tmp_path / "o"), tmp_path
    )
    command = [str(host), "-", "-", "1", "open"]
    old = subprocess.run([qemu, "-cpu", "cortex-a53", *command], capture_output=True, text=True, timeout=120)
    assert (old.returncode, "FEAT_DotProd" in old.stdout) == (3, True), old
    new = subprocess.run([qemu, "-cpu", "max", *command], capture_output=True, text=True, timeout=120)
    assert new.stdout.startswith("neon-dotprod"), new


def test_cortex_m_is_an_object_without_floats_or_helpers(compile_digits, tmp_path):
    tool = need("llvm-nm-22") if shutil.which("llvm-nm-22") else need("nm")
    path = compile_digits(["--target=cortex-m", "--io=integer", "--integer-only"], tmp_path / "o")
    listed = subprocess.run([tool, "--undefined-only", str(path)], capture_output=True, text=True, check=True).stdout
    names = {line.split()[-1] for line in listed.splitlines() if line.strip()}
    # Division and products of 64 bits are the compiler's helpers where a CPU has none; float ones never appear.
    assert names <= {"memcpy", "memset", "memmove", "__aeabi_memcpy", "__aeabi_memset", "__aeabi_memclr"} | {
        n for n in names if n.startswith(("__aeabi_mem", "__aeabi_l", "__aeabi_ul"))
    }, names


@pytest.mark.parametrize("triple", ["arm-none-eabi", "thumbv6m-none-eabi", "riscv64-linux-gnu", "i686-linux-gnu"])
def test_threads_need_no_library(triple, compile_digits, tmp_path):
    tool = need("llvm-nm-22")
    path = compile_digits([f"--target=generic@{triple}"], tmp_path / "o")
    listed = subprocess.run([tool, "--undefined-only", str(path)], capture_output=True, text=True, check=True).stdout
    assert "atomic" not in listed and "sync" not in listed


def test_open_refuses_a_cpu_without_the_instructions(compile_digits, tmp_path):
    qemu, compiler = need("qemu-x86_64"), need("cc")
    host = build_host([compiler, "-static"], compile_digits(["--target=avx2"], tmp_path / "o"), tmp_path)
    old = subprocess.run(
        [qemu, "-cpu", "qemu64", str(host), "-", "-", "1", "open"], capture_output=True, text=True, timeout=120
    )
    assert (old.returncode, "AVX2" in old.stdout) == (3, True), old
    new = subprocess.run(
        [qemu, "-cpu", "max", str(host), "-", "-", "1", "open"], capture_output=True, text=True, timeout=120
    )
    assert new.stdout in ("avx2\n", old.stdout)  # qemu 7 emulates AVX2 or says that it lacks it


def test_a_library_for_several_cpus_takes_the_best(compile_digits, models, tmp_path):
    qemu, compiler = need("qemu-x86_64"), need("cc")
    images = models("digits").test[:4]
    images.tofile(tmp_path / "in")
    several = compile_digits(["--target=avx512vnni,generic,avx2"], tmp_path / "o")
    host = build_host([compiler, "-static"], several, tmp_path)
    old = [qemu, "-cpu", "qemu64", str(host)]
    opened = subprocess.run([*old, "-", "-", "1", "open"], capture_output=True, text=True, timeout=120)
    assert opened.stdout == "generic\n"
    subprocess.run([*old, str(tmp_path / "in"), str(tmp_path / "out"), "4"], check=True, timeout=120)
    library = compile_digits(["--target=avx512vnni,generic,avx2"], tmp_path / "so", "digits.so")
    here = dyadic.load(library)
    native = dyadic.load(compile_digits([], tmp_path / "n", "digits.so"))
    if native.target in ("avx2", "avx512vnni"):
        assert here.target == native.target
    expected = native.run(images)["logits"]
    np.testing.assert_array_equal(here.run(images)["logits"], expected)
    np.testing.assert_array_equal(np.fromfile(tmp_path / "out", np.float32).reshape(expected.shape), expected)


def test_generic_runs_on_the_oldest_cpu(compile_digits, models, tmp_path):
    qemu, compiler = need("qemu-x86_64"), need("cc")
    generic = compile_digits(["--target=generic"], tmp_path / "o")
    images = models("digits").test[:4]
    images.tofile(tmp_path / "in")
    host = build_host([compiler, "-static"], generic, tmp_path)
    subprocess.run(
        [qemu, "-cpu", "qemu64", str(host), str(tmp_path / "in"), str(tmp_path / "out"), "4"], check=True, timeout=120
    )
    expected = dyadic.load(compile_digits([], tmp_path / "n", "digits.so")).run(images)["logits"]
    np.testing.assert_array_equal(np.fromfile(tmp_path / "out", np.float32).reshape(expected.shape), expected)


def test_header_is_c_and_cxx(compile_digits, tmp_path):
    header = compile_digits([], tmp_path / "o").with_suffix(".h")
    for language, standard in [("c", "c99"), ("c++", "c++11")]:
        subprocess.run(
            ["cc", "-x", language, f"-std={standard}", "-pedantic", "-Wall", "-Werror", "-fsyntax-only", str(header)],
            check=True,
        )


# The interface by ctypes: what no well-behaved caller does.


class Caller:
    """Calls `run` of a model with one input and one output, with arguments of its own."""

    def __init__(self, library: Path, name: str, sample: np.ndarray, classes: int, batch: int = 4) -> None:
        self.library = ctypes.CDLL(str(library))
        self.open = getattr(self.library, f"{name}_open")
        self.open.restype = ctypes.POINTER(Model)
        self.model = self.open(None).contents
        self.samples = np.ascontiguousarray(np.linspace(0, 1, batch * sample.size, dtype=np.float32))
        self.logits = np.zeros((batch, classes), np.float32)
        self.space = np.zeros(self.model.workspace_size(batch, 4) + 4096, np.uint8)

    def run(
        self,
        batch: int = 1,
        threads: int = 1,
        inputs: bool = True,
        outputs: bool = True,
        workspace: bool = True,
        input: bool = True,
        output: bool = True,
        parallel_for=PARALLEL_FOR(),
        logits: np.ndarray | None = None,
        space: np.ndarray | None = None,
    ) -> int:
        logits, space = self.logits if logits is None else logits, self.space if space is None else space
        ins = (ctypes.c_void_p * 1)(self.samples.ctypes.data if input else None)
        outs = (ctypes.c_void_p * 1)(logits.ctypes.data if output else None)
        aligned = (space.ctypes.data + 63) // 64 * 64
        return self.model.run(
            ins if inputs else None,
            outs if outputs else None,
            batch,
            aligned if workspace else None,
            threads,
            parallel_for,
            None,
        )


@pytest.fixture(scope="module")
def caller(compile_digits, models, tmp_path_factory):
    library = compile_digits([], tmp_path_factory.mktemp("abi"), "digits.so")
    return Caller(library, "digits", models("digits").test[0], 10)


def test_descriptor(caller):
    assert (caller.model.struct_size, caller.model.abi_version, caller.model.tensor_size) == (
        ctypes.sizeof(Model),
        1,
        64,
    )
    assert (caller.model.num_inputs, caller.model.num_outputs, caller.model.num_values) == (1, 1, 0)
    assert len(caller.model.fingerprint) == 64


def test_open_is_the_same_by_both_names(caller):
    alias = caller.library.dyadic_open
    alias.restype = ctypes.POINTER(Model)
    message = ctypes.c_char_p(b"untouched")
    models = [alias(None), alias(ctypes.byref(message)), caller.open(None)]
    assert len({ctypes.addressof(m.contents) for m in models}) == 1


def test_statuses(caller):
    assert caller.run() == OK
    for missing in ("inputs", "outputs", "workspace", "input", "output"):
        assert caller.run(**{missing: False}) == NULL_ARGUMENT, missing
    assert caller.run(batch=0) == BAD_BATCH
    assert caller.run(batch=-(2**63)) == BAD_BATCH
    assert caller.run(threads=0) == BAD_THREADS
    assert caller.run(threads=2) == BAD_THREADS  # nobody to run the second


def test_workspace_size(caller):
    size = caller.model.workspace_size
    assert size(0, 1) == size(1, 0) == size(-1, 1) == 0
    assert size(4, 2) == 2 * size(1, 1) and size(1, 8) == size(1, 1)


def test_parallel_for_runs_every_sample_once(caller):
    assert caller.run(batch=4) == OK
    expected, ran = caller.logits.copy(), []

    def backwards(context, n, function, argument):
        for i in reversed(range(n)):
            ran.append(i)
            function(argument, i)

    caller.logits[:] = 0
    assert caller.run(batch=4, threads=3, parallel_for=PARALLEL_FOR(backwards)) == OK
    assert ran == [2, 1, 0]
    np.testing.assert_array_equal(caller.logits, expected)


def test_nothing_is_written_beyond_the_workspace_and_the_output(caller):
    for batch in (1, 3):
        size = caller.model.workspace_size(batch, 1)
        space, logits = np.full(size + 4096, 0xA5, np.uint8), np.full((batch + 1, 10), 7, np.float32)
        start = -space.ctypes.data % 64
        before = caller.samples.copy()
        assert caller.run(batch=batch, logits=logits, space=space) == OK
        assert (space[:start] == 0xA5).all() and (space[start + size :] == 0xA5).all()
        assert (logits[batch] == 7).all() and (logits[:batch] != 7).any()
        np.testing.assert_array_equal(caller.samples, before)


def test_what_the_workspace_held_does_not_matter(caller):
    results = []
    for byte in (0, 0xFF):
        caller.space[:] = byte
        caller.logits[:] = 0
        assert caller.run(batch=4) == OK
        results.append(caller.logits.copy())
    np.testing.assert_array_equal(*results)


def test_several_threads_run_at_once(caller):
    """ctypes releases the interpreter's lock, so that the calls overlap."""
    assert caller.run(batch=4) == OK
    expected, wrong = caller.logits.copy(), []

    def work() -> None:
        logits, space = np.zeros_like(expected), np.zeros_like(caller.space)
        for _ in range(100):
            logits[:] = 0
            if caller.run(batch=4, logits=logits, space=space) != OK or not np.array_equal(logits, expected):
                wrong.append(logits.copy())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_batch_and_threads_change_nothing(models, translate):
    program = dyadic.load(translate("digits"))
    images = models("digits").test[:7]
    single = np.concatenate([program.run(x[None])["logits"] for x in images])
    for threads in (1, 2, 3, 16):
        np.testing.assert_array_equal(program.run(images, threads=threads)["logits"], single)


def test_fixed_batch_is_refused(models, translate):
    library = translate("kws", "--weight-rounding=nearest")
    with pytest.raises(dyadic.Error, match=r"float32 \[2, 1, 49, 10\], expected float32 \[1, 1, 49, 10\]"):
        dyadic.load(library).run(models("kws").test[:2])
    caller = Caller(library, "kws", models("kws").test[0], 12, batch=1)
    assert [caller.run(batch=batch) for batch in (0, 1, 2)] == [BAD_BATCH, OK, BAD_BATCH]
    assert caller.model.workspace_size(2, 1) == 0
