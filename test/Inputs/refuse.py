# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs a command that has to be refused and prints its error: `refuse.py COMMAND...`.

Exit 0 only where the command exits with 1, writes one error report (one line, then lines indented by two spaces in
order) and nothing to the standard output, leaves the folder as it was, and takes at most 5 s and 1 GB. The seconds are
of the processor, so that a busy machine does not fail the test. DYADIC_SECONDS and DYADIC_MEGABYTES are other limits,
for builds with sanitizers.
"""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

SECONDS = int(os.environ.get("DYADIC_SECONDS", "5"))
PATIENCE = 120  # on the clock
BYTES = int(os.environ.get("DYADIC_MEGABYTES", "1024")) << 20


class Result(NamedTuple):
    code: int  # minus the signal where one ended it
    output: str
    errors: str
    bytes: int


def limit() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.alarm(PATIENCE)


def run(command: list[str]) -> Result:
    """Ends the command by a signal where it takes too long."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, preexec_fn=limit)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        texts = []
        for file in (output, errors):
            file.seek(0)
            texts.append(file.read().decode(errors="backslashreplace"))
        return Result(process.returncode, texts[0], texts[1], usage.ru_maxrss * 1024)


def is_report(text: str) -> bool:
    first, *rest = text.removesuffix("\n").split("\n")
    return (text.endswith("\n") and first.startswith("error: ") and not re.search(r"[^.]\.$", first)
            and all(line.startswith("  ") for line in rest) and rest == sorted(rest)
            and all(line.isprintable() for line in [first, *rest]))


def fault(result: Result) -> str:
    """Why `result` is not that of a refusal; empty where it is."""
    if result.code != 1:
        return f"exit code {result.code}, expected 1"
    if result.output or not is_report(result.errors):
        return f"expected one error report alone, found {result.output + result.errors!r}"
    return f"takes {result.bytes >> 20} MiB, expected at most {BYTES >> 20}" if result.bytes > BYTES else ""


def listing() -> set[tuple[str, int, int]]:
    paths = [(path, path.lstat()) for path in Path(".").rglob("*")]
    return {(str(path), status.st_size, status.st_mtime_ns) for path, status in paths if not path.is_dir()}


def main(command: list[str]) -> None:
    before = listing()
    result = run(command)
    print(result.errors, end="")
    wrong = fault(result)
    if changes := sorted(listing() ^ before):
        wrong = wrong or f"expected no change of the folder, found {changes}"
    if wrong:
        sys.exit(f"refuse.py: {' '.join(command)}: {wrong}")


if __name__ == "__main__":
    main(sys.argv[1:])
