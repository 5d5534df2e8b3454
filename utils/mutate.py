#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Imports a model with bytes flipped or cut off, many times: every time it has to work or to be refused.

    .venv/bin/python utils/mutate.py --model=examples/digits/digits.onnx --count=2000 --seed=0

A crash, an exit code other than 0 and 1, more than 5 s or 1 GB, a file left behind, or an error that is not one report
is a failure: its file is kept in --keep, and the exit code is 1. The same seed gives the same files.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

import onnx

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "test" / "Inputs"))
from refuse import BYTES, Result, fault, run  # noqa: E402


def structure(data: bytes) -> list[int]:
    """Where bytes are that are not weights: most of a model is, and any weight will do."""
    is_weight = bytearray(len(data))
    for tensor in onnx.load_model_from_string(data).graph.initializer:
        size = len(tensor.raw_data)
        at = data.find(tensor.raw_data)
        is_weight[at : at + size] = bytes([1]) * size
    return [at for at, weight in enumerate(is_weight) if not weight]


def mutation(data: bytes, places: list[int], seed: int) -> bytes:
    """One in five is cut off; the others have some bytes changed, near each other or not, half of them at `places`."""
    draw = random.Random(seed)
    if draw.random() < 0.2:
        return data[: draw.randrange(len(data))]
    changed = bytearray(data)
    start = draw.choice(places) if draw.random() < 0.5 else draw.randrange(len(data))
    span = draw.choice([1, 16, 256, len(data)])
    for _ in range(draw.choice([1, 1, 2, 4, 16])):
        at = (start + draw.randrange(span)) % len(data)
        changed[at] = draw.choice([changed[at] ^ 1 << draw.randrange(8), draw.randrange(256), 0, 255])
    return bytes(changed)


def check(result: Result, folder: Path) -> str:
    files = {path.name for path in folder.iterdir()}
    if result.code != 0:
        return fault(result) or ("" if files == {"m.onnx"} else f"leaves {files}")
    if files != {"m.onnx", "m.mlir"} or result.errors:
        return f"exit code 0 with {files} and {result.errors!r}"
    return f"takes {result.bytes >> 20} MiB" if result.bytes > BYTES else ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path, default=ROOT / "examples" / "digits" / "digits.onnx")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0, help="of the first mutation; the next has the next one")
    parser.add_argument("--tool", default=str(ROOT / "build" / "bin" / "quant-translate"))
    parser.add_argument("--keep", type=Path, default=Path("mutations"), help="folder for files that fail")
    options = parser.parse_args()
    data = options.model.read_bytes()
    places = structure(data)
    counts = {"imported": 0, "refused": 0, "failed": 0}
    for seed in range(options.seed, options.seed + options.count):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            model = folder / "m.onnx"
            model.write_bytes(mutation(data, places, seed))
            result = run([options.tool, str(model), "--float", "-o", str(folder / "m.mlir")])
            if wrong := check(result, folder):
                options.keep.mkdir(parents=True, exist_ok=True)
                kept = options.keep / f"{options.model.stem}-{seed}.onnx"
                kept.write_bytes(model.read_bytes())
                print(f"{kept}: {wrong}", flush=True)
            counts["failed" if wrong else "refused" if result.code else "imported"] += 1
    print(", ".join(f"{count} {what}" for what, count in counts.items()))
    return 1 if counts["failed"] or not options.count else 0


if __name__ == "__main__":
    sys.exit(main())
