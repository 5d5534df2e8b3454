#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Builds the wheel of the Python package into build/dist, and tries it in a fresh virtual
# environment: the digits network, compiled, run, and compared with the tool of the build
# tree. Takes minutes the first time (a build tree of its own, build/wheel).

. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
setup

say "building the wheel"
cd "$root"
dist=$root/build/dist
rm -rf "$dist"
CC=clang-22 CXX=clang++-22 CMAKE_PREFIX_PATH=$onnx_prefix CMAKE_GENERATOR=Ninja \
  CMAKE_BUILD_PARALLEL_LEVEL=$jobs "$venv/bin/python" -m pip wheel -q --disable-pip-version-check --no-deps \
  --no-build-isolation -w "$dist" \
  -C cmake.define.CMAKE_CXX_COMPILER_LAUNCHER=ccache -C cmake.define.LLVM_USE_LINKER=lld-22 "$root"
wheel=$(echo "$dist"/*.whl)

say "trying $(basename "$wheel") in a fresh environment"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$venv/bin/python" -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check "$wheel"
digits=$root/examples/digits
cd "$work"
"$root/build/bin/quant-translate" "$digits/digits.onnx" --calibration="$digits/calibration.npz" -o digits.so >/dev/null
mkdir command script
"$work/venv/bin/python" -m dyadic translate "$digits/digits.onnx" --calibration="$digits/calibration.npz" -o command/digits.so
"$work/venv/bin/quant-translate" "$digits/digits.onnx" --calibration="$digits/calibration.npz" -o script/digits.so >/dev/null
"$work/venv/bin/python" - "$digits" <<'PY'
import importlib.metadata, pathlib, sys
import dyadic, numpy as np

folder = pathlib.Path(sys.argv[1])
files = {str(f) for f in importlib.metadata.files("dyadic")}
needed = ["__init__.py", "_compile.py", "_compiler.pyi", "_runtime.pyi", "py.typed", "bin/quant-translate", "bin/quant-run", "bin/quant-opt", "bin/quant-search"]
missing = [f for f in needed if f"dyadic/{f}" not in files]
licences = [f for f in files if f.endswith(("licenses/LICENSE", "THIRD_PARTY.txt"))]
assert not missing and len(licences) == 2, (missing, licences)
assert importlib.metadata.version("dyadic") == dyadic.__version__
program = dyadic.compile(folder / "digits.onnx", calibration=folder / "calibration.npz")
pathlib.Path("python").mkdir()
program.save("python/digits.so")
expected = pathlib.Path("digits.so").read_bytes()
for made in ("python", "command", "script"):
    assert pathlib.Path(made, "digits.so").read_bytes() == expected, f"{made}: other bytes than the build tree's tool"
with np.load(folder / "test.npz") as data:
    accuracy = np.mean(program.run(data["image"])["logits"].argmax(1) == data["label"])
assert accuracy > 0.98, accuracy
print(f"the same bytes as the build tree's tool; accuracy {accuracy:.2%}")
PY
say "$wheel"
