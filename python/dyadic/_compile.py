# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles models. What the arguments are is decided here; the rest is the C++ library's."""

from __future__ import annotations

import json
import operator
import os
import sys
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Callable, Dict, Optional, Protocol, Union

import numpy as np

from ._errors import CalibrationWarning, Error
from ._program import Path, Program, encoded

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


class Report(Dict[str, Any]):
    """What a compilation did to a model: the report of ``quant-translate --report``.

    The keys are those of ``docs/schemas/report.schema.json``; printed, it is the table
    that the tool prints. Errors (``sqnr_db``) are in dB, sizes in bytes.
    """

    def __init__(self, items: Mapping[str, Any], text: str) -> None:
        super().__init__(items)
        self._text = text

    def __str__(self) -> str:
        return self._text

    __repr__ = __str__


class CompiledProgram(Program):
    """A program that :func:`compile` made: it runs here, and can be written to files."""

    def __init__(self, program: Any, compilation: _compiler.Compilation) -> None:
        super().__init__(program)
        self._compilation = compilation

    @property
    def target(self) -> str:
        """The target it was compiled for.

        Where that is another machine, :meth:`run` computes the same bits on this one.
        """
        return self._compilation.target

    @property
    def report(self) -> Report:
        """Widths, sizes and, unless ranges came from a saved table, agreement with float."""
        return Report(json.loads(self._compilation.report_json), self._compilation.report_text)

    @property
    def plan(self) -> Optional[Dict[str, Any]]:
        """The complete plan, as ``bits`` takes it again; None for a float program."""
        text = self._compilation.plan_json
        return None if text is None else json.loads(text)

    @property
    def calibration(self) -> Optional[Dict[str, Any]]:
        """The calibration table, as ``calibration`` takes it again; None for a float program."""
        text = self._compilation.table_json
        return None if text is None else json.loads(text)

    def save(self, path: Path) -> None:
        """Writes the program; the ending says as what.

        ``.so`` is a shared library, ``.o`` an object, each with a C header beside it;
        ``.s`` assembly, ``.ll`` LLVM IR, ``.mlir`` the module. The bytes are those that
        ``quant-translate -o`` writes. Without ``name=``, symbols are prefixed with the
        stem of ``path``.

        Raises:
            Error: the ending is unknown or not for the target, or the file cannot be
                written or is one that the compilation has read.
        """
        self._compilation.save(encoded(path))

    def save_plan(self, path: Path) -> None:
        """Writes :attr:`plan` as ``--save-plan`` does."""
        self._compilation.save_plan(encoded(path))

    def save_calibration(self, path: Path) -> None:
        """Writes :attr:`calibration` as ``--save-calibration`` does."""
        self._compilation.save_calibration(encoded(path))

    def save_report(self, path: Path) -> None:
        """Writes :attr:`report` as ``--report`` does; the ending says in which form."""
        self._compilation.save_report(encoded(path))


