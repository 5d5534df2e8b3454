# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes part.json: the table of FILE before anything but its first sample was measured.

`split_sensitivity.py FILE`. A search that writes with one sample alone makes the numbers of that sample, so that the
part is what an interrupted search leaves.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def main(path: Path) -> None:
    """Ends a search as soon as its table has a sample."""
    part = Path("part.json")
    part.unlink(missing_ok=True)
    command = ["quant-translate", "model.onnx", "--calibration=samples.npz", "-o", "part.so", "--budget=avg:4",
               f"--sensitivity={part}"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while process.poll() is None and not part.exists():
        pass
    process.kill()
    process.wait()
    table, whole = json.loads(part.read_text()), json.loads(path.read_text())
    assert set(table["samples"]) <= set(whole["samples"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
