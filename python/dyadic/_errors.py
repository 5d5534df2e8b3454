# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What goes wrong, for Python code and for the extension modules."""

from __future__ import annotations


class Error(ValueError):
    """Something that was given is wrong; the text is what the tools print after ``error: ``."""


class CalibrationWarning(UserWarning):
    """Ranges that may not be trusted; the text is what the tools print after ``warning: ``."""
