# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tables in Markdown of what speed.py measured."""

from __future__ import annotations


def markdown(result: dict) -> str:
    """Models and layers apart, each with a table of speed and one of exactness."""
    load = f"{result['load_before']:.1f} before and {result.get('load_after', result['load_before']):.1f} after"
    kept = ", rivals kept to AVX2" if result.get("avx2") else ""
    parts = [
        f"{result['cpu']}, {result['cores']} cores, one used{kept}; ONNX Runtime {result['onnxruntime']}; "
        f"batches of {result.get('batch', 1)}; {result['rounds']} rounds of {result['turn_seconds']:g} s each; "
        f"load average {load}, this benchmark's 1 included."
    ]
    layers = [s for s in result["subjects"] if "gops" in next(iter(s["rivals"].values()))]
    models = [s for s in result["subjects"] if s not in layers]
    for title, subjects, cell in (("model", models, speed), ("layer, GOPS", layers, gops)):
        if subjects:
            parts.append(table(title, subjects, cell))
            parts.append(table("difference from exact", subjects, difference, only_checked=True))
    return "\n\n".join(parts)


def table(title: str, subjects: list[dict], cell, only_checked: bool = False) -> str:
    """A row for each subject, a column for each rival that any of them has."""
    rivals = list(dict.fromkeys(name for s in subjects for name in s["rivals"]))
    if only_checked:
        rivals = [r for r in rivals if any(s["rivals"].get(r, {}).get("difference") for s in subjects)]
    lines = [f"| {title} | {' | '.join(rivals)} |", "|---" * (len(rivals) + 1) + "|"]
    for subject in subjects:
        cells = [cell(subject["rivals"][r]) if r in subject["rivals"] else "-" for r in rivals]
        mark = " (synthetic)" if subject["origin"] == "synthetic" and cell is not gops else ""
        lines.append(f"| {subject['name']}{mark} | {' | '.join(cells)} |")
    return "\n".join(lines)


def duration(seconds: float) -> str:
    return f"{seconds * 1e3:.3g} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.3g} us"


def speed(row: dict) -> str:
    """Time, and how often as fast as the float program of the same rounds, with the least and the most."""
    spread = f"{row['ratio_least']:.2f}-{row['ratio_most']:.2f}"
    return f"{duration(row['median_seconds'])}, **{row['ratio']:.2f}** ({spread})"


def gops(row: dict) -> str:
    return f"{row['gops']:.0f} ({row['ratio']:.2f}x)"


def difference(row: dict) -> str:
    found = row["difference"]
    if not found:
        return "-"
    if found["steps"] == 0:
        return "exact"
    return f"{found['steps']:.3g} steps, {100 * found['part']:.2g}%"
