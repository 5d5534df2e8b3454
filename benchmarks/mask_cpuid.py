#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Copies of the rivals' packages that take this CPU for one with AVX2 and nothing newer.

No rival but oneDNN can be told which instructions to use, and a machine without AVX512-VNNI is not always at hand. In the
copies every `cpuid` is a breakpoint, whose handler (mask_cpuid.c) answers without AVX-512, VNNI and AMX. What they
then run is what they would run on such a CPU, at the speed of this one.
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

#: Packages with kernels of their own.
PACKAGES = ("onnxruntime", "openvino", "MNN")
CPUID, BREAKPOINT = b"\x0f\xa2", b"\xcc\x90"


def file_offset(image: bytes, address: int) -> int:
    """Where in an ELF64 file the byte is that is loaded at `address`."""
    table, size, count = struct.unpack_from("<Q", image, 32)[0], *struct.unpack_from("<HH", image, 54)
    for i in range(count):
        kind, _, offset, start, _, length = struct.unpack_from("<IIQQQQ", image, table + i * size)
        if kind == 1 and start <= address < start + length:  # PT_LOAD
            return address - start + offset
    raise ValueError(f"no segment holds {address:#x}")


def patch(path: Path) -> int:
    """Replaces the cpuid instructions of a library; how many there were."""
    listing = subprocess.run(["objdump", "-d", "--no-show-raw-insn", path], capture_output=True, text=True, check=True)
    image = bytearray(path.read_bytes())
    found = [line.split(":")[0].strip() for line in listing.stdout.splitlines() if line.split()[1:] == ["cpuid"]]
    for address in found:
        offset = file_offset(image, int(address, 16))
        if image[offset : offset + 2] != CPUID:
            raise ValueError(f"{path.name}: no cpuid at {address}")
        image[offset : offset + 2] = BREAKPOINT
    if found:
        path.write_bytes(image)
    return len(found)


def environment(folder: Path) -> dict[str, str]:
    """Variables with which Python finds the copies, which are made in `folder` where they are not there yet."""
    marker = folder / "complete"
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = distribution(name)
        except PackageNotFoundError:
            continue
    wanted = "\n".join(f"{name} {package.version}" for name, package in versions.items())
    if not marker.exists() or marker.read_text() != wanted:
        compiler = os.environ.get("CC", "cc")
        for tool, package in (("objdump", "binutils"), (compiler, "gcc")):
            if not shutil.which(tool):
                raise RuntimeError(f"'{tool}' not found, expected it on the PATH (Debian: {package})")
        shutil.rmtree(folder, ignore_errors=True)
        for name, package in versions.items():
            for file in package.files or []:
                source = Path(package.locate_file(file))
                if ".." in file.parts or not source.is_file():
                    continue
                target = folder / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
                if ".so" in file.name and (count := patch(target)):
                    print(f"{name}: {count} of cpuid in {file.name}", file=sys.stderr, flush=True)
        source = Path(__file__).with_name("mask_cpuid.c")
        subprocess.run([compiler, "-O2", "-shared", "-fPIC", source, "-o", folder / "mask_cpuid.so"], check=True)
        marker.write_text(wanted)
    return {"PYTHONPATH": str(folder), "LD_PRELOAD": str(folder / "mask_cpuid.so")}
