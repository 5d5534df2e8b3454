#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Accuracy against measured latency and size: what --budget takes, next to uniform, greedy and exact plans of the same cost.

    pareto.py costs [MODEL...]     times of the layers, into a cost table (on a machine with nothing else to do)
    pareto.py plans [MODEL...]     searches, compiles, and runs everything on evaluate.py's evaluation samples
    pareto.py times [MODEL...]     measures the programs in turns, on one core (nothing else to do)
    pareto.py table [MODEL...]     Markdown, a CSV file for each model, and a picture of all such files (needs matplotlib)

Every phase keeps what it makes in --folder, and goes on from what is there. Limits of latency have choices that differ in
speed, limits of the average width those of weights alone. At every limit there are what --budget takes, and where plans
are compared the greedy plan and the exact optimum of the sum of perturbations, without refinement and check. Evaluation
samples have calibrated nothing, and the search has not seen them.
"""

from __future__ import annotations

import argparse
import csv
import ctypes
import hashlib
import json
import math
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from accuracy import ROOT, load_evaluate, paired
from rivals import BIN, dyadic_runner, run_tool

MODELS = ["kws_dscnn", "resnet20", "ultraface", "squeezenet1.1", "mobilenet_v2_1.0"]
KINDS = ["searched", "exact", "greedy", "uniform"]


def read(path: Path, default=None):
    return json.loads(path.read_text()) if path.exists() else default


def write(path: Path, value) -> None:
    temporary = path.with_suffix(".part")
    temporary.write_text(json.dumps(value, indent=1))
    temporary.replace(path)


class Study:
    """The files of one model."""

    def __init__(self, task, options: argparse.Namespace) -> None:
        self.task, self.options = task, options
        self.folder = options.folder / task.name
        (self.folder / "programs").mkdir(parents=True, exist_ok=True)
        self.samples, self.costs = self.folder / "samples.npz", self.folder / "costs.json"
        self.again = self.folder / "costs_again.json"
        self.plans, self.times = self.folder / "plans.json", self.folder / "times.json"
        if not self.samples.exists():
            inputs = list(task.calib(options.samples))
            np.savez(self.samples, **{name: np.concatenate([x[name] for x in inputs]) for name in inputs[0]})

    def common(self) -> list[object]:
        return [self.task.model, f"--calibration={self.samples}", f"--target={self.options.target}"]

    def search(self, choices: str, budget: str) -> list[object]:
        return [f"--budget={budget}", f"--choices={choices}", f"--sensitivity={self.folder / 'sensitivity.json'}",
                f"--cache={self.folder / 'cache'}", *([f"--cost={self.costs}"] if "latency" in budget else [])]

    def program(self, id: str) -> Path:
        return self.folder / "programs" / f"{id}.so"

    # The phase `costs`.

    def measure_costs(self) -> None:
        """The search measures times first, and keeps them at once: it is ended there. Where there are plans already, times
        are measured anew into a second table, and predictions are made from that: a machine is not always as fast."""
        widths = dict.fromkeys(f"{self.options.choices},{self.options.widths}".split(","))
        path = self.again if self.plans.exists() else self.costs
        if path == self.costs and path.exists():
            return
        path.unlink(missing_ok=True)
        process = subprocess.Popen(
            [str(BIN / "quant-translate"), *map(str, self.common()), "--budget=latency:1x", f"--choices={','.join(widths)}",
             f"--cost={path}", f"--save-plan={self.folder / 'unused.json'}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and not path.exists():
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        process.wait()
        if not path.exists():
            raise RuntimeError(f"{self.task.name}: no times")

    # The phase `plans`.

    def problem(self, name: str, choices: str, budget: str) -> dict:
        """The assignment problem of a search; its limits are replaced."""
        path = self.folder / f"{name}.json"
        if not path.exists():
            run_tool("quant-translate", *self.common(), *self.search(choices, budget), f"--pareto={path}",
                     f"--save-plan={self.folder / 'unused.json'}")
        return read(path)

    def predictor(self):
        """Milliseconds of a plan by the last cost table, or None where that lacks a time."""
        costs = self.again if self.again.exists() else self.costs
        path, table = self.folder / "predictions.json", read(costs)
        widths = dict.fromkeys(bits for layer in table["layers"].values() for bits in layer["microseconds"])
        if not path.exists() or path.stat().st_mtime < costs.stat().st_mtime:
            run_tool("quant-translate", *self.common(), "--budget=latency:9x", f"--choices={','.join(widths)}",
                     f"--cost={costs}", "--weight-rounding=nearest", "--time-limit=0.01", f"--pareto={path}",
                     f"--save-plan={self.folder / 'unused.json'}")
        problem = read(path)

        def predict(bits: dict[str, str]) -> float | None:
            milliseconds = self.beside(problem, table)
            for group in problem["groups"]:
                wanted = {bits[layer] for layer in group["layers"]}
                times = [choice["latency_ms"] for choice in group["choices"] if wanted == {choice["bits"]}]
                if not times:
                    return None
                milliseconds += times[0]
            return milliseconds

        return predict

    def beside(self, problem: dict, costs: dict | None = None) -> float:
        """Milliseconds of what has no weights, which the problem's limits have not in them."""
        rest = (costs or read(self.costs))["layers"][f"rest of the model {problem['model']}"]
        return rest["microseconds"]["w8a8"] / 1000

    def solve(self, problem: dict, solver: str, cost: str, limit: float) -> dict[str, str] | None:
        """The bits of every layer."""
        path, answer = self.folder / "problem.tmp.json", self.folder / "answer.tmp.json"
        write(path, problem | {"limits": {cost: limit}})
        try:
            run_tool("quant-search", path, "-o", answer, f"--solver={solver}")
        except RuntimeError as error:
            print(f"{self.task.name}: {solver}, {cost} {limit}: {error}", file=sys.stderr)
            return None
        choices = read(answer)["choices"]
        return {layer: choices[group["name"]] for group in problem["groups"] for layer in group["layers"]}

    def compile(self, bits: dict[str, str]) -> str:
        """Compiles the plan, where that is not done; its name."""
        id = name_of(bits)
        if not self.program(id).exists():
            layers = {}
            for layer, text in bits.items():
                weights, activations = text[1:].split("a")
                layers[layer] = {"weights": int(weights), "activations": int(activations)}
            path = self.folder / "plan.tmp.json"
            model = read(self.folder / "latency.json")["model"]
            write(path, {"kind": "plan", "version": 1, "model": model, "producer": "pareto.py", "layers": layers})
            run_tool("quant-translate", *self.common(), f"--bits={path}", "-o", self.program("new"))
            self.program("new").rename(self.program(id))
        return id

    def searched(self, problem: dict, choices: str, budget: str) -> dict[str, str] | None:
        """What --budget takes, compiled."""
        path = self.folder / "plan.tmp.json"
        try:
            run_tool("quant-translate", *self.common(), *self.search(choices, budget), f"--save-plan={path}", "-o",
                     self.program("new"))
        except RuntimeError as error:
            print(f"{self.task.name}: {error}", file=sys.stderr)
            return None
        plan = read(path)
        defaults = plan.get("defaults", {})
        bits = {}
        for group in problem["groups"]:
            for layer in group["layers"]:
                widths = defaults | plan["layers"].get(layer, {})
                bits[layer] = f"w{widths.get('weights', 8)}a{widths.get('activations', 8)}"
        self.program("new").rename(self.program(name_of(bits)))
        return bits

    def find_plans(self) -> None:
        options = self.options
        rows = read(self.plans, [])
        done = {(row["kind"], row["limit"]) for row in rows}
        evaluator = Evaluator(self)

        def note(kind: str, limit: str, problem: dict, make) -> None:
            if (kind, limit) in done:
                return
            start = time.monotonic()
            bits = make()
            if bits is None:
                return
            id = self.compile(bits)
            figures = evaluator.measure(id)
            rows.append({"kind": kind, "limit": limit, "program": id, "predicted_ms": total(problem, bits, "latency_ms") +
                         self.beside(problem), "size_mb": total(problem, bits, "size_mb"), "bits": bits,
                         "weight_bits": total(problem, bits, "weight_bits") / total(problem, None, "weight_bits") * 8})
            done.add((kind, limit))
            write(self.plans, rows)
            print(f"{self.task.name}: {kind} {limit}: {rows[-1]['predicted_ms']:.3f} ms, {rows[-1]['weight_bits']:.2f} bits, "
                  f"{figures['agree']:.1f}%, {figures['sqnr_db']:.1f} dB, {time.monotonic() - start:.0f} s", flush=True)

        def compare(problem: dict, choices: str, cost: str, limit: float, budget: str, kinds: list[str]) -> None:
            """All kinds of plans within one limit."""
            for kind in kinds:
                if kind == "searched":
                    note(kind, budget, problem, lambda: self.searched(problem, choices, budget))
                else:
                    solver = "auto" if kind == "exact" else kind
                    note(kind, budget, problem, lambda solver=solver: self.solve(problem, solver, cost, limit))

        timed = self.problem("latency", options.choices, "latency:1x")
        beside = self.beside(timed)
        whole = total(timed, "w8a8", "latency_ms") + beside
        for bits in options.choices.split(","):
            note("uniform", bits, timed, lambda bits=bits: uniform(timed, bits))
        # A uniform plan's own cost: rounded up, so that the plan itself is within it.
        for bits in options.choices.split(","):
            if bits == "w8a8" or not (plan := uniform(timed, bits)):
                continue
            milliseconds = math.ceil((total(timed, plan, "latency_ms") + beside) * 1e4) / 1e4
            compare(timed, options.choices, "latency_ms", milliseconds - beside, f"latency:{milliseconds:g}ms", KINDS[:3])
        least = sum(min(choice["latency_ms"] for choice in group["choices"]) for group in timed["groups"]) + beside
        for point in range(options.points):
            share = math.ceil(1e3 * (least + (whole - least) * point / max(1, options.points - 1)) / whole) / 1e3
            kinds = KINDS[:3] if options.everywhere else KINDS[:1]
            compare(timed, options.choices, "latency_ms", share * whole - beside, f"latency:{share:g}x", kinds)
        counted = self.problem("widths", options.widths, "latency:9x,avg:4")
        weights = total(counted, "w8a8", "weight_bits") / 8
        for width in filter(None, options.averages.split(",")):
            note("uniform", f"w{width}a8", counted, lambda width=width: uniform(counted, f"w{width}a8"))
            compare(counted, options.widths, "weight_bits", float(width) * weights, f"avg:{width}", KINDS[:3])

    # The phase `times`.

    def measure_times(self) -> None:
        """Milliseconds of a call of the C function, one thread, in turns; every program twice, the second a copy. What
        Python adds is measured by calls of a function that does nothing, and taken off."""
        os.sched_setaffinity(0, {self.options.core})
        sample = self.task.inputs(self.task.items()[0])
        names = list(dict.fromkeys(row["program"] for row in read(self.plans)))
        calls, copies = {}, self.folder / "copies"
        copies.mkdir(exist_ok=True)
        for name in ["float", *names]:
            shutil.copy(self.program(name), copies / f"{name}.so")
            for half, path in enumerate([self.program(name), copies / f"{name}.so"]):
                calls[name, half] = dyadic_runner(path, {}, sample)
        calls["nothing", 0] = calls["nothing", 1] = empty_call
        turns: dict = {key: [] for key in calls}
        start, order = time.monotonic(), list(calls)
        while time.monotonic() - start < self.options.seconds or len(turns[order[0]]) < 5:
            for key in order:
                calls[key]()  # the others have left its caches without its code, weights and values
                before = time.perf_counter_ns()
                calls[key]()
                turns[key].append((time.perf_counter_ns() - before) / 1e6)
            order = order[7:] + order[:7]  # nobody always follows the same neighbour
        added = statistics.median(turns["nothing", 0])
        times = {name: [statistics.median(turns[name, half]) - added for half in (0, 1)] for name in ["float", *names]}
        write(self.times, {"turns": len(turns[order[0]]), "python_ms": added, "milliseconds": times})
        print(f"{self.task.name}: {len(names)} programs, {len(turns[order[0]])} turns", flush=True)


