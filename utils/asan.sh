#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Builds with AddressSanitizer and UndefinedBehaviorSanitizer in build-asan, then runs the unit tests, the lit tests and
# the mutations of every model that is there. Once per release: it takes about an hour of one processor.
#
#   utils/asan.sh [COUNT]     COUNT: damaged copies of each model (default 2000)

. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
count=${1:-2000}
cd "$root"
setup
say "building with sanitizers"
[ -e build-asan/build.ninja ] || cmake --preset asan -DCMAKE_PREFIX_PATH="$onnx_prefix;$highs_prefix" >/dev/null
cmake --build build-asan -j "$jobs" >build-asan/build.log 2>&1 || { tail -n 30 build-asan/build.log >&2; exit 1; }

# Debian's MLIR is built without sanitizers: of the arenas that it shares with us only one side is marked.
# A report ends the process with a code that no tool has.
export ASAN_OPTIONS=allow_user_poisoning=0:detect_leaks=0:quarantine_size_mb=64:exitcode=99
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1:exitcode=99
# Sanitizers take their own time and memory.
export DYADIC_BIN=$root/build-asan/bin DYADIC_MUTATIONS=$count DYADIC_MUTATE_OPTIONS="--seconds=60 --megabytes=4096"
export DYADIC_SECONDS=60 DYADIC_MEGABYTES=4096
status=0
say "unit tests"
build-asan/bin/dyadic-unit-tests --gtest_brief=1 || status=1
say "lit tests"
/usr/lib/llvm-22/bin/lit -sv -j "$jobs" build-asan/test || status=1
say "mutations"
"$venv/bin/python" -m pytest -q --no-header -p no:cacheprovider -rs test/Integration/test_mutations.py || status=1
if [ "$status" = 0 ]; then
  echo "AddressSanitizer and UndefinedBehaviorSanitizer found nothing"
else
  echo "error: tests failed or sanitizers found something, see above" >&2
fi
exit "$status"
