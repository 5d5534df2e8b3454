# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""dyadic.load(...).run(...)"""

from __future__ import annotations

import dyadic
import numpy as np
import pytest


TARGETS = ("generic", "avx2", "avxvnni", "avx512vnni")


@pytest.fixture(scope="module")
def program(translate):
    return dyadic.load(translate("digits"))


@pytest.fixture(scope="module")
def image():
    return np.linspace(0, 1, 64, dtype=np.float32).reshape(1, 1, 8, 8)


def test_metadata(program, translate):
    ((name, info),) = program.inputs.items()
    assert (name, info.dtype, info.shape, info.scales) == ("image", "float32", [-1, 1, 8, 8], [])
    assert list(program.outputs) == ["logits"] and program.values == {}
    assert len(program.fingerprint) == 64 and program.target in TARGETS
    integer = dyadic.load(translate("digits", "--io=integer"))
    image, logits = integer.inputs["image"], integer.outputs["logits"]
    assert (image.dtype, len(image.scales), image.zero_point, image.min, image.max) == ("uint8", 1, 0, 0, 255)
    assert (logits.dtype, logits.min, logits.max) == ("int16", -32768, 32767)


def test_integer_output_is_the_float_one(program, translate, models):
    integer = dyadic.load(translate("digits", "--io=integer"))
    images, info = models("digits").test[:50], integer.outputs["logits"]
    stored = np.clip(np.rint(images / np.float32(integer.inputs["image"].scales[0])), 0, 255).astype(np.uint8)
    real = info.scales[0] * (integer.run(stored)["logits"].astype(np.float64) - info.zero_point)
    assert np.abs(real - program.run(images)["logits"]).max() <= 0.5001 * info.scales[0]


def test_one_array_or_a_dict(program, image):
    np.testing.assert_array_equal(program.run(image)["logits"], program.run({"image": image})["logits"])


def test_any_memory_layout(program):
    images = np.random.default_rng(0).random((8, 8, 1, 6), np.float32)
    view = images.transpose(3, 2, 0, 1)[::2]
    assert not view.flags.c_contiguous
    np.testing.assert_array_equal(program.run(view)["logits"], program.run(view.copy())["logits"])


def test_inputs_are_not_written(program, image):
    copy = image.copy()
    image.flags.writeable = False
    program.run(image)
    np.testing.assert_array_equal(image, copy)


@pytest.mark.parametrize(
    "inputs, message",
    [
        ({"image": np.zeros((1, 1, 8, 8))}, "input 'image' is float64, expected float32"),
        ({"image": np.zeros((1, 8, 8), np.float32)}, r"float32 \[1, 8, 8\], expected float32 \[-1, 1, 8, 8\]"),
        ({"image": np.zeros((0, 1, 8, 8), np.float32)}, r"\[0, 1, 8, 8\], expected"),
        ({"image": np.zeros((1, 1, 8, 8), ">f4")}, "input 'image' is >f4, expected float32"),
        ({"image": np.zeros((1, 1, 8, 8), np.uint8)}, "input 'image' is uint8, expected float32"),
        ({"image": np.float32(1)}, r"float32 \[\], expected float32 \[-1, 1, 8, 8\]"),
        ({"image": [[1.0]]}, "input 'image' is float64, expected float32"),
        ({"picture": np.zeros((1, 1, 8, 8), np.float32)}, "inputs picture, expected image"),
        ({}, "inputs none, expected image"),
        ({"image": np.zeros((1, 1, 8, 8), np.float32), "more": np.zeros(1)}, "inputs image, more, expected image"),
    ],
)
def test_wrong_inputs(program, inputs, message):
    with pytest.raises(dyadic.Error, match=message):
        program.run(inputs)


@pytest.mark.parametrize("threads", [0, -1, 1025, 2**31, 2**100, 1.5, "two", None])
def test_wrong_threads(program, image, threads):
    with pytest.raises(dyadic.Error, match=f"{threads!r} threads, expected 1 to 1024"):
        program.run(image, threads=threads)


def test_more_threads_than_samples(program, image):
    np.testing.assert_array_equal(program.run(image, threads=64)["logits"], program.run(image)["logits"])


def test_integer_program_takes_no_float(translate, image):
    program = dyadic.load(translate("digits", "--io=integer"))
    with pytest.raises(dyadic.Error, match="input 'image' is float32, expected uint8"):
        program.run(image)


def test_results_outlive_the_program(translate, image):
    program = dyadic.load(translate("digits"))
    logits, again = program.run(image)["logits"], program.run(image)["logits"]
    copy = logits.copy()
    again[:] = 0  # results share no memory
    del program
    np.testing.assert_array_equal(logits, copy)


def test_values(translate, image):
    program = dyadic.load(translate("digits", "--dump-values"))
    outputs, values = program.run_values(image)
    assert list(outputs) == ["logits"] and set(values) == set(program.values)
    assert values["stem_conv"].dtype == np.uint8 and values["stem_conv"].shape == (1, 16, 8, 8)
    assert values["block2_conv2"].dtype == np.int32 and program.values["block2_conv2"].axis == 1
    assert list(program.run(image)) == ["logits"]


def test_load_errors(tmp_path):
    with pytest.raises(dyadic.Error, match="cannot be loaded"):
        dyadic.load(tmp_path / "missing.so")
    (tmp_path / "text.so").write_text("not a library")
    with pytest.raises(dyadic.Error, match="cannot be loaded"):
        dyadic.load(tmp_path / "text.so")
    import numpy.random._pcg64 as other  # any shared library that is no model

    with pytest.raises(dyadic.Error, match="not a compiled model"):
        dyadic.load(other.__file__)
