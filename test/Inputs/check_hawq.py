# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Solves the problems that hawq_problem.py wrote and compares with the published bits: `check_hawq.py FOLDER`.

An answer has to be proven optimal, within its limit, and no worse than the published one.
"""

from __future__ import annotations

import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path


def exact(problem: dict, choices: dict[str, str], key: str) -> Fraction:
    """A sum of the decimals that the file holds."""
    return sum(Fraction(repr(choice[key])) for group in problem["groups"] for choice in group["choices"]
               if choice["bits"] == choices[group["name"]])


def main(folder: str) -> None:
    expected = json.loads((Path(folder) / "expected.json").read_text())
    same = 0
    for name, published in expected.items():
        path, output = Path(folder) / f"{name}.json", Path(folder) / f"{name}.plan"
        subprocess.run(["quant-search", path, "-o", output], check=True, stdout=subprocess.DEVNULL)
        problem, answer = json.loads(path.read_text()), json.loads(output.read_text())
        objective = exact(problem, answer["choices"], "perturbation")
        assert answer["status"] == "optimal" and answer["bound"] == answer["objective"] == float(objective), answer
        for cost, limit in problem["limits"].items():
            assert exact(problem, answer["choices"], cost) <= Fraction(repr(limit)), (name, cost)
        assert objective <= exact(problem, published["choices"], "perturbation"), name
        is_same = answer["choices"] == published["choices"]
        same += is_same
        print(f"{name}: {answer['objective']}, published {published['perturbation']}" + ("" if is_same else ": better"))
    print(f"{same} of {len(expected)} published assignments are the optimum")


if __name__ == "__main__":
    main(*sys.argv[1:])