def number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


#: A function that takes what a program takes and does nothing: the C library's, which looks at the first only.
EMPTY = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p, ctypes.c_int64,
                         ctypes.c_void_p, ctypes.c_void_p)(("abs", ctypes.CDLL(None)))


POINTERS = (ctypes.c_void_p * 1)()


def empty_call() -> None:
    status = EMPTY(POINTERS, POINTERS, 1, 1, 1, None, None)
    if status < 0:
        raise RuntimeError(f"status {status}")


def name_of(bits: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(sorted(bits.items())).encode()).hexdigest()[:12]


def uniform(problem: dict, bits: str) -> dict[str, str] | None:
    """The plan with one choice for all layers, where all of them may have it."""
    if all(any(choice["bits"] == bits for choice in group["choices"]) for group in problem["groups"]):
        return {layer: bits for group in problem["groups"] for layer in group["layers"]}
    return None


def total(problem: dict, bits: dict[str, str] | str | None, cost: str) -> float:
    """A cost of the plan, of the uniform one (a text), or of that with the widest weights (None)."""
    sum = 0.0
    for group in problem["groups"]:
        wanted = bits[group["layers"][0]] if isinstance(bits, dict) else bits or "w8a8"
        sum += next(choice[cost] for choice in group["choices"] if choice["bits"] == wanted)
    return sum


