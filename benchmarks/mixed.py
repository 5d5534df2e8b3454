#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Mixed precision against uniform bits and a greedy choice, as real integer programs.

    mixed.py [MODEL...] [--bits 4 5] [--samples 100] [--rounding nearest|gptq] [--evaluate FILE]

Every plan has the same average width of weights, inputs of 8 bits. `exact` is the optimum of the sum of perturbations,
`searched` what --budget takes after refinement and check, `greedy` is quant-search's. Agreement with float and SQNR are
those of evaluate.py on its evaluation samples, which neither calibration nor the search has seen.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from accuracy import ROOT, load_evaluate

BIN = Path(os.environ.get("DYADIC_BIN", ROOT / "build" / "bin"))
MODELS = ["kws_dscnn", "resnet20", "squeezenet1.1", "mobilenet_v2_1.0"]


def tool(name: str, *arguments: object) -> None:
    subprocess.run([str(BIN / name), *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)


def problem_of(table: dict, counts: dict[str, int], bits: float) -> dict:
    """The assignment problem of a sensitivity table; layers in the order of the model."""
    groups = [
        {"name": id, "layers": [id],
         "choices": [{"bits": f"w{width}a8", "perturbation": numbers["kl"], "weight_bits": count * int(width)}
                     for width, numbers in sorted(table["weights"][id].items())]}
        for id, count in counts.items()
    ]
    return {"version": 1, "objective": "perturbation", "limits": {"weight_bits": bits * sum(counts.values())},
            "groups": groups}


def plan_of(answer: dict, model: str) -> dict:
    layers = {id: {"weights": int(bits[1:].split("a")[0])} for id, bits in answer["choices"].items()}
    return {"kind": "plan", "version": 1, "model": model, "producer": "mixed.py", "layers": layers}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=MODELS)
    parser.add_argument("--bits", nargs="+", type=int, default=[4, 5])
    parser.add_argument("--samples", type=int, default=64, help="that calibrate; a fifth of them is held back")
    parser.add_argument("--rounding", default="nearest", help="of weights: --weight-rounding")
    parser.add_argument("--evaluate", type=Path, default=ROOT.parent / "shared" / "tools" / "evaluate.py")
    arguments = parser.parse_args()
    evaluate = load_evaluate(arguments.evaluate)
    import dyadic

    print("| model | bits | plan | agreement % | SQNR dB | search s |\n|---|---|---|---|---|---|")
    for name in arguments.models:
        task = evaluate.TASKS[name]
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            subprocess.run([sys.executable, arguments.evaluate, name, "--write-calibration", folder / "c.npz", "--count",
                            str(arguments.samples)], check=True, stdout=subprocess.DEVNULL)
            common = [task.model, f"--calibration={folder / 'c.npz'}"]
            tool("quant-translate", task.model, "--float", "-o", folder / "float.so")

            def runner(path: Path):
                program = dyadic.load(path)
                return lambda inputs: list(program.run(inputs).values())

            reference = task.outputs(runner(folder / "float.so"))

            def row(bits: int, plan: str, seconds: str, *options: object) -> None:
                out = folder / f"{plan}{bits}.so"
                tool("quant-translate", *common, "-o", out, f"--weight-rounding={arguments.rounding}", *options)
                metric = task.metric(runner(out), reference)
                print(f"| {name} | {bits} | {plan} | {metric['agree']:.1f} | {metric['sqnr_db']:.1f} | {seconds} |", flush=True)

            for bits in arguments.bits:
                start = time.monotonic()
                table = folder / "s.json"
                tool("quant-translate", *common, f"--budget=avg:{bits}", f"--sensitivity={table}",
                     f"--weight-rounding={arguments.rounding}", f"--save-plan={folder / 'p.json'}")
                seconds = f"{time.monotonic() - start:.1f}"
                row(bits, "uniform", "", f"--bits=w{bits}a8")
                if bits == arguments.bits[0]:
                    tool("quant-translate", *common, "--bits=8", "-o", folder / "n.so", f"--report={folder / 'r.json'}")
                layers = json.loads((folder / "r.json").read_text())["layers"]
                counts = {layer["id"]: layer["weights"] for layer in layers if layer.get("weights")}
                measured = json.loads(table.read_text())
                (folder / "q.json").write_text(json.dumps(problem_of(measured, counts, bits)))
                for solver in ("greedy", "auto"):
                    tool("quant-search", folder / "q.json", "-o", folder / "a.json", f"--solver={solver}")
                    answer = json.loads((folder / "a.json").read_text())
                    (folder / "o.json").write_text(json.dumps(plan_of(answer, measured["model"])))
                    row(bits, "exact" if solver == "auto" else solver, "", f"--bits={folder / 'o.json'}")
                row(bits, "searched", seconds, f"--bits={folder / 'p.json'}")


if __name__ == "__main__":
    main()
