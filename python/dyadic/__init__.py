# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles ONNX models to integer-only programs, and runs them.

>>> import dyadic
>>> program = dyadic.compile("digits.onnx", calibration="calibration.npz")
>>> logits = program.run({"image": image})["logits"]
>>> program.save("digits.so")
>>> program = dyadic.load("digits.so")

``import dyadic`` loads what runs programs; the compiler, and LLVM with it, is loaded by
the first :func:`compile`.
"""

from ._compile import compile, search_plan
from ._errors import CalibrationWarning, Error
from ._program import Program, load
from ._results import CompiledProgram, Report, SearchedPlan

__all__ = [
    "CalibrationWarning",
    "CompiledProgram",
    "Error",
    "Program",
    "Report",
    "SearchedPlan",
    "compile",
    "load",
    "search_plan",
]
__version__ = "0.1.0"
