# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What compilations and searches give back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Dict, Optional

from ._program import Path, Program, encoded

if TYPE_CHECKING:
    from . import _compiler


class Report(Dict[str, Any]):
    """What a compilation did to a model: the report of ``quant-translate --report``.

    The keys are those of ``docs/schemas/report.schema.json``; printed, it is the table
    that the tool prints. Errors (``sqnr_db``) are in dB, sizes in bytes.
    """

    def __init__(self, items: Mapping[str, Any], text: str) -> None:
        super().__init__(items)
        self._text = text

    def __str__(self) -> str:
        return self._text

    __repr__ = __str__


class SearchedPlan(Dict[str, Any]):
    """The plan that :func:`search_plan` found, as ``bits`` of :func:`compile` takes it; printed, what the search did."""

    def __init__(self, items: Mapping[str, Any], text: str, compilation: _compiler.Compilation) -> None:
        super().__init__(items)
        self._text = text
        self._compilation = compilation

    def __str__(self) -> str:
        return self._text

    __repr__ = __str__

    def save(self, path: Path) -> None:
        """Writes the plan as it was found, with the bytes of ``quant-translate --save-plan``."""
        self._compilation.save_plan(encoded(path))


class CompiledProgram(Program):
    """A program that :func:`compile` made: it runs here, and can be written to files."""

    def __init__(self, program: Any, compilation: _compiler.Compilation) -> None:
        super().__init__(program)
        self._compilation = compilation

    @property
    def target(self) -> str:
        """The target it was compiled for.

        Where that is another machine, :meth:`run` computes the same bits on this one.
        """
        return self._compilation.target

    @property
    def report(self) -> Report:
        """Widths, sizes and, unless ranges came from a saved table, agreement with float."""
        return Report(json.loads(self._compilation.report_json), self._compilation.report_text)

    @property
    def plan(self) -> Optional[Dict[str, Any]]:
        """The complete plan, as ``bits`` takes it again; None for a float program."""
        text = self._compilation.plan_json
        return None if text is None else json.loads(text)

    @property
    def overrides(self) -> Optional[Dict[str, Any]]:
        """With ``attribution``: the plan as it was given with the overrides that repair it, as ``bits`` takes it."""
        text = self._compilation.overrides_json
        return None if text is None else json.loads(text)

    @property
    def calibration(self) -> Optional[Dict[str, Any]]:
        """The calibration table, as ``calibration`` takes it again; None for a float program."""
        text = self._compilation.table_json
        return None if text is None else json.loads(text)

    def save(self, path: Path) -> None:
        """Writes the program; the ending says as what.

        ``.so`` is a shared library, ``.o`` an object, each with a C header beside it;
        ``.s`` assembly, ``.ll`` LLVM IR, ``.mlir`` the module. The bytes are those that
        ``quant-translate -o`` writes. Without ``name=``, symbols are prefixed with the
        stem of ``path``.

        Raises:
            Error: the ending is unknown or not for the target, or the file cannot be
                written or is one that the compilation has read.
        """
        self._compilation.save(encoded(path))

    def save_plan(self, path: Path) -> None:
        """Writes :attr:`plan` as ``--save-plan`` does."""
        self._compilation.save_plan(encoded(path))

    def save_overrides(self, path: Path) -> None:
        """Writes :attr:`overrides` as ``--attribution`` does."""
        self._compilation.save_overrides(encoded(path))

    def save_calibration(self, path: Path) -> None:
        """Writes :attr:`calibration` as ``--save-calibration`` does."""
        self._compilation.save_calibration(encoded(path))

    def save_report(self, path: Path) -> None:
        """Writes :attr:`report` as ``--report`` does; the ending says in which form."""
        self._compilation.save_report(encoded(path))
