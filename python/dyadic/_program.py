# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs compiled models on NumPy arrays."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Union

import numpy as np

from . import _runtime
from ._errors import Error

Path = Union[str, "os.PathLike[str]"]
Arrays = Union[Mapping[str, "np.ndarray[Any, Any]"], "np.ndarray[Any, Any]"]


def encoded(path: Path) -> bytes:
    """The path as the operating system takes it."""
    name = os.fsencode(path)
    if b"\0" in name:
        raise Error(f"{path!r}: a path with a zero byte")
    return name


class Program:
    """A model compiled to a shared library and loaded by :func:`load`."""

    def __init__(self, program: _runtime.Program) -> None:
        self._program = program

    @property
    def inputs(self) -> dict[str, _runtime.TensorInfo]:
        """Inputs by name, in order.

        Each has ``dtype`` (NumPy's name), ``shape`` (-1 is the batch) and, where it
        holds quantized integers, ``scales``, ``axis``, ``zero_point``, ``min`` and
        ``max``: real = scale * (stored - zero_point).
        """
        return {info.name: info for info in self._program.inputs}

    @property
    def outputs(self) -> dict[str, _runtime.TensorInfo]:
        """Outputs by name, in order; described like the inputs."""
        return {info.name: info for info in self._split()[0]}

    @property
    def values(self) -> dict[str, _runtime.TensorInfo]:
        """Values of layers by id; empty unless compiled with ``--dump-values``."""
        return {info.name: info for info in self._split()[1]}

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the compiled program, 64 hexadecimal digits."""
        return self._program.fingerprint

    @property
    def target(self) -> str:
        """The target it was compiled for."""
        return self._program.target

    def run(self, inputs: Arrays, *, threads: int = 1) -> dict[str, np.ndarray[Any, Any]]:
        """Runs the program once.

        Args:
            inputs: an array for each input name, or one array for a program with one
                input. Shapes and element types are those of :attr:`inputs`; nothing
                is converted silently. All batched inputs have one batch size.
            threads: how many threads share each layer, or the samples of a large batch; 1 to 1024. They are kept
                for the next call with as many.

        Returns:
            An array for each output name.

        Raises:
            Error: a name, shape or element type does not fit.
        """
        return self._named(self._run(inputs, threads), 0)

    def run_values(
        self, inputs: Arrays, *, threads: int = 1
    ) -> tuple[dict[str, np.ndarray[Any, Any]], dict[str, np.ndarray[Any, Any]]]:
        """As :meth:`run`; returns the outputs and the values of layers by id."""
        arrays = self._run(inputs, threads)
        return self._named(arrays, 0), self._named(arrays, 1)

    def _split(self) -> tuple[list[_runtime.TensorInfo], list[_runtime.TensorInfo]]:
        infos = self._program.outputs
        count = len(infos) - self._program.num_values
        return infos[:count], infos[count:]

    def _named(self, arrays: list[np.ndarray[Any, Any]], part: int) -> dict[str, np.ndarray[Any, Any]]:
        outputs, values = self._split()
        if part == 0:
            return {i.name: a for i, a in zip(outputs, arrays)}
        return {i.name: a for i, a in zip(values, arrays[len(outputs) :])}

    def _run(
        self, inputs: Arrays, threads: int
    ) -> list[np.ndarray[Any, Any]]:
        names = [info.name for info in self._program.inputs]
        if not isinstance(inputs, Mapping):
            if len(names) != 1:
                raise Error(f"one array for {len(names)} inputs, expected a dict by name: {', '.join(names)}")
            inputs = {names[0]: inputs}
        missing = [name for name in names if name not in inputs]
        unknown = [name for name in inputs if name not in names]
        if missing or unknown:
            found = ", ".join(map(str, inputs)) or "none"
            raise Error(f"inputs {found}, expected {', '.join(names)}")
        if not isinstance(threads, int) or not 1 <= threads < 2**31:
            raise Error(f"{threads!r} threads, expected 1 to {_runtime.MOST_THREADS}")
        arrays = [np.ascontiguousarray(inputs[name]) for name in names]
        arrays = [a.reshape(np.shape(inputs[n])) for a, n in zip(arrays, names)]
        for array, info in zip(arrays, self._program.inputs):
            if str(array.dtype) != info.dtype:
                raise Error(f"input '{info.name}' is {array.dtype}, expected {info.dtype}")
        try:
            return self._program.run(arrays, threads)
        except (ValueError, RuntimeError) as error:
            raise Error(str(error)) from None

    def __repr__(self) -> str:
        names = ", ".join(self.inputs)
        return f"<dyadic.Program {names} -> {', '.join(self.outputs)}, {self.target}>"


def load(path: Path) -> Program:
    """Loads a library that ``quant-translate`` or :meth:`CompiledProgram.save` wrote.

    Raises:
        Error: it cannot be loaded, is no compiled model, or uses instructions
            that this CPU lacks.
    """
    try:
        return Program(_runtime.open_library(encoded(path)))
    except RuntimeError as error:
        raise Error(str(error)) from None
