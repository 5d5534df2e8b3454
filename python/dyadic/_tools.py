# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The tools as commands: each replaces this process, so that options, messages and exit
codes are its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

TOOLS = {
    "translate": "compiles an ONNX model (quant-translate)",
    "run": "runs a library, a float ONNX model or a module (quant-run)",
    "opt": "runs passes over a module in textual form (quant-opt)",
    "search": "chooses bits for a problem given as tables (quant-search)",
}
USAGE = "usage: python -m dyadic COMMAND OPTIONS...\n\ncommands, each with its own --help:\n" + "".join(
    f"  {name:<11}{text}\n" for name, text in TOOLS.items()
)


def main(arguments: list[str]) -> int:
    """Runs a tool and does not return; or the exit code where there is none to run."""
    command = arguments[0] if arguments else ""
    if command in ("-h", "--help"):
        print(USAGE, end="")
        return 0
    if command not in TOOLS:
        found = f"unknown command '{command}'" if command else "no command"
        print(f"error: {found}, expected {', '.join(TOOLS)}", file=sys.stderr)
        return 1
    execute(command, arguments[1:])


def execute(command: str, arguments: list[str]) -> NoReturn:
    tool = Path(__file__).with_name("bin") / f"quant-{command}"
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(tool, [str(tool), *arguments])


def translate() -> NoReturn:
    """The command ``quant-translate`` of an installed package."""
    execute("translate", sys.argv[1:])


def run() -> NoReturn:
    """The command ``quant-run`` of an installed package."""
    execute("run", sys.argv[1:])


def opt() -> NoReturn:
    """The command ``quant-opt`` of an installed package."""
    execute("opt", sys.argv[1:])


def search() -> NoReturn:
    """The command ``quant-search`` of an installed package."""
    execute("search", sys.argv[1:])