class Evaluator:
    """Agreement with float and SQNR on the evaluation samples, and what each sample adds to them."""

    def __init__(self, study: Study) -> None:
        import dyadic

        self.study, self.load = study, dyadic.load
        self.items = study.task.items()
        self.inputs = [study.task.inputs(item) for item in self.items]
        if not study.program("float").exists():
            run_tool("quant-translate", study.task.model, "--float", f"--target={study.options.target}", "-o",
                     study.program("float"))
        self.reference = self.outputs("float")

    def outputs(self, id: str) -> list:
        program = self.load(self.study.program(id))
        return [list(program.run(inputs).values()) for inputs in self.inputs]

    def first(self, outputs: list) -> np.ndarray:
        """What SQNR is of: the first output, of ultraface the faces' scores."""
        value = np.asarray(outputs[0], np.float64)
        return value.reshape(-1, 2)[:, 1] if self.study.task.name == "ultraface" else value

    def measure(self, id: str) -> dict:
        path = self.study.folder / "programs" / f"{id}.json"
        if known := read(path):
            return known
        task, outputs = self.study.task, self.outputs(id)
        agrees = [task.compare([o], [r], [item])["agree"] for o, r, item in zip(outputs, self.reference, self.items)]
        noise = [float(((self.first(o) - self.first(r)) ** 2).sum()) for o, r in zip(outputs, self.reference)]
        figures = task.compare(outputs, self.reference, self.items)
        result = {"agree": figures["agree"], "sqnr_db": figures["sqnr_db"], "agrees": agrees, "noise": noise}
        write(path, result)
        return result


