# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`include/dyadic/Runtime/dyadic.h` as ctypes sees it, for tests and benchmarks that call the C functions themselves."""

from __future__ import annotations

import ctypes

PARALLEL_FOR = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, ctypes.c_int64, ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64), ctypes.c_void_p
)


class Model(ctypes.Structure):
    """`dyadic_model`."""

    _fields_ = [
        ("struct_size", ctypes.c_uint32),
        ("abi_version", ctypes.c_uint32),
        ("tensor_size", ctypes.c_uint32),
        ("num_inputs", ctypes.c_int32),
        ("num_outputs", ctypes.c_int32),
        ("num_values", ctypes.c_int32),
        ("inputs", ctypes.c_void_p),
        ("outputs", ctypes.c_void_p),
        ("fingerprint", ctypes.c_char_p),
        ("target", ctypes.c_char_p),
        ("workspace_size", ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_int64, ctypes.c_int32)),
        (
            "run",
            ctypes.CFUNCTYPE(
                ctypes.c_int32,
                ctypes.c_void_p,
                ctypes.c_void_p,
                ctypes.c_int64,
                ctypes.c_void_p,
                ctypes.c_int32,
                PARALLEL_FOR,
                ctypes.c_void_p,
            ),
        ),
    ]
