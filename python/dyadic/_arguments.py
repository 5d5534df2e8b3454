# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""From Python's arguments to the C++ library's: options, the model, and inputs that calibrate."""

from __future__ import annotations

import json
import operator
import os
import sys
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Callable, Optional, Protocol, Union

import numpy as np

from ._errors import CalibrationWarning, Error
from ._program import Path, encoded

if TYPE_CHECKING:
    from . import _compiler


class ModelProto(Protocol):
    """An ``onnx.ModelProto``; the package itself does not need onnx."""

    def SerializeToString(self) -> bytes: ...


Model = Union[Path, bytes, bytearray, memoryview, ModelProto]
#: A NumPy array, or what NumPy can make one of (a torch tensor in host memory, for example).
Array = Union[np.ndarray[Any, Any], Any]
Calibration = Union[Path, Array, Mapping[str, Any], Iterable[Union[Array, Mapping[str, Array]]]]
Seconds = Union[int, float]
Progress = Union[bool, Callable[[int, int], object]]

MODEL, PLAN, CALIBRATION = "<model>", "<plan>", "<calibration>"  # what messages call things without a file
OVERRIDES = "<overrides>.json"


def set_bits(options: _compiler.Options, bits: Any) -> None:
    if bits is None:
        return
    if isinstance(bits, Mapping):
        options.set_bits(PLAN.encode())
        options.plan_text = json.dumps(bits)
    elif isinstance(bits, (str, os.PathLike)):
        options.set_bits(encoded(bits))
    elif isinstance(bits, bool) or not hasattr(bits, "__index__"):
        raise TypeError(f"bits is {type(bits).__name__}, expected a number, a text, a path or a dict")
    else:
        options.set_bits(str(operator.index(bits)).encode())


def set_search(
    options: _compiler.Options,
    budget: Optional[str],
    choices: Optional[str],
    cost: Optional[Path],
    cache: Optional[Path],
    time_limit: Optional[Seconds],
    sensitivity: Optional[Path],
    sensitivity_metric: Optional[str],
    pairs: Optional[str],
    pareto: Optional[Path],
) -> None:
    options.budget = budget
    options.choices = choices
    options.cost = None if cost is None else os.fsdecode(cost)
    options.cache = None if cache is None else os.fsdecode(cache)
    options.time_limit = None if time_limit is None else str(time_limit)
    options.sensitivity_metric = sensitivity_metric
    options.pairs = pairs
    if sensitivity is not None:
        options.set_sensitivity(encoded(sensitivity))
    if pareto is not None:
        options.set_pareto(encoded(pareto))


def calibrated(
    options: _compiler.Options,
    model: Model,
    calibration: Optional[Calibration],
    calibration_method: Optional[str],
    merge_calibration: Sequence[Path],
    weight_rounding: Optional[str],
    target: str,
    input_shapes: Optional[Mapping[str, Sequence[int]]],
    input_ranges: Optional[Mapping[str, Sequence[Seconds]]],
    folder: Optional[Path],
    progress: Progress,
    written: Sequence[Optional[Path]],
) -> _compiler.Compilation:
    """A compilation that has its ranges; ``written`` are paths of the plan, the front and the overrides."""
    from . import _compiler

    if merge_calibration and not isinstance(calibration, (str, os.PathLike, type(None))):
        raise TypeError(f"calibration is {type(calibration).__name__}, expected a path next to merge_calibration")
    options.has_calibration = calibration is not None or len(merge_calibration) > 0
    options.calibration_method = calibration_method
    options.weight_rounding = weight_rounding
    options.target = target
    options.input_shapes = [f"{key}:{','.join(map(str, sizes))}" for key, sizes in (input_shapes or {}).items()]
    options.input_ranges = [f"{key}:{','.join(map(str, ends))}" for key, ends in (input_ranges or {}).items()]
    source, data, where = read_model(model, folder)

    messages: list[str] = []
    counter = _Counter()
    watcher: Optional[Callable[[int, int], object]] = None
    if callable(progress):
        watcher = progress
    elif progress and sys.stderr is not None and sys.stderr.isatty():
        watcher = counter
    compilation = _compiler.Compilation(source, data, where, options, messages.append, watcher)
    compilation.set_results(*(b"" if path is None else encoded(path) for path in written))
    if calibration is not None or merge_calibration:
        try:
            if calibration is None or isinstance(calibration, (str, os.PathLike)):
                path = b"" if calibration is None else encoded(calibration)
                compilation.calibrate(path, [encoded(table) for table in merge_calibration])
            else:
                _calibrate(compilation, calibration)
        finally:
            counter.close()
    for message in messages:
        warnings.warn(message, CalibrationWarning, stacklevel=3)
    return compilation


