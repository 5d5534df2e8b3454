# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks what --attribution says: `check_attribution.py REPORT.json REPAIRED.json PLAN.json BASE.json`.

REPAIRED.json is the report of the program that the overrides in PLAN.json give, BASE.json the plan they are added to:
the program measures as was said, and the plans differ in the overrides that the report marks.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def differences(plan: dict, base: dict) -> set[tuple[str, str, int]]:
    found = set()
    for section, key in (("layers", "weights"), ("values", "bits")):
        for id, entry in plan[section].items():
            if key in entry and entry != base[section].get(id):
                found.add((section, id, entry[key]))
    return found


def main(report_path: str, repaired_path: str, plan_path: str, base_path: str) -> None:
    report, repaired, plan, base = (json.loads(Path(path).read_text())
                                    for path in (report_path, repaired_path, plan_path, base_path))
    attribution = report["attribution"]
    assert attribution["plan"]["sqnr_db"] == report["outputs"][0]["sqnr_db"]
    assert attribution["repaired"]["sqnr_db"] == repaired["outputs"][0]["sqnr_db"]
    assert attribution["repaired"]["divergence"] < attribution["plan"]["divergence"]
    costs = attribution["costs"]
    assert [cost["alone"] for cost in costs] == sorted((cost["alone"] for cost in costs), reverse=True)
    for cost in costs:
        if "measured" in cost:
            share = 1 - cost["measured"]["divergence"] / attribution["plan"]["divergence"]
            assert abs(cost["share"] - share) < 1e-9
    overrides = {("values" if "values" in cost else "layers", id, cost["override"])
                 for cost in costs if "override" in cost for id in cost.get("values", cost.get("layers"))}
    assert attribution["overrides"] == sum("override" in cost for cost in costs) > 0
    assert overrides == differences(plan, base), overrides ^ differences(plan, base)


if __name__ == "__main__":
    main(*sys.argv[1:])
