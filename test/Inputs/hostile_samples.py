# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes arrays that are no samples for bad_models.py's good.onnx, and some that are: `hostile_samples.py FOLDER`."""

from __future__ import annotations

import pickle
import struct
import sys
import warnings
import zipfile
from pathlib import Path

import numpy as np
from onnx import numpy_helper


def header(text: str) -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


def archive(path: Path, *contents: bytes) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # names that are there twice
        for content in contents:
            file.writestr("x.npy", content)


def main() -> None:
    folder = Path(sys.argv[1])
    x = np.random.default_rng(0).random((12, 3, 8, 8), np.float32)
    infinite, large = x.copy(), x.astype(np.float64)
    infinite[3, 0, 0, 0], large[2, 1, 1, 1] = np.inf, 1e300
    arrays = {
        "infinite": infinite,
        "large": large,
        "text": np.array(["a", "b"]),
        "bytes": np.array([b"a"]),
        "complex": x.astype(np.complex64),
        "half": x.astype(np.float16),
        "integers": x.astype(np.int64),
        "bool": x > 0.5,
        "records": np.zeros(3, [("a", "f4"), ("b", "i4")]),
        "dates": np.zeros(3, "M8[s]"),
        "single": x[0],
        "few": x[:3],
        # The same numbers, four times.
        "double": x.astype(np.float64),
        "big_endian": x.astype(">f4"),
        "fortran": np.asfortranarray(x),
        "list": x[:, None],
    }
    for name, array in arrays.items():
        np.savez(folder / f"{name}.npz", x=array)
    np.savez_compressed(folder / "compressed.npz", x=x, other=np.array(["ignored"]))
    np.save(folder / "array.npy", x)
    array = (folder / "array.npy").read_bytes()
    contents = {
        "short": array[:-100],
        "header": array[:40],
        "tail": array + b"abc",
        "empty": b"",
        "magic": b"hello" * 100,
        "pickle": pickle.dumps(x),
    }
    for name, content in contents.items():
        (folder / f"{name}.npy").write_bytes(content)
    np.save(folder / "objects.npy", np.array([{"a": 1}], object), allow_pickle=True)
    (folder / "pickle.npz").write_bytes(pickle.dumps({"x": x}))
    (folder / "pickle.pkl").write_bytes(pickle.dumps({"x": x}))
    (folder / "empty.npz").write_bytes(b"")
    plain = "{'descr': '<f4', 'fortran_order': False, 'shape': (%s, 3, 8, 8), }\n"
    archive(folder / "nothing.npz")
    archive(folder / "no_array.npz", b"hello world, no array")
    archive(folder / "cut.npz", array[:-100])
    archive(folder / "twice.npz", array, array)
    archive(folder / "huge.npz", header(plain % (1 << 32)))
    archive(folder / "product.npz", header(plain % (1 << 31)))
    archive(folder / "negative.npz", header(plain % -1))
    archive(folder / "code.npz", header("__import__('os').system('touch pwned')\n"))
    archive(folder / "bomb.npz", header(plain % 1_000_000) + bytes(1 << 28))
    changed = bytearray((folder / "few.npz").read_bytes())
    changed[1000] ^= 255
    (folder / "checksum.npz").write_bytes(changed)
    sets = {"set": numpy_helper.from_array(x[:1]).SerializeToString(), "bad_set": b"garbage" * 9}
    for name, content in sets.items():
        (folder / name / "test_data_set_0").mkdir(parents=True)
        (folder / name / "test_data_set_0" / "input_0.pb").write_bytes(content)
    (folder / "no_set").mkdir()


if __name__ == "__main__":
    main()
