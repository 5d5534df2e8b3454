#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# From a fresh Debian 12 to a compiled model: installs and builds what is missing,
# compiles the bundled digits network to an integer-only library, prints its report
# and its accuracy beside the float program's.

. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
setup

out=$root/build/quickstart
mkdir -p "$out"
cd "$root"
say "quant-translate examples/digits/digits.onnx -o build/quickstart/digits.so"
build/bin/quant-translate examples/digits/digits.onnx --calibration=examples/digits/calibration.npz --integer-only \
  -o build/quickstart/digits.so
build/bin/quant-translate examples/digits/digits.onnx --float -o build/quickstart/digits_float.so >/dev/null
say "accuracy on examples/digits/test.npz"
"$venv/bin/python" examples/digits/evaluate.py build/quickstart/digits_float.so build/quickstart/digits.so
