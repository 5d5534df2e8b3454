# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the Python tests share: the tools, the models, and compiled programs."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(os.environ.get("DYADIC_BIN", ROOT / "build" / "bin"))
SHARED = Path(os.environ.get("DYADIC_SHARED", ROOT.parent / "shared"))


#: Files whose tests share what takes long to make, or add up: one worker runs all of them.
ONE_WORKER = ["test_search.py", "test_report.py", "test_distributed.py", "test_random_graphs.py", "test_layouts.py"]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Those files first, as they are long; all other tests go to whoever is free."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.split("::")[0]
            return file if Path(file).name in ONE_WORKER else nodeid

    return Scheduling(config, log)


@dataclass(frozen=True)
class Model:
    """A float model with calibration inputs and test data."""

    name: str
    onnx: Path
    input: str
    calibration: np.ndarray
    test: np.ndarray
    labels: np.ndarray


def run_tool(
    tool: str, *arguments: object, check: bool = True, timeout: float | None = 600
) -> subprocess.CompletedProcess[str]:
    """Runs a tool of build/bin; with ``check`` a failure shows what it printed."""
    command = [str(BIN / tool), *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    if check and result.returncode != 0:
        raise AssertionError(f"{' '.join(command)}\n{result.stdout}{result.stderr}")
    return result


def need_shared() -> Path:
    if not (SHARED / "models").is_dir():
        pytest.skip(f"needs real models in {SHARED.name}/models, which are not there")
    return SHARED


#: Networks that evaluate.py of the shared models prepares data for, by its names of them.
TASKS = {"mnist": "mnist", "squeezenet": "squeezenet1.1", "mobilenet": "mobilenet_v2_1.0", "ultraface": "ultraface"}


def evaluate():
    """The module evaluate.py of the shared tools."""
    spec = importlib.util.spec_from_file_location("evaluate", need_shared() / "tools" / "evaluate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def load_task(name: str) -> Model:
    """A few samples, enough to compare bits: calibration here is not for accuracy."""
    task = evaluate().TASKS[TASKS[name]]
    items = task.eval_items()
    items = [items[i] for i in np.linspace(0, len(items) - 1, min(32, len(items)), dtype=int)]
    (key,) = task.inputs(items[0])
    calibration = np.concatenate([sample[key] for sample in task.calib(8)])
    test = np.concatenate([task.inputs(item)[key] for item in items])
    return Model(name, Path(task.model), key, calibration, test, np.empty(0))


def load_model(name: str) -> Model:
    if name in TASKS:
        return load_task(name)
    if name == "digits":
        folder = ROOT / "examples" / "digits"
        with np.load(folder / "calibration.npz") as c, np.load(folder / "test.npz") as t:
            return Model(name, folder / "digits.onnx", "image", c["image"], t["image"], t["label"])
    shared = need_shared()
    if name == "kws":
        with np.load(shared / "data" / "kws.npz") as z:
            samples, labels = z["mfcc"].reshape(-1, 1, 49, 10), z["label"]
        onnx, key = "kws_dscnn.onnx", "mfcc"
    else:
        with np.load(shared / "data" / "cifar10.npz") as z:
            images, labels = z["image"], z["label"]
        mean, std = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])
        samples = ((images.astype(np.float32) / 255.0 - mean) / std).transpose(0, 3, 1, 2)
        onnx, key = "resnet20_cifar10.onnx", "image"
    samples = np.ascontiguousarray(samples, np.float32)
    return Model(name, shared / "models" / onnx, key, samples[:200], samples[200:], labels[200:])


@pytest.fixture(scope="session")
def models():
    """Models by name, loaded once."""
    loaded: dict[str, Model] = {}

    def get(name: str) -> Model:
        if name not in loaded:
            loaded[name] = load_model(name)
        return loaded[name]

    return get


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory) -> Path:
    """One folder for all workers. What the tools write appears there whole, and the same whoever makes it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "compiled"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def samples(models, shared_folder):
    """A file with a model's calibration inputs."""

    def get(name: str) -> Path:
        path, model = shared_folder / f"{name}.npz", models(name)
        if not path.exists():
            part = shared_folder / f"{name}-{os.getpid()}.npz"
            np.savez(part, **{model.input: model.calibration})
            part.replace(path)
        return path

    return get


@pytest.fixture(scope="session")
def table(models, samples, shared_folder):
    """A saved calibration table by model: later compilations need no float run."""

    def get(name: str) -> Path:
        path = shared_folder / f"{name}.json"
        if not path.exists():
            run_tool("quant-translate", models(name).onnx, f"--calibration={samples(name)}", f"--save-calibration={path}")
        return path

    return get


@pytest.fixture(scope="session")
def translate(models, samples, table, shared_folder):
    """Compiles a model; the same options give the same file once a session."""

    def compile(name: str, *options: str, suffix: str = ".so") -> Path:
        out = shared_folder / f"{name}-{hashlib.sha256(repr(options).encode()).hexdigest()[:16]}{suffix}"
        if out.exists():
            return out
        arguments = [models(name).onnx, "-o", out, f"--name={name}", *options]
        if not any(o.startswith(("--float", "--calibration=", "--calibration-method=batchnorm")) for o in options):
            # Weights that are not fitted need no samples.
            needs_table = "--weight-rounding=nearest" in options and not any("--calibration-method" in o for o in options)
            arguments.append(f"--calibration={table(name) if needs_table else samples(name)}")
        run_tool("quant-translate", *arguments)
        return out

    return compile
