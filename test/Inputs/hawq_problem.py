# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""HAWQ-V3's published tables of a network as assignment problems: `hawq_problem.py TABLES.json FOLDER`.

One problem for each limit that the paper solves, FOLDER/COST-FRACTION.json, and FOLDER/expected.json with the published
bits and their perturbation. A limit is low + fraction * (high - low), low with all layers at 4 bits, high at 8.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

COSTS = {"size": "size_mb", "bops": "bops", "latency": "latency_ms"}


def costs(layer: dict[str, Any], bits: int) -> dict[str, float]:
    return {
        "perturbation": layer["hutchinson_trace"] * layer[f"delta_w_{bits}"],
        "size_mb": layer["parameters"] / 2**20 * bits / 8,
        "bops": layer["bops_million"] / (32 / bits) ** 2,
        "latency_ms": layer[f"latency_ms_int{bits}_t4"],
    }


def groups_of(tables: dict[str, Any]) -> list[list[int]]:
    """Positions of the layers that share their bits, in the order of their first."""
    position = {layer["name"]: i for i, layer in enumerate(tables["layers"])}
    tied = {position[name]: [position[n] for n in names] for names in tables["ties"] for name in names}
    groups = [tied.get(i, [i]) for i in range(len(position))]
    return [group for i, group in enumerate(groups) if min(group) == i]


def problem(tables: dict[str, Any], cost: str, fraction: float) -> dict[str, Any]:
    layers = tables["layers"]
    groups = []
    for group in groups_of(tables):
        choices = []
        for bits in (4, 8):
            parts = [costs(layers[i], bits) for i in group]
            choices.append({"bits": f"w{bits}a{bits}", **{key: sum(part[key] for part in parts) for key in parts[0]}})
        groups.append({"name": layers[group[0]]["name"], "layers": [layers[i]["name"] for i in group],
                       "choices": choices})
    low, high = (sum(costs(layer, bits)[COSTS[cost]] for layer in layers) for bits in (4, 8))
    return {"version": 1, "objective": "perturbation", "limits": {COSTS[cost]: low + fraction * (high - low)},
            "groups": groups}


def published(tables: dict[str, Any], bits: str) -> dict[str, Any]:
    layers = tables["layers"]
    choices = {layers[group[0]]["name"]: "w{0}a{0}".format(bits[group[0]]) for group in groups_of(tables)}
    perturbation = sum(costs(layer, int(b))["perturbation"] for layer, b in zip(layers, bits))
    return {"choices": choices, "perturbation": perturbation}


def main(source: str, target: str) -> None:
    tables = json.loads(Path(source).read_text())
    folder = Path(target)
    folder.mkdir(parents=True, exist_ok=True)
    expected = {}
    for cost, fractions in tables["published_bits"].items():
        for fraction, bits in fractions.items():
            name = f"{cost}-{fraction}"
            (folder / f"{name}.json").write_text(json.dumps(problem(tables, cost, float(fraction)), indent=2))
            expected[name] = published(tables, bits)
    (folder / "expected.json").write_text(json.dumps(expected, indent=2))


if __name__ == "__main__":
    main(*sys.argv[1:])
