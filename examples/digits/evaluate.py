# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Accuracy, size and speed of compiled libraries on the digits test set.

    python evaluate.py LIBRARY.so...
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

import numpy as np

import dyadic

DATA = Path(__file__).resolve().parent / "test.npz"


def main() -> None:
    with np.load(DATA) as data:
        images, labels = data["image"], data["label"]
    print(f"{'library':<28}{'accuracy':>10}{'size':>12}{'time/image':>14}")
    for path in map(Path, sys.argv[1:]):
        program = dyadic.load(path)
        accuracy = 100 * np.mean(program.run({"image": images})["logits"].argmax(1) == labels)
        times = []
        for _ in range(21):
            start = time.perf_counter()
            program.run({"image": images})
            times.append((time.perf_counter() - start) / len(images))
        micros = 1e6 * statistics.median(times)
        print(f"{path.name:<28}{accuracy:>9.2f}%{path.stat().st_size / 1000:>9.1f} KB{micros:>11.1f} us")


if __name__ == "__main__":
    main()
