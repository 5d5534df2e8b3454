#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# The long comparisons: reference = JIT = library on all models with 32 samples and
# every width and rounding, 10^7 random requantizations, random graphs, searches, 2,000 damaged copies of each model. About half an
# hour on two cores; check.sh runs a small part of the same tests.

. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
setup binutils qemu-user gcc gcc-aarch64-linux-gnu libc6-dev-arm64-cross
cd "$root"
DYADIC_CONFORMANCE=full exec "$venv/bin/python" -m pytest -q --no-header -p no:cacheprovider -n "$jobs" -rs -rP test/Conformance test/Integration/test_search.py test/Integration/test_mutations.py "$@"