def compile(
    model: Model,
    *,
    calibration: Optional[Calibration] = None,
    calibration_method: Optional[str] = None,
    merge_calibration: Sequence[Path] = (),
    bits: Union[int, str, os.PathLike[str], Mapping[str, Any], None] = None,
    budget: Optional[str] = None,
    choices: Optional[str] = None,
    cost: Optional[Path] = None,
    cache: Optional[Path] = None,
    time_limit: Optional[Seconds] = None,
    sensitivity: Optional[Path] = None,
    sensitivity_metric: Optional[str] = None,
    target: str = "native",
    rounding: Optional[str] = None,
    weight_rounding: Optional[str] = None,
    io: Optional[str] = None,
    float: bool = False,
    integer_only: bool = False,
    tune: Union[bool, str] = False,
    input_shapes: Optional[Mapping[str, Sequence[int]]] = None,
    input_ranges: Optional[Mapping[str, Sequence[Seconds]]] = None,
    name: Optional[str] = None,
    dump_values: bool = False,
    detailed_report: bool = False,
    folder: Optional[Path] = None,
    progress: Progress = False,
) -> CompiledProgram:
    """Compiles an ONNX model to an integer-only program.

    Arguments are the options of ``quant-translate``, with the same meaning: the same
    ones give the same bits, and :meth:`CompiledProgram.save` the same files. Other
    threads run meanwhile, and may compile too.

    Args:
        model: a path, the bytes of a model, or an ``onnx.ModelProto``.
        calibration: representative inputs, preprocessed as the model expects:

            - a path of an ``.npz``, ``.npy`` or folder of ``test_data_set_*``, or of a
              saved table (``.json``);
            - an array, where the model has one input;
            - a dict with an array for each input by name;
            - an iterable, a generator for example, of such arrays or dicts. They are
              observed as they come, and but for the fifth that is held back for the
              report, and up to 256 that weights are fitted to (of at most 256 MiB), none is kept;
            - the :attr:`~CompiledProgram.calibration` of another program.

            An array of the input's rank is a stack of samples along the first axis, cut
            into pieces of the model's batch size; an array of one rank more is a list of
            whole inputs. float64 becomes float32, integers other integers if they fit.
        calibration_method: ``"mse"`` (default), ``"minmax"``, ``"percentile[:99.99]"``
            or ``"entropy"``; without ``calibration`` ``"batchnorm[:8]"``, for models that have batch
            normalizations: so many standard deviations around the means that these know.
        merge_calibration: paths of saved tables that are merged, also with a path of
            ``calibration``.
        bits: 8 (default), ``"wXaY"`` with X in 2..8 and Y in 2..16, the path of a plan
            (``.json``), or a plan as a dict.
        budget: limits within which the bits of every layer are searched for, instead of ``bits``:
            ``"size:2MB,avg:4.5,bops:0.5x,drop:0.5%,sqnr:25dB"``, any of them (docs/Search.md).
        choices: the widths to choose from, as ``"w4a8,w8a8"``.
        cost: with a latency in ``budget``, the path of the table that times of layers are read from and written to.
        cache: with ``budget``, a folder that keeps what the search measures; an interrupted one goes on from it.
        time_limit: with ``budget``, seconds after which nothing more is measured that a plan can do without.
        sensitivity: a file (``.json``) that sensitivities are read from where it exists, and written to.
        sensitivity_metric: ``"kl"`` (default), ``"error"``, ``"layer"`` or ``"trace"``.
        target: ``"native"``, ``"generic"``, ``"avx2"``, ``"CPU@TRIPLE"`` for another system, or several
            CPUs, as in ``"generic,avx2"``, for a library that chooses when it is opened (docs/Targets.md).
        rounding: ``"half_up"`` (default) or ``"half_even"``.
        weight_rounding: ``"nearest"``; ``"gptq"``, fitted to the calibration samples;
            ``"auto"`` (default), fitted, unless nearest is as good on the samples held back.
        io: ``"float"`` (default), or ``"integer"`` for quantized inputs and outputs.
        float: no quantization: the float program, as a baseline.
        integer_only: a layer left in float is an error.
        tune: True measures schedules of kernels on this machine and puts the fastest into the plan;
            ``"float"`` may compute layers in float too, where that is faster.
        input_shapes: sizes of inputs with symbolic dimensions, by name.
        input_ranges: with ``calibration_method="batchnorm"``, the smallest and the largest number of each input,
            by name.
        name: prefix of the exported symbols, a C identifier.
        dump_values: values of layers become extra outputs, see :meth:`Program.run_values`.
        detailed_report: the report has each layer's own error, advice and times too, as with
            ``--report``; that takes about as long as compiling twice more.
        folder: where external data of a model in memory lies.
        progress: True shows on stderr, if that is a terminal, how many samples have
            calibrated; a function is called with that number and the number of all
            samples (0: not known yet). What it raises ends the compilation.

    Returns:
        The program, ready to run.

    Raises:
        Error: the model, the inputs or an option is wrong; the text is the tool's. A
            model in memory is called ``<model>``, inputs in memory ``<calibration>``.
        TypeError: an argument is of a type that this function does not take.

    Warns:
        CalibrationWarning: there are fewer than 10 samples.
    """
    from . import _compiler  # loads LLVM

    options = _compiler.Options()
    if merge_calibration and not isinstance(calibration, (str, os.PathLike, type(None))):
        raise TypeError(f"calibration is {type(calibration).__name__}, expected a path next to merge_calibration")
    options.has_calibration = calibration is not None or len(merge_calibration) > 0
    options.is_float = bool(float)
    options.integer_only = bool(integer_only)
    options.dump_values = bool(dump_values)
    options.detailed_report = bool(detailed_report)
    options.calibration_method = calibration_method
    options.tune = None if tune is False else "" if tune is True else tune
    options.rounding = rounding
    options.weight_rounding = weight_rounding
    options.io = io
    options.name = name
    options.target = target
    options.input_shapes = [f"{key}:{','.join(map(str, sizes))}" for key, sizes in (input_shapes or {}).items()]
    options.input_ranges = [f"{key}:{','.join(map(str, ends))}" for key, ends in (input_ranges or {}).items()]
    options.budget = budget
    options.choices = choices
    options.cost = None if cost is None else os.fsdecode(cost)
    options.cache = None if cache is None else os.fsdecode(cache)
    options.time_limit = None if time_limit is None else str(time_limit)
    options.sensitivity_metric = sensitivity_metric
    if sensitivity is not None:
        options.set_sensitivity(encoded(sensitivity))
    _set_bits(options, bits)
    source, data, where = _read_model(model, folder)

    messages: list[str] = []
    counter = _Counter()
    watcher: Optional[Callable[[int, int], object]] = None
    if callable(progress):
        watcher = progress
    elif progress and sys.stderr is not None and sys.stderr.isatty():
        watcher = counter
    compilation = _compiler.Compilation(source, data, where, options, messages.append, watcher)
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
        warnings.warn(message, CalibrationWarning, stacklevel=2)
    return CompiledProgram(compilation.finish(), compilation)


def _set_bits(options: _compiler.Options, bits: Any) -> None:
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


def _read_model(model: Any, folder: Optional[Path]) -> tuple[bytes, Optional[bytes], bytes]:
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
