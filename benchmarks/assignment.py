#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Times quant-search on random assignment problems.

    assignment.py [--groups 50 200 1000] [--families ...] [--seeds N] [--solvers auto highs] [--time-limit S]
    assignment.py --write FOLDER        only writes the problems

Families differ in how perturbation and costs hang together:

    network        what tables of a network look like: 4 widths of weights by 4 of activations, sizes and bit operations
                   of random layers, noisy latency, perturbation falling by 4 for each bit
    independent    every number uniform by itself
    correlated     perturbation is a falling function of the costs, with 1% noise
    near           as network, but groups come in copies that differ by a millionth
    integer        as network, all numbers rounded to few values: many ties

Each has three limits, which a plan uses up almost entirely.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SEARCH = Path(os.environ.get("DYADIC_BIN", ROOT / "build" / "bin")) / "quant-search"
COSTS = ("latency_ms", "size_mb", "bops")
WEIGHTS, ACTIVATIONS = (2, 3, 4, 8), (4, 6, 8, 16)
FAMILIES = ("network", "independent", "correlated", "near", "integer")


def network_group(rng: random.Random) -> list[dict[str, float]]:
    parameters, macs = 10 ** rng.uniform(3, 6), 10 ** rng.uniform(6, 8)
    trace, share = 10 ** rng.uniform(-2, 1), rng.uniform(0.2, 0.8)
    choices = []
    for w in WEIGHTS:
        for a in ACTIVATIONS:
            noise = rng.uniform(0.9, 1.1)
            choices.append({
                "perturbation": trace * (share * 4.0**-w + (1 - share) * 4.0**-a) * rng.uniform(0.8, 1.25),
                "latency_ms": macs / 1e8 * (0.3 + 0.1 * max(w, 4) * max(a, 8) / 32) * noise,
                "size_mb": parameters * w / 8 / 2**20,
                "bops": macs * w * a / 1e6,
            })
    return choices


def independent_group(rng: random.Random) -> list[dict[str, float]]:
    return [{key: rng.random() for key in ("perturbation", *COSTS)} for _ in range(16)]


def correlated_group(rng: random.Random) -> list[dict[str, float]]:
    choices = []
    for _ in range(16):
        costs = {key: rng.uniform(0.1, 1) for key in COSTS}
        choices.append({"perturbation": (4 - sum(costs.values())) * rng.uniform(0.99, 1.01), **costs})
    return choices


def groups(family: str, count: int, rng: random.Random) -> list[list[dict[str, float]]]:
    if family == "independent":
        return [independent_group(rng) for _ in range(count)]
    if family == "correlated":
        return [correlated_group(rng) for _ in range(count)]
    if family == "near":
        kinds = [network_group(rng) for _ in range(max(1, count // 10))]
        return [[{key: value * (1 + rng.uniform(-1e-6, 1e-6)) for key, value in choice.items()}
                 for choice in rng.choice(kinds)] for _ in range(count)]
    made = [network_group(rng) for _ in range(count)]
    if family == "integer":
        for choices in made:
            for choice in choices:
                for key in choice:
                    choice[key] = float(int(choice[key] * {"perturbation": 50, "latency_ms": 4, "size_mb": 8,
                                                           "bops": 0.01}[key]) + 1)
    return made


def problem(family: str, count: int, seed: int) -> dict[str, Any]:
    rng = random.Random(f"{family} {count} {seed}")
    made = groups(family, count, rng)
    # The costs of a plan that a random price of each cost leads to, and up to 5% more: tight, and feasible.
    most = {key: max(choice[key] for choices in made for choice in choices) for key in ("perturbation", *COSTS)}
    price = {key: 10 ** rng.uniform(-1.5, 0) * most["perturbation"] / most[key] for key in COSTS}
    plan = [min(choices, key=lambda choice: choice["perturbation"] + sum(price[key] * choice[key] for key in COSTS))
            for choices in made]
    limits = {key: sum(choice[key] for choice in plan) * rng.uniform(1, 1.05) for key in COSTS}
    return {
        "version": 1, "objective": "perturbation", "limits": limits,
        "groups": [{"name": f"group{i}", "layers": [f"layer{i}"], "choices": [
            {"bits": f"w{w}a{a}", **choice}
            for (w, a), choice in zip(((w, a) for w in WEIGHTS for a in ACTIVATIONS), choices)]}
            for i, choices in enumerate(made)],
    }


def solve(path: Path, solver: str, limit: float) -> tuple[dict[str, Any], float, int]:
    """The answer, its seconds on the clock, start of the process included, and peak memory in KiB."""
    output = path.with_suffix(".plan")
    command = [str(SEARCH), str(path), "-o", str(output), f"--solver={solver}", f"--time-limit={limit}"]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    answer = json.loads(output.read_text()) if output.exists() else {"status": "none"}
    return answer, seconds, usage.ru_maxrss


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--groups", type=int, nargs="+", default=[50, 200, 1000])
    parser.add_argument("--families", nargs="+", default=FAMILIES, choices=FAMILIES)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--solvers", nargs="+", default=["auto"])
    parser.add_argument("--time-limit", type=float, default=60)
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    folder = options.write or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    if not options.write:
        print("| family | groups | solver | proven | median s | most s | largest gap | peak MiB |\n|---|---|---|---|---|---|---|---|")
    for family in options.families:
        for count in options.groups:
            paths = []
            for seed in range(options.seeds):
                paths.append(folder / f"{family}-{count}-{seed}.json")
                paths[-1].write_text(json.dumps(problem(family, count, seed)))
            if options.write:
                continue
            for solver in options.solvers:
                runs = [solve(path, solver, options.time_limit) for path in paths]
                proven = sum(answer["status"] == "optimal" for answer, _, _ in runs)
                gap = max((a["objective"] - a["bound"]) / a["objective"] if "bound" in a and "objective" in a else 1
                          for a, _, _ in runs)
                times = [seconds for _, seconds, _ in runs]
                print(f"| {family} | {count} | {solver} | {proven} of {len(runs)} | {statistics.median(times):.3f} | "
                      f"{max(times):.3f} | {gap:.1e} | {max(kib for _, _, kib in runs) / 1024:.0f} |", flush=True)


if __name__ == "__main__":
    main()
