# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Damages the files of a folder that match: `damage_file.py FOLDER PATTERN cut|digit|empty`."""

from __future__ import annotations

import re
import sys
from pathlib import Path


def damaged(text: str, how: str) -> str:
    if how == "empty":
        return ""
    if how == "cut":
        return text[: len(text) // 2]
    digits = list(re.finditer(r"0\.\d", text))  # of a number in the middle
    place = digits[len(digits) // 2].end() - 1
    return text[:place] + ("1" if text[place] != "1" else "2") + text[place + 1 :]


def main(folder: str, pattern: str, how: str) -> None:
    paths = list(Path(folder).glob(pattern))
    assert paths
    for path in paths:
        path.write_text(damaged(path.read_text(), how))


if __name__ == "__main__":
    main(*sys.argv[1:])