# The phase `table`.


def decibels(ours: list[float], theirs: list[float]) -> tuple[float, float]:
    """How many dB less noise than theirs, and its standard error, for samples in pairs."""
    a, b = np.array(ours), np.array(theirs)
    if a.sum() == 0 or b.sum() == 0:
        return 0.0, 0.0
    ratio = a.sum() / b.sum()
    error = (a - ratio * b).std(ddof=1) * math.sqrt(len(a)) / a.sum()
    return -10 * math.log10(ratio), 10 / math.log(10) * error


class Figures:
    """What was measured of a model's programs: one row each, whatever plans led to it."""

    def __init__(self, study: Study) -> None:
        self.name = study.task.name
        self.plans = read(study.plans, [])
        times = read(study.times, {"milliseconds": {}})["milliseconds"]
        self.float_ms = statistics.mean(times["float"]) if "float" in times else None
        self.rows: dict[str, dict] = {}
        predict = study.predictor() if times else None
        for plan in self.plans:
            id = plan["program"]
            if id not in times:
                continue
            row = self.rows.setdefault(id, {key: plan[key] for key in ("size_mb", "weight_bits")})
            row["predicted_ms"] = predict(plan["bits"])
            row.setdefault("plans", []).append(f"{plan['kind']} {plan['limit']}")
            row |= read(study.folder / "programs" / f"{id}.json")
            row["first_ms"], row["again_ms"] = times[id]
            row["measured_ms"] = statistics.mean(times[id])
        for row in self.rows.values():
            row["front"] = {cost: not any(self.beats(other, row, cost) for other in self.rows.values())
                            for cost in ("measured_ms", "size_mb")}

    @staticmethod
    def beats(other: dict, row: dict, cost: str) -> bool:
        return (other[cost] <= row[cost] and other["sqnr_db"] >= row["sqnr_db"]
                and (other[cost] < row[cost] or other["sqnr_db"] > row["sqnr_db"]))

    def sorted(self) -> list[dict]:
        return sorted(self.rows.values(), key=lambda row: row["measured_ms"])

    def write_csv(self, path: Path) -> None:
        with path.open("w", newline="") as file:
            out = csv.writer(file, lineterminator="\n")
            out.writerow("predicted_ms measured_ms again_ms weights_bytes average_bits agree_percent sqnr_db front_latency "
                         "front_size plans".split())
            for row in self.sorted():
                out.writerow([number(row["predicted_ms"], 4), f"{row['first_ms']:.4f}", f"{row['again_ms']:.4f}",
                              round(row["size_mb"] * 2**20), f"{row['weight_bits']:.3f}", f"{row['agree']:.2f}",
                              f"{row['sqnr_db']:.2f}", int(row["front"]["measured_ms"]), int(row["front"]["size_mb"]),
                              "; ".join(dict.fromkeys(row["plans"]))])

    def summary(self) -> str:
        rows = list(self.rows.values())
        error = [row["predicted_ms"] / row["measured_ms"] - 1 for row in rows if row["predicted_ms"]]
        noise = [abs(row["again_ms"] / row["first_ms"] - 1) for row in rows]
        fronts = [sum(row["front"][cost] for row in rows) for cost in ("measured_ms", "size_mb")]
        return (f"| {self.name} | {len(rows)} | {fronts[0]} | {fronts[1]} | {100 * statistics.median(map(abs, error)):.1f} "
                f"({100 * min(error):+.1f} to {100 * max(error):+.1f}) | {100 * statistics.median(noise):.1f} "
                f"(most {100 * max(noise):.1f}) | {self.float_ms:.3f} |")

    def comparisons(self) -> list[str]:
        """A line for every limit: the exact plan and what --budget takes against greedy and uniform."""
        by_limit: dict[str, dict[str, str]] = {}
        for plan in self.plans:
            by_limit.setdefault(plan["limit"], {})[plan["kind"]] = plan["program"]
        uniform = {plan["limit"]: plan for plan in self.plans if plan["kind"] == "uniform"}
        lines = []
        for limit, kinds in by_limit.items():
            same = None
            if limit.startswith("avg:"):
                same = uniform.get(f"w{limit[4:]}a8")
            elif limit.endswith("ms"):
                same = next((plan for plan in uniform.values()
                             if abs(plan["predicted_ms"] - float(limit[8:-2])) <= 1e-4), None)
            if same:
                kinds = kinds | {"uniform": same["program"]}
            if not {"exact", "searched"} & kinds.keys() or len(kinds) < 2:
                continue
            cells = []
            for ours, theirs in (("exact", "greedy"), ("exact", "uniform"), ("searched", "greedy"), ("searched", "uniform")):
                cells.append(self.difference(kinds.get(ours), kinds.get(theirs)))
            lines.append(f"| {self.name} | {limit}{' = ' + same['limit'] if same else ''} | {' | '.join(cells)} |")
        return lines

    def difference(self, ours: str | None, theirs: str | None) -> str:
        if ours not in self.rows or theirs not in self.rows:
            return ""
        if ours == theirs:
            return "same plan"
        a, b = self.rows[ours], self.rows[theirs]
        agree, noise = paired(a["agrees"], b["agrees"]), decibels(a["noise"], b["noise"])
        return f"{agree[0]:+.1f} ± {agree[1]:.1f}, {noise[0]:+.1f} ± {noise[1]:.1f} dB"


