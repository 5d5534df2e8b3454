# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles models and searches for plans: the options of the tool, as arguments."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, Optional, Union

from ._arguments import OVERRIDES, Calibration, Model, Progress, Seconds, calibrated, set_bits, set_search
from ._program import Path, encoded
from ._results import CompiledProgram, SearchedPlan


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
    pairs: Optional[str] = None,
    pareto: Optional[Path] = None,
    save_plan: Optional[Path] = None,
    attribution: Union[bool, Path] = False,
    attribution_target: Optional[str] = None,
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
        pairs: with ``budget``, ``"neighbours"`` measures also what layers cost together of which one reads the other,
            or whose values are added; ``"none"`` (default).
        pareto: with ``budget``, where the front of perturbation against cost goes (``.csv`` or ``.svg``), or the
            problem for ``quant-search`` (``.json``).
        save_plan: where the complete plan goes, as with :meth:`CompiledProgram.save_plan`.
        attribution: True measures what the plan's decisions cost, undoing one at a time on the held-back samples:
            see ``report["attribution"]`` and :attr:`CompiledProgram.overrides`. A path (``.json``) is where the
            latter go too.
        attribution_target: with ``attribution``, what the overrides have to reach: ``"sqnr:25dB"`` or ``"drop:1%"``.
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
    options.is_float = bool(float)
    options.integer_only = bool(integer_only)
    options.dump_values = bool(dump_values)
    options.detailed_report = bool(detailed_report)
    options.tune = None if tune is False else "" if tune is True else tune
    options.rounding = rounding
    options.io = io
    options.name = name
    options.attribution_target = attribution_target
    overrides = attribution if not isinstance(attribution, bool) else OVERRIDES if attribution else None
    if overrides is not None:
        options.set_attribution(encoded(overrides))
    set_bits(options, bits)
    set_search(options, budget, choices, cost, cache, time_limit, sensitivity, sensitivity_metric, pairs, pareto)
    written = save_plan, pareto, None if isinstance(attribution, bool) else attribution
    compilation = calibrated(
        options,
        model,
        calibration,
        calibration_method,
        merge_calibration,
        weight_rounding,
        target,
        input_shapes,
        input_ranges,
        folder,
        progress,
        written,
    )
    return CompiledProgram(compilation.finish(), compilation)


def search_plan(
    model: Model,
    budget: str,
    *,
    calibration: Optional[Calibration] = None,
    calibration_method: Optional[str] = None,
    merge_calibration: Sequence[Path] = (),
    choices: Optional[str] = None,
    cost: Optional[Path] = None,
    cache: Optional[Path] = None,
    time_limit: Optional[Seconds] = None,
    sensitivity: Optional[Path] = None,
    sensitivity_metric: Optional[str] = None,
    pairs: Optional[str] = None,
    pareto: Optional[Path] = None,
    save_plan: Optional[Path] = None,
    weight_rounding: Optional[str] = None,
    target: str = "native",
    input_shapes: Optional[Mapping[str, Sequence[int]]] = None,
    input_ranges: Optional[Mapping[str, Sequence[Seconds]]] = None,
    folder: Optional[Path] = None,
    progress: Progress = False,
) -> SearchedPlan:
    """Searches for the bits of every layer within ``budget``, and compiles nothing.

    As ``quant-translate --budget=... --save-plan=...`` without ``-o``; the arguments are those of :func:`compile`.
    ``target`` counts where the budget has a latency. The plan may be edited, and goes to ``bits`` of :func:`compile`.

    Raises:
        Error: as :func:`compile`; also a budget that no plan meets, with the nearest one that a plan does.
    """
    from . import _compiler

    options = _compiler.Options()
    set_search(options, budget, choices, cost, cache, time_limit, sensitivity, sensitivity_metric, pairs, pareto)
    compilation = calibrated(
        options,
        model,
        calibration,
        calibration_method,
        merge_calibration,
        weight_rounding,
        target,
        input_shapes,
        input_ranges,
        folder,
        progress,
        (save_plan, pareto, None),
    )
    text = compilation.finish_plan()
    return SearchedPlan(json.loads(compilation.plan_json or "{}"), text, compilation)
