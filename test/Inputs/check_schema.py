# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks JSON files by a schema of docs/schemas: `check_schema.py NAME FILE...`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import jsonschema

SCHEMAS = Path(__file__).resolve().parents[2] / "docs" / "schemas"


def main(name: str, *files: str) -> None:
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    for file in files:
        jsonschema.validate(json.loads(Path(file).read_text()), schema)


if __name__ == "__main__":
    main(*sys.argv[1:])