def read_model(model: Any, folder: Optional[Path]) -> tuple[bytes, Optional[bytes], bytes]:
    """The name, the bytes of a model in memory, and the folder of its external data."""
    if isinstance(model, (str, os.PathLike)):
        if folder is not None:
            raise TypeError("folder is for models in memory; external data of a file lies beside it")
        return encoded(model), None, b""
    where = b"" if folder is None else encoded(folder)
    if isinstance(model, (bytes, bytearray, memoryview)):
        return MODEL.encode(), bytes(model), where
    if not hasattr(model, "SerializeToString"):
        raise TypeError(f"model is {type(model).__name__}, expected a path, bytes or an onnx.ModelProto")
    try:
        data = model.SerializeToString()
    except Exception as error:  # protobuf has several, of more than 2 GiB for example
        raise Error(f"{MODEL}: cannot be serialized: {error}") from error
    return MODEL.encode(), data, where


class _Counter:
    """Counts samples on one line of the terminal."""

    def __init__(self) -> None:
        self._is_open = False

    def __call__(self, done: int, total: int) -> None:
        text = f"{done}/{total}" if total else f"{done}"
        print(f"\rcalibrating: {text}", end="", file=sys.stderr, flush=True)
        self._is_open = True

    def close(self) -> None:
        if self._is_open:
            print(file=sys.stderr)


def _calibrate(compilation: _compiler.Compilation, calibration: Any) -> None:
    """Calibration in memory."""
    if isinstance(calibration, Mapping) and isinstance(calibration.get("kind"), str):
        compilation.use_table(CALIBRATION, json.dumps(calibration))
    else:
        if isinstance(calibration, Mapping) or _is_array(calibration):
            _add(compilation, CALIBRATION, calibration)
        elif isinstance(calibration, Iterable) and not isinstance(calibration, (bytes, bytearray, memoryview)):
            for i, item in enumerate(calibration):
                _add(compilation, f"{CALIBRATION}[{i}]", item)
        else:
            raise TypeError(
                f"calibration is {type(calibration).__name__}, "
                "expected a path, an array, a dict of arrays, or an iterable of arrays or dicts"
            )
        compilation.finish_samples(CALIBRATION)


def _is_array(value: object) -> bool:
    return hasattr(value, "__array__")


def _add(compilation: _compiler.Compilation, label: str, item: Any) -> None:
    """One item of calibration inputs: an array, or a dict of arrays."""
    if _is_array(item):
        expected = compilation.inputs[0][1] if compilation.inputs else "float32"
        compilation.add_array(label, _native(f"{label}:", item, expected))
    elif isinstance(item, Mapping):
        arrays = [
            (key, _native(f"{label}: array {key!r}", item[key], dtype))
            for key, dtype, _ in compilation.inputs
            if key in item
        ]
        compilation.add_arrays(label, [str(key) for key in item], arrays)
    else:
        raise TypeError(f"{label} is {type(item).__name__}, expected an array or a dict of arrays by input name")


def _native(label: str, value: Any, expected: str) -> np.ndarray[Any, Any]:
    """As an array that C++ reads: numbers, in row-major order and the host's byte order."""
    array = np.asarray(value)
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8 or array.dtype == np.float16:
        raise Error(f"{label} holds {array.dtype}, expected {expected}")
    return np.asarray(array, dtype=array.dtype.newbyteorder("="), order="C")
