#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Accuracy of programs of few bits, with weights rounded to nearest and fitted to samples: a table in Markdown.

    widths.py [--widths WIDTH,...] [TASK...]

Networks, data and metrics are those of evaluate.py of the shared tools; 100 samples calibrate (of CIFAR-10 and keywords
200). WIDTH is wXaY for every layer, wXaY/8 with 8 bits in the first layer and the last, or a budget, as avg:4.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import dyadic
from accuracy import ROOT, load_evaluate

TASKS = ["squeezenet1.1", "mobilenet_v2_1.0", "resnet20", "kws_dscnn"]
WIDTHS = ["w8a8", "w4a8", "w3a8", "w4a4/8"]


def plan_of(task, bits: str) -> dict:
    """The plan with 8 bits where the network begins and ends."""
    program = dyadic.compile(task.model, calibration=task.calib(10), bits=bits, weight_rounding="nearest")
    layers = [row["id"] for row in program.report["layers"] if "weight_bits" in row]
    weights, activations = (int(part) for part in bits[1:].split("a"))
    plan = {key: program.plan[key] for key in ("kind", "version", "model", "producer")}
    plan["layers"] = {id: {"weights": weights, "activations": activations} for id in layers}
    for id in (layers[0], layers[-1]):
        plan["layers"][id] = {"weights": 8, "activations": 8}
    return plan


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*", default=TASKS, metavar="TASK", help=f"default: {' '.join(TASKS)}")
    parser.add_argument("--widths", default=",".join(WIDTHS), help=f"default: {','.join(WIDTHS)}")
    parser.add_argument("--rounding", default="nearest,auto", help="of weights; default: nearest,auto")
    parser.add_argument("--evaluate", type=Path, default=ROOT.parent / "shared" / "tools" / "evaluate.py")
    options = parser.parse_intermixed_args()
    evaluate = load_evaluate(options.evaluate)
    print("| network | widths | weights | right (%) | as float (%) | SQNR (dB) | compiled in (s) |")
    print("|---|---|---|--:|--:|--:|--:|")
    for task in (evaluate.TASKS[name] for name in options.tasks):
        reference = task.outputs(dyadic.compile(task.model, float=True).run)
        for width in options.widths.split(","):
            if ":" in width:
                bits = {"budget": width}
            else:
                bits = {"bits": plan_of(task, width[:-2]) if width.endswith("/8") else width}
            for rounding in options.rounding.split(","):
                start = time.monotonic()
                program = dyadic.compile(task.model, calibration=task.calib(), weight_rounding=rounding, **bits)
                seconds = time.monotonic() - start
                figures = task.metric(program.run, reference)
                right = figures.get("top1", figures.get("acc"))
                print(
                    f"| {task.name} | {width} | {rounding} | {right:.1f} | {figures['agree']:.1f} "
                    f"| {figures['sqnr_db']:.1f} | {seconds:.0f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
