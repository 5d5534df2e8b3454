#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Predicted against measured latency, and the front of accuracy against it, of plans that --budget=latency finds.

    latency.py [MODEL...] [--target avx2] [--points 8] [--choices w4a4,w4a8,w8a8] [--evaluate FILE]

Times of layers are measured once a model, into a cost table. Every plan is then compiled twice: the difference of the
two measured times is the noise that a prediction cannot beat. Agreement with float and SQNR are those of evaluate.py on
its evaluation samples, which neither calibration nor the search has seen.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from accuracy import ROOT, load_evaluate
from mixed import MODELS, tool


def total(report: Path) -> float:
    """Milliseconds of the program, in its report."""
    return json.loads(report.read_text())["times"]["integer"]["total_us"] / 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=MODELS)
    parser.add_argument("--target", default="native")
    parser.add_argument("--points", type=int, default=8, help="limits, from --least to that of W8A8")
    parser.add_argument("--least", type=float, default=0.6, help="the smallest limit, relative to W8A8")
    parser.add_argument("--choices", default="w4a4,w4a8,w6a8,w8a8")
    parser.add_argument("--samples", type=int, default=64, help="that calibrate; a fifth of them is held back")
    parser.add_argument("--evaluate", type=Path, default=ROOT.parent / "shared" / "tools" / "evaluate.py")
    arguments = parser.parse_args()
    evaluate = load_evaluate(arguments.evaluate)
    import dyadic

    print("| model | limit | predicted ms | measured ms | error % | A/A % | agreement % | SQNR dB |\n" + "|---" * 8 + "|")
    for name in arguments.models:
        task = evaluate.TASKS[name]
        errors, noise = [], []
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            subprocess.run([sys.executable, arguments.evaluate, name, "--write-calibration", folder / "c.npz", "--count",
                            str(arguments.samples)], check=True, stdout=subprocess.DEVNULL)
            common = [task.model, f"--calibration={folder / 'c.npz'}", f"--target={arguments.target}"]
            tool("quant-translate", task.model, "--float", "-o", folder / "float.so")

            def runner(path: Path):
                program = dyadic.load(path)
                return lambda inputs: list(program.run(inputs).values())

            reference = task.outputs(runner(folder / "float.so"))
            for point in range(arguments.points):
                limit = arguments.least + (1 - arguments.least) * point / max(1, arguments.points - 1)
                plan, report, library = folder / "p.json", folder / "r.json", folder / f"{point}.so"
                search = [f"--budget=latency:{limit:.3f}x", f"--choices={arguments.choices}",
                          f"--sensitivity={folder / 's.json'}", f"--cost={folder / 'cost.json'}"]
                try:
                    tool("quant-translate", *common, *search, f"--save-plan={plan}", f"--report={report}", "-o", library)
                except subprocess.CalledProcessError:
                    continue  # no plan is as fast
                predicted = json.loads(report.read_text())["search"]["costs"]["latency_ms"]
                first = total(report)
                tool("quant-translate", *common, f"--bits={plan}", f"--report={report}", "-o", library)
                second = total(report)
                errors.append(abs(predicted / first - 1))
                noise.append(abs(second / first - 1))
                metric = task.metric(runner(library), reference)
                agree = f"{metric['agree']:.1f}" if "agree" in metric else ""
                print(f"| {name} | {limit:.2f}x | {predicted:.3f} | {first:.3f} | {100 * (predicted / first - 1):+.1f} | "
                      f"{100 * (second / first - 1):+.1f} | {agree} | {metric['sqnr_db']:.1f} |", flush=True)
        if errors:
            print(f"| {name} | median | | | {100 * statistics.median(errors):.1f} | {100 * statistics.median(noise):.1f} | | |",
                  flush=True)


if __name__ == "__main__":
    main()
