# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random small ONNX graphs with extreme weights, the same ones for the same seed."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

WEIGHTS = ["plain"] * 3 + [
    "equal",
    "signs",
    "zeros",
    "zero channel",
    "one huge",
    "small",
    "tiny",
    "subnormal",
    "mixed scales",
]


FUNCTIONS: list[tuple[str, dict[str, object]]] = [
    ("Sigmoid", {}),
    ("Tanh", {}),
    ("HardSigmoid", {"alpha": 0.3, "beta": 0.4}),
    ("HardSwish", {}),
    ("Elu", {"alpha": 1.5}),
    ("Selu", {}),
    ("Celu", {"alpha": 0.5}),
    ("Softplus", {}),
    ("Softsign", {}),
    ("Exp", {}),
    ("Abs", {}),
    ("Neg", {}),
    ("Erf", {}),
    ("Log", {}),
    ("LeakyRelu", {"alpha": 0.1}),
    ("LeakyRelu", {"alpha": -0.5}),
]
GROWING = ("Exp", "Elu", "Selu", "Celu")


class Graph:
    """Grows a graph node by node; `values` are [1, C, ...] tensors that may be read again."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.rank = self.pick(1, 1, 1, 2, 2, 2, 3)
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        size = [int(self.rng.integers(3, 6) if self.rank == 3 else self.rng.integers(5, 10)) for _ in range(self.rank)]
        self.inputs = {"x": (1, int(self.rng.integers(1, 5)), *size)}
        if self.chance(0.3):  # sometimes of the same shape, so that an Add can read both
            self.inputs["u"] = self.inputs["x"] if self.chance(0.6) else (1, int(self.rng.integers(1, 4)), *size)
        self.values = dict(self.inputs)

    def pick(self, *options):
        return options[int(self.rng.integers(len(options)))]

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def constant(self, array) -> str:
        name = f"c{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def weights(self, shape: tuple[int, ...]) -> np.ndarray:
        """Ordinary, or extreme in one of several ways."""
        w = self.rng.standard_normal(shape).astype(np.float32)
        kind = self.pick(*WEIGHTS)
        if kind == "equal":
            w[:] = self.pick(1.0, -1.0, 0.01)
        elif kind == "signs":
            w = np.where(np.indices(shape).sum(0) % 2 == 0, 1.0, -1.0).astype(np.float32)
        elif kind == "zeros":
            w[:] = 0
        elif kind == "zero channel":
            w[0] = 0
        elif kind == "one huge":
            w.flat[int(self.rng.integers(w.size))] = 1000
        elif kind == "small":
            w *= np.float32(1e-20)
        elif kind == "tiny":
            w *= np.float32(1e-30)
        elif kind == "subnormal":
            w[self.pick(0, slice(None))] = np.float32(1e-41)
        elif kind == "mixed scales":
            w *= np.exp2(self.rng.integers(-12, 13, (shape[0], *[1] * (len(shape) - 1)))).astype(np.float32)
        return w

    def add(self, op: str, inputs: list[str], shape: tuple[int, ...], **attributes: object) -> None:
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], name=f"n{len(self.nodes)}", **attributes))
        self.values[name] = tuple(int(d) for d in shape)

    def last(self) -> str:
        return list(self.values)[-1]

    def spatial(self) -> str:
        return self.pick(*[n for n, s in self.values.items() if len(s) == self.rank + 2])

    def window(self, size: tuple[int, ...], dilated: bool, ceil: bool = False) -> tuple[dict, list[int], list[int]]:
        """Attributes, output size and kernel of a window that fits the input."""
        kernel = [int(self.rng.integers(1, min(3, s) + 1)) for s in size]
        dilations = [int(self.rng.integers(1, 4)) if dilated and (k - 1) * 3 < s else 1 for k, s in zip(kernel, size)]
        strides = [int(self.rng.integers(1, 4)) for _ in kernel]
        attributes = {"kernel_shape": kernel, "strides": strides}
        if dilated:
            attributes["dilations"] = dilations
        # ONNX Runtime takes SAME neither with dilations nor with strides beyond the kernel.
        if not (dilated or ceil) and all(st <= k for st, k in zip(strides, kernel)) and self.chance(0.3):
            attributes["auto_pad"] = self.pick("SAME_UPPER", "SAME_LOWER")
            return attributes, [-(-s // st) for s, st in zip(size, strides)], kernel
        pads = [int(self.rng.integers(0, k)) for k in kernel * 2]
        free = [
            s + pads[d] + pads[d + len(size)] - ((k - 1) * dilations[d] + 1)
            for d, (s, k) in enumerate(zip(size, kernel))
        ]
        # ONNX's shape inference counts a window that starts in the padding behind, ONNX Runtime does not.
        ceil = ceil and all(-(-f // st) * st < s + pads[d] for d, (f, st, s) in enumerate(zip(free, strides, size)))
        out = [(-(-f // st) if ceil else f // st) + 1 for f, st in zip(free, strides)]
        return {**attributes, "pads": pads, **({"ceil_mode": 1} if ceil else {})}, out, kernel

    # One method a kind of node.

    def conv(self) -> None:
        x = self.spatial()
        channels = self.values[x][1]
        group = self.pick(1, 1, channels, *[g for g in (2, 3) if channels % g == 0])
        filters = group * int(self.rng.integers(1, 4))
        attributes, out, kernel = self.window(self.values[x][2:], dilated=self.chance(0.4))
        inputs = [x, self.constant(self.weights((filters, channels // group, *kernel)))]
        if self.chance(0.7):
            bias = self.rng.standard_normal(filters).astype(np.float32) * np.float32(self.pick(1, 1, 1, 1e6, 1e-30))
            inputs.append(self.constant(bias))
        self.add("Conv", inputs, (1, filters, *out), group=group, **attributes)

    def pool(self) -> None:
        x = self.spatial()
        shape = self.values[x]
        op = self.pick("MaxPool", "AveragePool", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool")
        if op.startswith("Global"):
            self.add(op, [x], (*shape[:2], *[1] * self.rank))
            return
        is_max = op == "MaxPool"
        attributes, out, _ = self.window(
            shape[2:], dilated=is_max and self.chance(0.3), ceil=is_max and self.chance(0.2)
        )
        if not is_max:
            attributes["count_include_pad"] = self.pick(0, 1)
        self.add(op, [x], (*shape[:2], *out), **attributes)

    def activation(self) -> None:
        x = self.pick(*self.values)
        if self.chance(0.5):
            self.add("Relu", [x], self.values[x])
        else:
            bounds = self.pick((0.0, 6.0), (-1.0, 1.0), (0.5, 2.0), (-3.0, -0.25), (None, 1.0), (-0.5, None))
            names = ["" if b is None else self.constant(np.float32(b)) for b in bounds]
            self.add("Clip", [x, *names], self.values[x])

    def function(self) -> None:
        """A function of every element, alone or times its operand; of limited numbers where it grows fast."""
        x = self.pick(*self.values)
        shape = self.values[x]
        op, attributes = self.pick(*FUNCTIONS)
        if op in GROWING:
            self.add("Tanh", [x], shape)
            x = self.last()
        if op == "Log":
            self.add("Abs", [x], shape)
            self.add("Add", [self.last(), self.constant(np.float32(0.25))], shape)
            x = self.last()
        self.add(op, [x], shape, **attributes)
        if self.chance(0.3):
            self.add("Mul", self.pick([x, self.last()], [self.last(), x]), shape)

    def prelu(self) -> None:
        x = self.pick(*self.values)
        shape = self.values[x]
        slope = self.rng.standard_normal(self.pick((1,), (shape[1], *[1] * (len(shape) - 2)), shape[1:]))
        self.add("PRelu", [x, self.constant(slope.astype(np.float32))], shape)

    def normalization(self) -> None:
        x = self.spatial()
        if self.rank == 2:  # what ONNX Runtime has
            self.add("LRN", [x], self.values[x], size=self.pick(1, 3, 5), alpha=self.pick(1e-4, 0.5), bias=self.pick(1.0, 2.0))

    def binary(self) -> None:
        """Two values, or one and a constant; a dimension of one of them may repeat."""
        x = self.pick(*self.values)
        shape = self.values[x]
        fits = [
            n
            for n, s in self.values.items()
            if len(s) == len(shape) and all(a == b or 1 in (a, b) for a, b in zip(s, shape))
        ]
        y = self.pick(*fits)
        out = tuple(max(a, b) for a, b in zip(shape, self.values[y]))
        op = self.pick("Add", "Add", "Sub", "Mul", "Mul", "Div")
        if op == "Div":
            self.add("Abs", [y], self.values[y])
            self.add("Add", [self.last(), self.constant(np.float32(0.5))], self.values[y])
            y = self.last()
        elif self.chance(0.25):
            y = self.constant(self.rng.standard_normal(shape[1:]).astype(np.float32))
            out = shape
        self.add(op, [x, y], out)

    def affine(self) -> None:
        """An element-wise operation with a constant: one number, or one a channel."""
        x = self.pick(*self.values)
        shape = self.values[x]
        parameter = (shape[1], *[1] * (len(shape) - 2)) if self.chance(0.6) else ()
        number = self.constant((self.rng.standard_normal(parameter) * self.pick(1, 30, 0.01)).astype(np.float32))
        op = self.pick("Add", "Add", "Sub", "Mul")
        self.add(op, [number, x] if self.chance(0.4) else [x, number], shape)

    def norm(self) -> None:
        x = self.spatial()
        c = self.values[x][1]
        rows = [
            self.rng.standard_normal(c),
            self.rng.standard_normal(c),
            self.rng.standard_normal(c),
            self.rng.random(c) + 0.1,
        ]
        self.add("BatchNormalization", [x, *[self.constant(r.astype(np.float32)) for r in rows]], self.values[x])

    def matmul(self) -> None:
        x = self.pick(*self.values)
        shape = self.values[x]
        columns = int(self.rng.integers(1, 6))
        self.add("MatMul", [x, self.constant(self.weights((shape[-1], columns)))], (*shape[:-1], columns))

    def pad(self) -> None:
        x = self.pick(*self.values)
        shape = self.values[x]
        pads = [0, *self.rng.integers(0, 3, len(shape) - 1), 0, *self.rng.integers(0, 3, len(shape) - 1)]
        value = self.constant(np.float32(self.pick(0.0, 0.5, -2.0)))
        out = [s + pads[d] + pads[d + len(shape)] for d, s in enumerate(shape)]
        self.add("Pad", [x, self.constant(np.array(pads, np.int64)), value], out)

    def slice(self) -> None:
        x = self.pick(*self.values)
        out, arrays = list(self.values[x]), []
        for axis in self.rng.permutation(range(1, len(out)))[: int(self.rng.integers(1, len(out)))]:
            start, end, step = self.pick(
                (1, 1 << 40, 2), (-1, -(1 << 40), -2), (0, -1, 1), (-2, -(1 << 40), -1), (0, 1 << 40, 3)
            )
            left = len(range(out[axis])[slice(start, end, step)])
            if left > 0:
                arrays.append((start, end, axis, step))
                out[axis] = left
        if arrays:
            self.add("Slice", [x, *[self.constant(np.array(a, np.int64)) for a in zip(*arrays)]], out)

    def transpose(self) -> None:
        x = self.pick(*self.values)
        shape = self.values[x]
        perm = [0, *(int(d) for d in self.rng.permutation(range(1, len(shape))))]
        self.add("Transpose", [x], [shape[d] for d in perm], perm=perm)

    def reshape(self) -> None:
        x = self.pick(*self.values)
        shape = self.values[x]
        if len(shape) == 2:
            to = [0, -1, *[1] * self.rank]
        else:
            to = self.pick([0, 0, *[1] * (self.rank - 1), -1], [0, -1, *shape[1:-1][: self.rank]], [0, *shape[2:], -1])
        size = int(np.prod(shape))
        out = [shape[i] if d == 0 else d for i, d in enumerate(to)]
        out[out.index(-1)] = size // -int(np.prod(out))
        if int(np.prod(out)) == size:
            self.add("Reshape", [x, self.constant(np.array(to, np.int64))], out)

    def concat(self) -> None:
        x = self.pick(*self.values)
        shape = self.values[x]
        axis = int(self.rng.integers(1, len(shape)))
        fits = [
            n
            for n, s in self.values.items()
            if len(s) == len(shape) and all(a == b or d == axis for d, (a, b) in enumerate(zip(s, shape)))
        ]
        parts = [x, *[self.pick(*fits) for _ in range(int(self.rng.integers(1, 3)))]]
        self.add(
            "Concat",
            parts,
            [sum(self.values[p][axis] for p in parts) if d == axis else s for d, s in enumerate(shape)],
            axis=axis,
        )

    def transposed(self) -> None:
        x = self.spatial()
        shape = self.values[x]
        group = self.pick(1, 1, shape[1])
        filters = int(self.rng.integers(1, 4))
        kernel = [int(self.rng.integers(1, 4)) for _ in shape[2:]]
        strides = [int(self.rng.integers(1, 4 if self.rank < 3 else 3)) for _ in kernel]
        pads = [int(self.rng.integers(0, k)) for k in kernel * 2]
        extra = [int(self.rng.integers(0, s)) for s in strides]
        out = [
            (s - 1) * st + k - pads[d] - pads[d + self.rank] + e
            for d, (s, k, st, e) in enumerate(zip(shape[2:], kernel, strides, extra))
        ]
        if min(out) < 1 or filters * group * np.prod(out) > 3000:
            return
        inputs = [x, self.constant(self.weights((shape[1], filters, *kernel)))]
        if self.chance(0.7):
            inputs.append(self.constant(self.rng.standard_normal(filters * group).astype(np.float32)))
        attributes = {"strides": strides, "pads": pads, "output_padding": extra, "group": group}
        self.add("ConvTranspose", inputs, (1, filters * group, *out), **attributes)

    def resize(self) -> None:
        x = self.spatial()
        shape = self.values[x]
        out = [int(self.rng.integers(1, 2 * s + 1)) for s in shape[2:]]
        mode = self.pick("nearest", "linear") if self.rank < 3 else "nearest"
        where = self.pick("half_pixel", "pytorch_half_pixel", "asymmetric", "align_corners")
        rounding = self.pick("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")
        sizes = self.constant(np.array([*shape[:2], *out], np.int64))
        attributes = {"mode": mode, "coordinate_transformation_mode": where, "nearest_mode": rounding}
        self.add("Resize", [x, "", "", sizes], (*shape[:2], *out), **attributes)

    def gather(self) -> None:
        x = self.pick(*self.values)
        shape = self.values[x]
        axis = int(self.rng.integers(1, len(shape)))
        indices = self.rng.integers(-shape[axis], shape[axis], int(self.rng.integers(1, 6)))
        out = (*shape[:axis], len(indices), *shape[axis + 1 :])
        self.add("Gather", [x, self.constant(indices.astype(np.int64))], out, axis=axis)

    def split(self) -> None:
        x = self.pick(*self.values)
        shape = self.values[x]
        axis = int(self.rng.integers(1, len(shape)))
        if shape[axis] < 2:
            return
        first = int(self.rng.integers(1, shape[axis]))
        lengths = self.constant(np.array([first, shape[axis] - first], np.int64))
        names = [f"v{len(self.nodes)}", f"v{len(self.nodes)}b"]
        self.nodes.append(helper.make_node("Split", [x, lengths], names, name=f"n{len(self.nodes)}", axis=axis))
        for name, length in zip(names, (first, shape[axis] - first)):
            self.values[name] = (*shape[:axis], length, *shape[axis + 1 :])

    def reduce(self) -> None:
        x = self.pick(*self.values)
        shape = self.values[x]
        axes = sorted(int(d) for d in self.rng.permutation(range(1, len(shape)))[: int(self.rng.integers(1, len(shape)))])
        op = self.pick("ReduceMean", "ReduceMean", "ReduceMax", "ReduceSum")
        out = [1 if d in axes else s for d, s in enumerate(shape)]
        if op == "ReduceSum":
            self.add(op, [x, self.constant(np.array(axes, np.int64))], out, keepdims=1)
        else:
            self.add(op, [x], out, keepdims=1, axes=axes)

    def border(self) -> None:
        x = self.spatial()
        shape = self.values[x]
        mode = self.pick("reflect", "edge")
        pads = [int(self.rng.integers(0, min(s, 3))) for s in shape[2:] * 2]
        out = [s + pads[d] + pads[d + self.rank] for d, s in enumerate(shape[2:])]
        begin, end = pads[: self.rank], pads[self.rank :]
        self.add("Pad", [x, self.constant(np.array([0, 0, *begin, 0, 0, *end], np.int64))], (*shape[:2], *out), mode=mode)

    def head(self) -> None:
        x = self.spatial()
        self.add("Flatten", [x], (1, int(np.prod(self.values[x]))), axis=1)
        x, shape = list(self.values.items())[-1]
        trans = self.pick(0, 1)
        w = self.weights((5, shape[1]))
        self.add(
            "Gemm",
            [x, self.constant(w if trans else np.ascontiguousarray(w.T)), self.constant(self.weights((5,)))],
            (1, 5),
            transB=trans,
            alpha=self.pick(1.0, 1.0, 0.5),
            beta=self.pick(1.0, 1.0, 0.0, -2.0),
        )
        if self.chance(0.25):
            self.add("Softmax", [list(self.values)[-1]], (1, 5), axis=1)

    def build(self) -> onnx.ModelProto:
        kinds = (
            [self.conv] * 4
            + [self.activation] * 3
            + [self.binary] * 3
            + [self.pool] * 2
            + [self.function] * 2
            + [self.prelu, self.normalization]
            + [self.affine, self.norm, self.matmul, self.pad, self.slice, self.transpose, self.reshape, self.concat]
            + [self.transposed, self.resize, self.gather, self.split, self.reduce, self.border]
        )
        for _ in range(int(self.rng.integers(3, 11))):
            self.pick(*kinds)()
            if int(np.prod(list(self.values.values())[-1])) > 3000:  # keep it small
                break
        self.head()
        made = [n.output[0] for n in self.nodes]
        outputs = sorted({made[-1], *(str(n) for n in self.rng.choice(made, int(self.rng.integers(0, 3))))})
        return self.model(outputs)

    def model(self, outputs: list[str]) -> onnx.ModelProto:
        infos = [
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, self.values[n]) for n in names]
            for names in (self.inputs, outputs)
        ]
        graph = helper.make_graph(self.nodes, "random", *infos, self.initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model, full_check=True)
        return model
