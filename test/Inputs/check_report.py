# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks reports: `check_report.py FILE...`. JSON must follow the schema. HTML must be well formed, need nothing from
outside and no script, and draw inside its boxes. Prints what it found."""

from __future__ import annotations

import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import jsonschema

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "schemas" / "report.schema.json"
VOID = {"meta", "br", "rect", "path"}


class Page(HTMLParser):
    """Elements nest, and every number of a drawing lies in its box."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.box = (0.0, 0.0)
        self.drawings = 0
        self.layers: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        assert tag not in {"script", "link", "iframe", "img", "object", "base", "form", "a"}, tag
        assert not any(name.startswith("on") or name in {"src", "href", "style"} for name in values), values
        if tag == "svg":
            _, _, width, height = map(float, values["viewbox"].split())
            self.box = (width, height)
            self.drawings += 1
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        width, height = self.box
        if tag == "rect":
            x, w, h = (float(values.get(key, 0)) for key in ("x", "width", "height"))
            assert 0 <= x and 0 <= w and x + w <= width + 0.02 and 0 <= h <= height, values
        if tag == "path":
            for command, number in re.findall(r"([MVH ])(-?[0-9.]+)", values["d"]):
                assert 0 <= float(number) <= (width if command in "MH" else height) + 0.02, values

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        if self.open[-2:] == ["th", "span"]:
            self.layers.append(data)


def check(path: Path) -> None:
    text = path.read_text()
    if path.suffix == ".json":
        jsonschema.validate(json.loads(text), json.loads(SCHEMA.read_text()), jsonschema.Draft202012Validator)
        print(path.name, "follows the schema")
        return
    page = Page()
    page.feed(text)
    page.close()
    assert page.open == [], page.open
    assert not re.search(r"https?:|url\(|@import", text)
    print(path.name, "is a page with", page.drawings, "drawings; rows:", *page.layers)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        check(Path(name))
