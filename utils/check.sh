#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# All tests: unit tests, lit, Python. Installs and builds what is missing. Tests that
# need ../shared (real models and data) or a tool that is not there are skipped by name.
# With --wheel also utils/wheel.sh, which takes minutes.

. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
setup binutils gcc qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross

results=$root/build/test-results
rm -rf "$results"
mkdir -p "$results"
cd "$root"
status=0
say "documentation is up to date"
utils/docs.sh --check || status=1
say "unit tests"
build/bin/dyadic-unit-tests --gtest_brief=1 --gtest_output=xml:"$results/unit.xml" || status=1
say "lit tests"
/usr/lib/llvm-22/bin/lit -sv -j "$jobs" --xunit-xml-output="$results/lit.xml" build/test || status=1
say "Python tests"
"$venv/bin/python" -m pytest -q --no-header -p no:cacheprovider -n "$jobs" -rs --junitxml="$results/pytest.xml" test || status=1
if [ "${1:-}" = --wheel ]; then
  utils/wheel.sh || status=1
fi
"$venv/bin/python" utils/summarise.py "$results"/*.xml || status=1
exit "$status"
