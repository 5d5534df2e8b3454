# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes models that lie about themselves, one of each kind: `hostile_models.py FOLDER`.

The plain mistakes are in bad_models.py; here are sizes that overflow, attributes out of range, names that are not what
they seem, and external data that leaves the folder; and two good ones that plans can make bad: two layers that read
one value, and sums of 6000 products.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from bad_models import WEIGHTS, X, changed, conv, model

HUGE = 1 << 40


def value(name: str, shape: list[int | str] | None, kind: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


FREE = (value("y", None),)  # an output that takes any shape


def node(kind: str, *inputs: str, y: str = "y", **attributes: object) -> onnx.NodeProto:
    return helper.make_node(kind, inputs, [y], name=kind.lower(), **attributes)


def weights(**fields: object) -> TensorProto:
    return TensorProto(**{"name": "w", "dims": [4, 3, 3, 3], "data_type": TensorProto.FLOAT} | fields)


def with_constants(proto: onnx.ModelProto, **constants: np.ndarray) -> onnx.ModelProto:
    proto.graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in constants.items())
    return proto


def changed_model(**fields: int) -> onnx.ModelProto:
    proto = model([conv()])
    for name, number in fields.items():
        setattr(proto if name == "ir_version" else proto.opset_import[0], name, number)
    return proto


def sizes() -> dict[str, onnx.ModelProto]:
    filters = {
        "long": weights(raw_data=WEIGHTS.tobytes() + bytes(4)),
        "nothing": weights(),
        "zero": weights(dims=[4, 3, 0, 3]),
        "overflow": weights(dims=[1 << 32] * 4),
        "overflow_zero": weights(dims=[1 << 62, 1 << 62, 0, 3]),
        "type": weights(data_type=77, raw_data=WEIGHTS.tobytes()),
        "no_type": weights(data_type=TensorProto.UNDEFINED, raw_data=WEIGHTS.tobytes()),
        "strings": weights(data_type=TensorProto.STRING, string_data=[b"a"] * WEIGHTS.size),
        "half": weights(data_type=TensorProto.FLOAT16, raw_data=WEIGHTS.astype(np.float16).tobytes()),
        "nan_typed": weights(float_data=changed(WEIGHTS, np.nan).ravel().tolist()),
    }
    inputs = {
        "zero_input": [1, 3, 0, 8],
        "negative_input": [1, 3, -8, 8],
        "huge_input": [1, 3, HUGE, HUGE],
        "rank": [1, 3, 8],
    }
    return ({name: model([conv()], tensor) for name, tensor in filters.items()}
            | {name: model([conv()], inputs=[value("x", shape)]) for name, shape in inputs.items()})


def attributes() -> dict[str, onnx.ModelProto]:
    kinds: dict[str, dict[str, object]] = {
        "group_zero": {"group": 0},
        "group_negative": {"group": -1},
        "pads_negative": {"pads": [-1, 0, 0, 0]},
        "pads_huge": {"pads": [1 << 62] * 4},
        "pads_text": {"pads": "abc"},
        "strides_zero": {"strides": [0, 1]},
        "strides_few": {"strides": [1]},
        "strides_huge": {"strides": [HUGE, 1]},
        "dilations_huge": {"dilations": [1 << 62, 1]},
        "dilations_wide": {"dilations": [9, 9]},
        "kernel": {"kernel_shape": [5, 5]},
        "unknown_attribute": {"frob": 1},
        "auto_pad": {"auto_pad": "SAME_SIDEWAYS"},
    }
    several = [
        conv("first", "x", "a"),
        helper.make_node("Conv", ["a", "w"], ["b"], name="second", auto_pad="SAME_SIDEWAYS"),
        helper.make_node("Frobnicate", ["b"], ["y"], name="third"),
    ]
    models = {name: model([node("Conv", "x", "w", **kind)], outputs=FREE) for name, kind in kinds.items()}
    pads = np.array([0, 0, 0, 0, HUGE, 0, 0, 0])
    return models | {
        "several": model(several, outputs=FREE),
        "reshape": with_constants(model([node("Reshape", "x", "s")], outputs=FREE), s=np.array([5, 5])),
        "pad": with_constants(model([node("Pad", "x", "p")], outputs=FREE), p=pads),
        "bias": with_constants(model([node("Conv", "x", "w", "b")], outputs=FREE), b=np.ones(3, np.float32)),
    }


