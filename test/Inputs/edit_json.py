# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Changes a JSON file: `edit_json.py FROM TO PATH=JSON...`; PATH is like layers/y/weights, and PATH= alone removes."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def edit(root: Any, change: str) -> Any:
    path, _, text = change.partition("=")
    *parents, key = path.split("/")
    place = root
    for parent in parents:
        place = place[parent]
    if text:
        place[key] = json.loads(text)
    else:
        del place[key]
    return root


def main(source: str, target: str, *changes: str) -> None:
    root = json.loads(Path(source).read_text())
    for change in changes:
        root = edit(root, change)
    Path(target).write_text(json.dumps(root, indent=2))


if __name__ == "__main__":
    main(*sys.argv[1:])
