# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks what a search says of itself: `check_search.py REPORT.json PLAN.json`.

The costs, counted once more from the report's layers and the plan, are those stated and within the limits; the first
measured plan has the least divergence; what is measured agrees with the report of the program that was written.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main(report_path: str, plan_path: str) -> None:
    report, plan = (json.loads(Path(path).read_text()) for path in (report_path, plan_path))
    search = report["search"]
    count = {layer["id"]: layer["weights"] for layer in report["layers"] if layer.get("weights")}
    bits = {id: plan["layers"][id]["weights"] for id in count}
    total = sum(bits[id] * count[id] for id in bits)
    assert search["costs"]["weight_bits"] == total, (search["costs"], total)
    for name, limit in search["limits"].items():
        assert search["costs"][name] <= limit, name
    chosen = {id: choice["bits"] for choice in search["choices"] for id in choice["layers"]}
    assert chosen == {id: f"w{bits[id]}a{plan['layers'][id]['activations']}" for id in bits}
    divergences = [measured["divergence"] for measured in search["measured"]]
    assert divergences[0] == min(divergences)
    assert search["measured"][0]["sqnr_db"] == report["outputs"][0]["sqnr_db"]
    assert abs(sum(choice["share"] for choice in search["choices"]) - 1) < 1e-6


if __name__ == "__main__":
    main(*sys.argv[1:])