def numbers() -> dict[str, onnx.ModelProto]:
    """NaN and infinity where they are not looked for first."""
    infinite = numpy_helper.from_array(changed(WEIGHTS, -np.inf))
    hidden = model([node("Constant", y="w", value=infinite), conv()])
    del hidden.graph.initializer[:]
    scalar = [node("Constant", y="c", value_float=float("nan")), conv("conv", "x", "a"), node("Add", "a", "c")]
    return {"infinite_constant": hidden, "nan_scalar": model(scalar)}


def recursive() -> onnx.ModelProto:
    proto = model([node("Loop", "x", domain="local")])
    proto.opset_import.append(helper.make_opsetid("local", 1))
    body = [node("Loop", "a", y="b", domain="local")]
    proto.functions.append(helper.make_function("local", "Loop", ["a"], ["b"], body, list(proto.opset_import)))
    return proto


def branch() -> onnx.ModelProto:
    branches = {
        f"{name}_branch": helper.make_graph([node("Identity", "x", y=name)], name, [], [value(name, None)])
        for name in ("then", "else")
    }
    return model([node("If", "c", **branches)], inputs=[X, value("c", [1], TensorProto.BOOL)], outputs=FREE)


def doubling(levels: int) -> onnx.ModelProto:
    """A function that calls another twice, which calls another twice ..."""
    proto = model([node("F0", "x", domain="local")], outputs=FREE)
    proto.opset_import.append(helper.make_opsetid("local", 1))
    for level in range(levels):
        callee = ("Relu", "") if level == levels - 1 else (f"F{level + 1}", "local")
        body = [helper.make_node(callee[0], [x], [y], domain=callee[1]) for x, y in ("at", "tb")]
        proto.functions.append(helper.make_function("local", f"F{level}", ["a"], ["b"], body, list(proto.opset_import)))
    return proto


def nested_branches(levels: int) -> onnx.ModelProto:
    condition = value("c", [1], TensorProto.BOOL)

    def graph(inner: onnx.NodeProto) -> onnx.GraphProto:
        return helper.make_graph([inner], "graph", [], [value("y", None)])

    leaf = graph(node("Identity", "x"))
    inner = leaf
    for _ in range(levels - 1):
        inner = graph(node("If", "c", then_branch=inner, else_branch=leaf))
    return model([node("If", "c", then_branch=inner, else_branch=leaf)], inputs=[X, condition], outputs=FREE)


def nested_types(levels: int) -> onnx.ModelProto:
    x = onnx.ValueInfoProto(name="x")
    kind = x.type
    for _ in range(levels):
        kind = kind.sequence_type.elem_type
    kind.tensor_type.elem_type = TensorProto.FLOAT
    return model([conv()], inputs=[x])


