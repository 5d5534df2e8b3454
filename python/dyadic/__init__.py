# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs models compiled by Dyadic.

>>> import dyadic
>>> program = dyadic.load("digits.so")
>>> logits = program.run({"image": image})["logits"]
"""

from ._program import DyadicError, Program, load

__all__ = ["DyadicError", "Program", "load"]
__version__ = "0.1.0"
