# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Calibration and sensitivities by several processes or machines, through Dask.

>>> from dask.distributed import Client
>>> import dyadic, dyadic.distributed
>>> with Client("scheduler:8786") as client:
...     table = dyadic.distributed.calibrate(client, "model.onnx", "inputs.npz")
...     found = dyadic.distributed.measure_sensitivity(client, "model.onnx", "inputs.npz", "avg:4.5", table=table)
>>> found.save("sensitivity.json")
>>> program = dyadic.compile("model.onnx", calibration="inputs.npz", budget="avg:4.5", sensitivity="sensitivity.json")

Every process takes a part of the samples. Tables of parts add up exactly: the results are those of one process, byte for
byte, however many there are. Dask is not installed with this package (``pip install dask[distributed]``); the workers need
both.
"""

from __future__ import annotations

import io
import json
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Dict, Optional, Union

import numpy as np

from ._arguments import CALIBRATION, Array, Model, read_model
from ._errors import CalibrationWarning
from ._program import Path, encoded

Data = Union[Path, Array, Mapping[str, Array]]


class Table(Dict[str, Any]):
    """A table of statistics (as ``calibration`` of :func:`dyadic.compile`) or of sensitivities."""

    def __init__(self, text: str) -> None:
        super().__init__(json.loads(text))
        self._text = text

    def save(self, path: Path) -> None:
        """Writes the table with the bytes of ``--save-calibration`` or ``--sensitivity``, whole or not at all."""
        target = os.fspath(path)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=os.path.dirname(target) or ".", delete=False) as file:
            file.write(self._text)
        try:
            os.chmod(file.name, 0o666 & ~_umask())
            os.replace(file.name, target)
        except OSError:
            os.unlink(file.name)
            raise


def calibrate(
    client: Any,
    model: Model,
    calibration: Data,
    *,
    calibration_method: Optional[str] = None,
    input_shapes: Optional[Mapping[str, Sequence[int]]] = None,
    folder: Optional[Path] = None,
    parts: Optional[int] = None,
) -> Table:
    """Calibrates on samples that the processes of ``client`` share among them.

    Args:
        client: a ``dask.distributed.Client``.
        model: as for :func:`dyadic.compile`; a path has to be one for every worker.
        calibration: a path (``.npz``, ``.npy`` or a folder) that every worker can read; or an array, or a dict of
            arrays by input name, which are sent to all of them.
        calibration_method: ``"mse"`` (default), ``"minmax"``, ``"percentile[:99.99]"`` or ``"entropy"``.
        input_shapes: sizes of inputs with symbolic dimensions, by name.
        folder: where external data of a model in memory lies.
        parts: how many parts there are; as many as workers. Each needs a sample to calibrate with.

    Returns:
        The table that ``quant-translate --save-calibration`` writes.

    Raises:
        Error: as :func:`dyadic.compile`; also fewer samples than parts.

    Warns:
        CalibrationWarning: there are fewer than 10 samples.
    """
    from . import _compiler

    options = {
        "has_calibration": True,
        "calibration_method": calibration_method,
        "input_shapes": [f"{key}:{','.join(map(str, sizes))}" for key, sizes in (input_shapes or {}).items()],
    }
    tables = _run(client, _calibrate_part, model, folder, options, calibration, parts)
    return Table(_compiler.merge_calibrations(tables))


def measure_sensitivity(
    client: Any,
    model: Model,
    calibration: Data,
    budget: str,
    *,
    table: Optional[Mapping[str, Any]] = None,
    choices: Optional[str] = None,
    sensitivity_metric: Optional[str] = None,
    pairs: Optional[str] = None,
    weight_rounding: Optional[str] = None,
    calibration_method: Optional[str] = None,
    input_shapes: Optional[Mapping[str, Sequence[int]]] = None,
    folder: Optional[Path] = None,
    parts: Optional[int] = None,
) -> Table:
    """Measures what the search for a plan within ``budget`` asks for, by the processes of ``client``.

    Each process fits narrow weights by itself, to the same samples, and measures a part of those held back. The table goes to
    ``sensitivity`` of :func:`dyadic.compile` or :func:`dyadic.search_plan` with the same options, which measure no more.
    A budget with a latency may drop choices that a model cannot have; give ``choices`` there.

    Args:
        table: the calibration of the same samples, as :func:`calibrate` gives it; without one it is made first.
        budget, choices, sensitivity_metric, pairs, weight_rounding: as for :func:`dyadic.compile`.

    The other arguments are those of :func:`calibrate`.

    Returns:
        The table that ``quant-translate --budget=... --sensitivity=FILE.json`` writes.
    """
    from . import _compiler

    options = {
        "has_calibration": True,
        "calibration_method": calibration_method,
        "weight_rounding": weight_rounding,
        "budget": budget,
        "choices": choices,
        "sensitivity_metric": sensitivity_metric,
        "pairs": pairs,
        "input_shapes": [f"{key}:{','.join(map(str, sizes))}" for key, sizes in (input_shapes or {}).items()],
    }
    if table is None:
        table = calibrate(
            client,
            model,
            calibration,
            calibration_method=calibration_method,
            input_shapes=input_shapes,
            folder=folder,
            parts=parts,
        )
    text = table._text if isinstance(table, Table) else json.dumps(table)
    tables = _run(client, _measure_part, model, folder, options, calibration, parts, text)
    return Table(_compiler.merge_sensitivities([part for part in tables if part]))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _run(
    client: Any,
    work: Any,
    model: Model,
    folder: Optional[Path],
    options: Dict[str, Any],
    data: Data,
    parts: Optional[int],
    *more: Any,
) -> list[str]:
    """What ``work`` makes of every part, in order."""
    count = len(client.nthreads()) if parts is None else parts
    if count < 1:
        raise ValueError(f"parts is {count}, expected at least 1")
    shared = client.scatter((read_model(model, folder), options, _packed(data), more), broadcast=True, hash=False)
    futures = [client.submit(work, shared, index, count, pure=False) for index in range(count)]
    try:
        results = client.gather(futures)
    finally:
        client.cancel(futures)
    for message in results[0][1]:
        warnings.warn(message, CalibrationWarning, stacklevel=3)
    return [table for table, _ in results]


def _packed(data: Data) -> Union[str, tuple[str, bytes]]:
    """A path, or the ending and the bytes of a file."""
    if isinstance(data, (str, os.PathLike)):
        return os.path.abspath(os.fsdecode(data))
    file = io.BytesIO()
    if isinstance(data, Mapping):
        np.savez(file, allow_pickle=False, **{key: np.asarray(array) for key, array in data.items()})
        return ".npz", file.getvalue()
    if hasattr(data, "__array__"):
        np.save(file, np.asarray(data), allow_pickle=False)
        return ".npy", file.getvalue()
    raise TypeError(f"calibration is {type(data).__name__}, expected a path, an array or a dict of arrays")


@contextmanager
def _path_of(data: Union[str, tuple[str, bytes]]) -> Iterator[bytes]:
    if isinstance(data, str):
        yield encoded(data)
        return
    ending, content = data
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "calibration" + ending)
        with open(path, "wb") as file:
            file.write(content)
        yield encoded(path)


def _compilation(shared: Any, messages: list[str]) -> Any:
    from . import _compiler

    (name, data, folder), options, _, _ = shared
    given = _compiler.Options()
    for key, value in options.items():
        setattr(given, key, value)
    return _compiler.Compilation(name, data, folder, given, messages.append, None)


# By workers.


def _calibrate_part(shared: Any, index: int, count: int) -> tuple[str, list[str]]:
    messages: list[str] = []
    compilation = _compilation(shared, messages)
    with _path_of(shared[2]) as path:
        compilation.calibrate_part(path, index, count)
    return compilation.table_json, messages


def _measure_part(shared: Any, index: int, count: int) -> tuple[str, list[str]]:
    messages: list[str] = []
    compilation = _compilation(shared, messages)
    with _path_of(shared[2]) as path:
        compilation.calibrate_again(path, CALIBRATION, *shared[3])
        return compilation.measure_sensitivity(index, count), messages