def graphs() -> dict[str, onnx.ModelProto]:
    shape = [1, 3, 8, 8]
    integers, doubles = value("i", shape, TensorProto.INT64), value("x", shape, TensorProto.DOUBLE)
    double_output = value("y", None, TensorProto.DOUBLE)
    no_opset = model([conv()])
    del no_opset.opset_import[:]
    control = "x\n\x1b[2J"
    return {
        "recursive": recursive(),
        "branch": branch(),
        "cast": model([node("Cast", "i", y="x", to=TensorProto.FLOAT), conv()], inputs=[integers]),
        "integer_input": model([node("Identity", "i")], inputs=[integers], outputs=[value("y", shape, TensorProto.INT64)]),
        "double_input": model([conv()], WEIGHTS.astype(np.float64), inputs=[doubles], outputs=[double_output]),
        "bool_output": model([node("Greater", "x", "x")], outputs=[value("y", shape, TensorProto.BOOL)]),
        "computed_weights": model([node("Conv", "x", "v")], inputs=[X, value("v", [4, 3, 3, 3])]),
        "loop": model([conv(x="y")]),
        "two_initializers": with_constants(model([conv()]), w=WEIGHTS),
        "two_inputs": model([conv()], inputs=[X, X]),
        "two_outputs": model([conv()], outputs=[value("y", None)] * 2),
        "no_output": model([conv()], outputs=[]),
        "no_such_output": model([conv()], outputs=[value("nope", None)]),
        "no_name": model([conv(x="")], inputs=[value("", shape)]),
        "no_shape": model([conv()], inputs=[value("x", None)], outputs=FREE),
        "no_opset": no_opset,
        "opset": changed_model(version=999),
        "opset_zero": changed_model(version=0),
        "opset_negative": changed_model(version=-1),
        "doubling": doubling(40),
        "nested_branches": nested_branches(20),
        "nested_types": nested_types(30),
        "ir": changed_model(ir_version=99),
        "control_input": model([conv(x=control)], inputs=[value(control, [1, 3, "h\n", 8])]),
        "control_value": model([helper.make_node("Conv", [control, "w"], ["y"], name="a\0b")]),
        "free": model([conv(x="x:0")], inputs=[value("x:0", ["N", 3, "height", 8])], outputs=FREE),
        "shared": model([conv("one", "x", "a"), conv("two", "x", "b"), node("Add", "a", "b")]),
        "deep": model([node("MatMul", "x", "w")], np.ones((6000, 4), np.float32), [value("x", [1, 6000])], FREE),
    }


def external() -> dict[str, onnx.ModelProto]:
    places: dict[str, dict[str, str]] = {
        "escape": {"location": "../../../etc/passwd"},
        "absolute": {"location": "/etc/passwd"},
        "device": {"location": "/dev/zero"},
        "link": {"location": "link.bin"},
        "device_link": {"location": "device.bin"},
        "folder_link": {"location": "linked/passwd"},
        "folder": {"location": "."},
        "pipe": {"location": "pipe.bin"},
        "no_location": {},
        "control_location": {"location": "a\n\x1b[2J"},
        "missing_data": {"location": "none.bin"},
        "short_data": {"location": "short.bin"},
        "offset": {"location": "whole.bin", "offset": "4"},
        "offset_huge": {"location": "whole.bin", "offset": str((1 << 64) - 1)},
        "offset_negative": {"location": "whole.bin", "offset": "-1"},
        "length": {"location": "whole.bin", "length": "100"},
    }

    def outside(place: dict[str, str]) -> onnx.ModelProto:
        entries = [onnx.StringStringEntryProto(key=key, value=text) for key, text in place.items()]
        return model([conv()], weights(data_location=TensorProto.EXTERNAL, external_data=entries))

    return {name: outside(place) for name, place in places.items()}


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True)
    for name, proto in (sizes() | attributes() | numbers() | graphs() | external()).items():
        (folder / f"{name}.onnx").write_bytes(proto.SerializeToString())
    (folder / "version.onnx").write_bytes(onnx.ModelProto(ir_version=8).SerializeToString())
    (folder / "short.bin").write_bytes(WEIGHTS.tobytes()[:-4])
    (folder / "whole.bin").write_bytes(WEIGHTS.tobytes())
    for link, target in {"link.bin": "/etc/passwd", "device.bin": "/dev/zero", "linked": "/etc"}.items():
        (folder / link).symlink_to(target)
    os.mkfifo(folder / "pipe.bin")  # nobody ever writes to it


if __name__ == "__main__":
    main()
