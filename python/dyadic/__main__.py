# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""``python -m dyadic translate|run|opt|search ...``: the tools that lie in the package."""

from __future__ import annotations

import sys

from ._tools import main

sys.exit(main(sys.argv[1:]))
