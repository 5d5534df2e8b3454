#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Draws what `speed.py --json` measured: how many times as fast as ONNX Runtime's float each rival is.

    plot.py times.json speed.svg
    plot.py times.json avx2.svg --rivals "ort u8s8,openvino int8,dyadic w8a8 avx2"

A bar is the median of the rounds, the line on it reaches from the least to the most of them.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "dyadic", "font.size": 9}  # text stays text
import matplotlib.pyplot as plt  # noqa: E402

BASE = "ort fp32"
COLOURS = {"dyadic": ["#1b6ca8", "#0b3c5d", "#5fa8d3"], "other": ["#c9c9c9", "#a3a3a3", "#7d7d7d", "#5c5c5c", "#b8a58a"]}


def colours(rivals: list[str]) -> list[str]:
    """Ours in blue, others in grey, each with a shade of its own."""
    used = {kind: 0 for kind in COLOURS}
    result = []
    for rival in rivals:
        kind = "dyadic" if rival.startswith("dyadic") else "other"
        result.append(COLOURS[kind][used[kind] % len(COLOURS[kind])])
        used[kind] += 1
    return result


def draw(result: dict, rivals: list[str], path: Path) -> None:
    subjects = [s for s in result["subjects"] if any(r in s["rivals"] for r in rivals)]
    figure, axes = plt.subplots(figsize=(1.5 + 1.2 * len(subjects), 3.2))
    width = 0.8 / len(rivals)
    for i, (rival, colour) in enumerate(zip(rivals, colours(rivals))):
        rows = [(x, s["rivals"][rival]) for x, s in enumerate(subjects) if rival in s["rivals"]]
        heights = [row["ratio"] for _, row in rows]
        spread = [[row["ratio"] - row["ratio_least"] for _, row in rows], [row["ratio_most"] - row["ratio"] for _, row in rows]]
        places = [x + (i - (len(rivals) - 1) / 2) * width for x, _ in rows]
        axes.bar(places, heights, 0.92 * width, yerr=spread, color=colour, label=rival, error_kw={"linewidth": 0.7})
    axes.axhline(1, color="black", linewidth=0.7)
    axes.set_xticks(range(len(subjects)), [s["name"].rsplit("_", 1)[0] for s in subjects], rotation=20, ha="right")
    axes.set_ylabel("times as fast as\nONNX Runtime float")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("times", type=Path, help="JSON file of speed.py")
    parser.add_argument("picture", type=Path, help="SVG file to write")
    parser.add_argument("--rivals", help="separated by commas (default: all but ONNX Runtime's float)")
    options = parser.parse_args()
    result = json.loads(options.times.read_text())
    found = list(dict.fromkeys(name for subject in result["subjects"] for name in subject["rivals"]))
    rivals = options.rivals.split(",") if options.rivals else [name for name in found if name != BASE]
    if unknown := [name for name in rivals if name not in found]:
        parser.error(f"unknown rivals: {', '.join(unknown)}; {options.times} has {', '.join(found)}")
    draw(result, rivals, options.picture)


if __name__ == "__main__":
    main()