def draw(folder: Path, path: Path) -> None:
    """A column for every CSV file of the folder: also of models that were measured at another time."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "dyadic", "font.size": 8}  # text stays text
    import matplotlib.pyplot as plt

    marks = {"uniform": ("s", "#c05020"), "greedy": ("x", "#7d7d7d"), "exact": ("+", "#1b6ca8"), "searched": ("o", "#0b3c5d")}

    def points(rows: list[dict], key: str) -> tuple[list[float], list[float]]:
        return [float(row["measured_ms"]) for row in rows], [float(row[key]) for row in rows]

    tables = {name: folder / f"{name}.csv" for name in MODELS if (folder / f"{name}.csv").exists()}
    figure, grid = plt.subplots(2, len(tables), figsize=(2.5 * len(tables), 4.6), squeeze=False, sharex="col")
    for (name, table), column in zip(tables.items(), grid.T):
        with table.open(newline="") as file:
            rows = list(csv.DictReader(file))
        front = [row for row in rows if row["front_latency"] == "1"]
        for axes, key in zip(column, ("sqnr_db", "agree_percent")):
            axes.plot(*points(front, key), color="#5fa8d3", linewidth=1,
                      drawstyle="steps-post" if key == "sqnr_db" else "default", label="front by SQNR")
            for kind, (mark, colour) in marks.items():
                face = {"facecolors": "none"} if mark in "so" else {}
                axes.scatter(*points([row for row in rows if kind in row["plans"]], key), s=22, marker=mark,
                             edgecolors=colour if face else None, color=None if face else colour, linewidths=0.9, label=kind,
                             **face)
            axes.spines[["top", "right"]].set_visible(False)
        column[0].set_title(name, fontsize=8)
        column[1].set_xlabel("measured ms")
    grid[0][0].set_ylabel("SQNR, dB")
    grid[1][0].set_ylabel("agreement with float, %")
    handles, labels = grid[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, frameon=False, ncols=len(labels), loc="upper center", bbox_to_anchor=(0.5, 1.02))
    figure.tight_layout(rect=(0, 0, 1, 0.97))
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None})


def print_tables(studies: list[Figures], options: argparse.Namespace) -> None:
    options.out.mkdir(parents=True, exist_ok=True)
    print("| model | programs | on the front by latency | by size | prediction off by, median (range) % | A/A % | float ms |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    for study in studies:
        study.write_csv(options.out / f"{study.name}.csv")
        print(study.summary())
    print("\n| model | limit | exact - greedy | exact - uniform | `--budget` - greedy | `--budget` - uniform |\n" + "|---" * 6 + "|")
    for study in studies:
        print("\n".join(study.comparisons()))
    for cost, title in (("measured_ms", "latency"), ("size_mb", "size")):
        print(f"\nFront by {title}:\n\n| model | predicted ms | measured ms | again | weights | bits | agreement % | SQNR dB | plan |")
        print("|---|--:|--:|--:|--:|--:|--:|--:|---|")
        for study in studies:
            for row in sorted(study.rows.values(), key=lambda row: (row[cost], row["sqnr_db"])):
                if row["front"][cost]:
                    print(f"| {study.name} | {number(row['predicted_ms'], 3)} | {row['first_ms']:.3f} | {row['again_ms']:.3f} | "
                          f"{row['size_mb'] * 1024:.0f} KiB | {row['weight_bits']:.2f} | {row['agree']:.1f} | "
                          f"{row['sqnr_db']:.1f} | {'; '.join(dict.fromkeys(row['plans']))} |")
    draw(options.out, options.picture)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("phase", choices=["costs", "plans", "times", "table"])
    parser.add_argument("models", nargs="*", default=MODELS, metavar="MODEL", help=f"default: {' '.join(MODELS)}")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "pareto", help="default: build/pareto")
    parser.add_argument("--target", default="native")
    parser.add_argument("--choices", default="w4a8,w5a8,w6a8,w8a8", help="under limits of latency")
    parser.add_argument("--widths", default="w2a8,w3a8,w4a8,w5a8,w6a8,w8a8", help="choices under limits of the average width")
    parser.add_argument("--averages", default="4,5", help="average widths, of uniform plans too")
    parser.add_argument("--points", type=int, default=8, help="limits of latency, from the least to that of W8A8")
    parser.add_argument("--everywhere", action="store_true", help="greedy and exact plans at all limits of latency")
    parser.add_argument("--samples", type=int, help="that calibrate; a fifth is held back (default: all that the task has)")
    parser.add_argument("--seconds", type=float, default=40, help="that a model's programs are measured for")
    parser.add_argument("--core", type=int, default=(os.cpu_count() or 1) - 1, help="that times are measured on")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "pareto", help="folder of the CSV files")
    parser.add_argument("--picture", type=Path, default=ROOT / "docs" / "pareto.svg")
    parser.add_argument("--evaluate", type=Path, default=ROOT.parent / "shared" / "tools" / "evaluate.py")
    options = parser.parse_intermixed_args()
    evaluate = load_evaluate(options.evaluate)
    studies = [Study(evaluate.TASKS[name], options) for name in options.models]
    if options.phase == "table":
        figures = [Figures(study) for study in studies]
        print_tables([study for study in figures if study.rows], options)
    for study in studies:
        if options.phase == "costs":
            study.measure_costs()
        elif options.phase == "plans":
            study.find_plans()
        elif options.phase == "times":
            study.measure_times()


if __name__ == "__main__":
    main()
