# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""lit configuration: `lit build/test`. It imports nothing but lit and the standard library."""

import os
import platform
import shutil

import lit.formats

config.name = "Dyadic"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.test_source_root = os.path.join(config.dyadic_source, "test")
config.test_exec_root = os.path.join(config.dyadic_build, "test")
config.excludes = ["Inputs", "unit", "mutation", "python", "Integration", "Conformance", "CMakeLists.txt"]

tools = os.path.join(config.dyadic_build, "bin")
venv = os.path.join(config.dyadic_source, ".venv", "bin")
for tool in ["quant-opt", "quant-translate", "quant-run", "quant-search"]:
    if not os.access(os.path.join(tools, tool), os.X_OK):
        lit_config.fatal(f"{os.path.join(tools, tool)} does not exist, expected a build: ninja -C build")
config.environment["PATH"] = os.pathsep.join([tools, config.llvm_tools, os.environ.get("PATH", "")])
for name in ["DYADIC_SECONDS", "DYADIC_MEGABYTES"]:  # limits of refuse.py
    if name in os.environ:
        config.environment[name] = os.environ[name]

# Every quant-opt checks that what it prints parses back to the same, but for
# %quant-opt, which tests of diagnostics use.
config.substitutions += [
    (r"%quant-opt", os.path.join(tools, "quant-opt")),
    (r"(?<![/\w%-])quant-opt(?![\w.-])", os.path.join(tools, "quant-opt") + " --verify-roundtrip"),
    (r"%python", os.path.join(venv, "python")),
    (r"%examples", os.path.join(config.dyadic_source, "examples")),
    (r"%test_inputs", os.path.join(config.test_source_root, "Inputs")),
    (r"%utils", os.path.join(config.dyadic_source, "utils")),
]

shared = os.environ.get("DYADIC_SHARED", os.path.join(config.dyadic_source, "..", "shared"))
if os.path.isdir(os.path.join(shared, "models")):
    config.available_features.add("shared")
    config.substitutions.append((r"%shared", os.path.abspath(shared)))
if platform.machine() == "x86_64":
    config.available_features.add("x86")
if shutil.which("qemu-aarch64"):
    config.available_features.add("qemu-aarch64")
