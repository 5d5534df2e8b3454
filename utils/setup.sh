#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Everything from a fresh Debian 12 to built tools: packages, Python environment,
# onnx's C++ library and HiGHS (once, in a cache), configuration, build. Sourced by quickstart.sh
# and check.sh; a second run finds all of it there and changes nothing.
#
#   DYADIC_CACHE   where onnx's library and HiGHS are kept (default ~/.cache/dyadic)
#   JOBS           parallel compilations (default: the number of processors)

set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${DYADIC_CACHE:-$HOME/.cache/dyadic}
onnx_version=1.23.2
onnx_prefix=$cache/onnx-$onnx_version
highs_version=1.15.1
highs_prefix=$cache/highs-$highs_version
jobs=${JOBS:-$(nproc)}
venv=$root/.venv

say() { printf '\033[1m==> %s\033[0m\n' "$*" >&2; }

# install_packages NAME...: those that are missing, by apt.
install_packages() {
  local missing=() name
  for name in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || missing+=("$name")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${#missing[@]} Debian packages"
  local sudo=()
  [ "$(id -u)" = 0 ] || sudo=(sudo)
  "${sudo[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# install_python: the virtual environment with pinned tools and the tests' packages.
install_python() {
  local stamp=$venv/.installed-$(sha256sum "$root/utils/requirements.txt" | cut -c1-16)
  [ -e "$stamp" ] && return 0
  say "making the Python environment .venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install -q --disable-pip-version-check -r "$root/utils/requirements.txt"
  touch "$stamp"
}

# build_onnx: onnx's C++ library from PyPI's source distribution.
build_onnx() {
  [ -e "$onnx_prefix/.complete" ] && return 0
  say "building onnx $onnx_version (once, about 4 minutes of CPU time)"
  local work
  work=$(mktemp -d)
  "$venv/bin/pip" download -q --disable-pip-version-check --no-deps --no-binary onnx --no-build-isolation -d "$work" "onnx==$onnx_version"
  tar -xzf "$work/onnx-$onnx_version.tar.gz" -C "$work"
  PATH=$venv/bin:$PATH cmake -G Ninja -S "$work/onnx-$onnx_version" -B "$work/build" -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_C_COMPILER=clang-22 -DCMAKE_CXX_COMPILER=clang++-22 -DCMAKE_CXX_STANDARD=17 \
    -DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DBUILD_SHARED_LIBS=OFF \
    -DONNX_USE_PROTOBUF_SHARED_LIBS=ON -DONNX_ML=ON -DONNX_BUILD_PYTHON=OFF -DONNX_BUILD_TESTS=OFF \
    -DCMAKE_INSTALL_PREFIX="$onnx_prefix" >"$work/log" 2>&1 &&
    PATH=$venv/bin:$PATH cmake --build "$work/build" -j "$jobs" --target install >>"$work/log" 2>&1 ||
    { tail -n 30 "$work/log" >&2; echo "error: onnx $onnx_version could not be built" >&2; return 1; }
  touch "$onnx_prefix/.complete"
  rm -rf "$work"
}

# fetch_highs: the library from PyPI's wheel, the headers of its C interface from the source distribution;
# nothing is compiled.
fetch_highs() {
  [ -e "$highs_prefix/.complete" ] && return 0
  say "getting HiGHS $highs_version"
  local work header source
  work=$(mktemp -d)
  "$venv/bin/pip" download -q --disable-pip-version-check --no-deps --only-binary highspy -d "$work" "highspy==$highs_version"
  "$venv/bin/pip" download -q --disable-pip-version-check --no-deps --no-binary highspy --no-build-isolation -d "$work" "highspy==$highs_version"
  "$venv/bin/python" -m zipfile -e "$work"/*.whl "$work/wheel"
  tar -xzf "$work/highspy-$highs_version.tar.gz" -C "$work"
  source=$work/highspy-$highs_version/highs
  install -D -m 644 "$work/wheel/highspy/libhighs.so.1" "$highs_prefix/lib/libhighs.so.1"
  for header in interfaces/highs_c_api.h lp_data/HighsCallbackStruct.h util/HighsInt.h; do
    install -D -m 644 "$source/$header" "$highs_prefix/include/$header"
  done
  : >"$highs_prefix/include/HConfig.h" # 32-bit integers, as in the wheel
  touch "$highs_prefix/.complete"
  rm -rf "$work"
}

# build_dyadic: configure where needed, then build everything.
build_dyadic() {
  say "building Dyadic"
  export CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
  export PATH=$venv/bin:$PATH
  local log=$root/build/setup.log
  mkdir -p "$root/build"
  if [ ! -e "$root/build/build.ninja" ]; then
    (cd "$root" && cmake --preset release -DCMAKE_PREFIX_PATH="$onnx_prefix;$highs_prefix" -DPython_EXECUTABLE="$venv/bin/python") >"$log" 2>&1 ||
      { tail -n 30 "$log" >&2; return 1; }
  fi
  cmake --build "$root/build" -j "$jobs" >"$log" 2>&1 || { grep -E -A5 'error|FAILED' "$log" >&2 || tail -n 30 "$log" >&2; return 1; }
  # The package of build/python becomes importable in the environment.
  "$venv/bin/python" - "$root/build/python" <<'PY'
import pathlib, sys, sysconfig
target = pathlib.Path(sysconfig.get_paths()["purelib"]) / "dyadic.pth"
text = sys.argv[1] + "\n"
if not target.exists() or target.read_text() != text:
    target.write_text(text)
PY
}

setup() {
  install_packages ca-certificates llvm-22-dev libmlir-22-dev mlir-22-tools llvm-22-tools clang-22 lld-22 clang-format-22 ccache \
    libzstd-dev libgtest-dev libprotobuf-dev protobuf-compiler libzip-dev libeigen3-dev pkg-config make \
    python3-dev python3-venv "$@"
  install_python
  build_onnx
  fetch_highs
  build_dyadic
}
