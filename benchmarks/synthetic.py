#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Networks and single layers with synthetic weights, for measuring speed and nothing else.

    synthetic.py FOLDER [NAME...]     writes FOLDER/NAME.onnx; without names, all

Weights are seeded Laplace numbers, whose heavy tails resemble those of trained layers. Each layer has the standard
deviation sqrt(gain / fan_in), with gain 2 before a ReLU (He et al. 2015, eq. 10), so that activations keep their size;
BatchNormalization counts as folded, which leaves a bias.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper, shape_inference

MATRIX = 4096  # rows and columns of a matrix of `matvec`
MAX_MATRICES = 30  # a model in one file stays under 2 GiB


class Builder:
    """Adds layers to a graph with one input."""

    def __init__(self, shape: Sequence[int], seed: int = 0) -> None:
        self.shape = list(shape)
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.channels = {"x": shape[1]}
        self.random = np.random.default_rng(seed)

    def _node(self, kind: str, inputs: Sequence[str], channels: int, **attributes) -> str:
        output = f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        self.channels[output] = channels
        return output

    def _weight(self, shape: Sequence[int], deviation: float) -> str:
        name = f"weight{len(self.weights)}"
        values = self.random.laplace(scale=deviation / math.sqrt(2), size=shape).astype(np.float32)
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def conv(
        self,
        x: str,
        filters: int,
        kernel: int,
        stride: int = 1,
        *,
        groups: int = 1,
        relu: bool = True,
        gain: float = 2.0,
    ) -> str:
        channels = self.channels[x] // groups
        weight = self._weight([filters, channels, kernel, kernel], math.sqrt(gain / (channels * kernel**2)))
        inputs = [x, weight, self._weight([filters], 0.1)]
        pads = [kernel // 2] * 4
        y = self._node(
            "Conv", inputs, filters, kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=pads, group=groups
        )
        return self.relu(y) if relu else y

    def relu(self, x: str) -> str:
        return self._node("Relu", [x], self.channels[x])

    def max_pool(self, x: str) -> str:
        return self._node("MaxPool", [x], self.channels[x], kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)

    def add(self, x: str, y: str) -> str:
        return self._node("Add", [x, y], self.channels[x])

    def matmul(self, x: str, columns: int) -> str:
        rows = self.channels[x]
        return self._node("MatMul", [x, self._weight([rows, columns], math.sqrt(1 / rows))], columns)

    def classify(self, x: str, classes: int = 1000) -> str:
        x = self._node("GlobalAveragePool", [x], self.channels[x])
        x = self._node("Flatten", [x], self.channels[x])
        inputs = [x, self._weight([classes, self.channels[x]], math.sqrt(1 / self.channels[x]))]
        return self._node("Gemm", [*inputs, self._weight([classes], 0.1)], classes, transB=1)

    def model(self, output: str) -> onnx.ModelProto:
        graph = helper.make_graph(
            self.nodes,
            "synthetic",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, self.shape)],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
            self.weights,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        return shape_inference.infer_shapes(model, strict_mode=True)


def resnet(depths: Sequence[int], bottleneck: bool) -> onnx.ModelProto:
    """ResNet (He et al. 2016, table 1); stride in the 3x3 convolution of a bottleneck, as torchvision has it."""
    b = Builder([1, 3, 224, 224])
    x = b.max_pool(b.conv("x", 64, 7, 2))
    for stage, depth in enumerate(depths):
        width = 64 << stage
        filters = width * 4 if bottleneck else width
        for block in range(depth):
            stride = 2 if stage > 0 and block == 0 else 1
            # The branch adds a quarter of the variance, or it would double with every block.
            if bottleneck:
                y = b.conv(b.conv(x, width, 1), width, 3, stride)
                y = b.conv(y, filters, 1, relu=False, gain=0.25)
            else:
                y = b.conv(b.conv(x, width, 3, stride), filters, 3, relu=False, gain=0.25)
            if stride != 1 or b.channels[x] != filters:
                x = b.conv(x, filters, 1, stride, relu=False, gain=1.0)
            x = b.relu(b.add(y, x))
    return b.model(b.classify(x))


def mobilenet_v1() -> onnx.ModelProto:
    """MobileNet 1.0 224 (Howard et al. 2017, table 1)."""
    b = Builder([1, 3, 224, 224])
    x = b.conv("x", 32, 3, 2)
    steps = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]
    for filters, stride in steps:
        x = b.conv(x, b.channels[x], 3, stride, groups=b.channels[x])
        x = b.conv(x, filters, 1)
    return b.model(b.classify(x))


def conv_layer(
    channels: int, filters: int, size: int, kernel: int, stride: int = 1, groups: int = 1
) -> onnx.ModelProto:
    b = Builder([1, channels, size, size])
    return b.model(b.conv("x", filters, kernel, stride, groups=groups, relu=False, gain=1.0))


def matmul_layer(rows: int, inner: int, columns: int) -> onnx.ModelProto:
    b = Builder([rows, inner])
    return b.model(b.matmul("x", columns))


def matvec_layer() -> onnx.ModelProto:
    """A chain of matrices of more than twice the last cache in int8, so that each comes from memory."""
    b = Builder([1, MATRIX])
    x = "x"
    for _ in range(min(MAX_MATRICES, 2 * last_cache_bytes() // MATRIX**2 + 1)):
        x = b.matmul(x, MATRIX)
    return b.model(x)


def last_cache_bytes() -> int:
    """The size of the largest cache of this machine; 32 MiB where it does not tell."""
    units = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
    texts = [p.read_text().strip() for p in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size")]
    return max((int(t[:-1]) * units[t[-1]] for t in texts), default=32 << 20)


def macs(model: onnx.ModelProto) -> int:
    """Multiply-accumulates of the convolutions and matrix products of one run."""
    values = [*model.graph.value_info, *model.graph.output, *model.graph.input]
    shapes = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in values}
    shapes |= {w.name: list(w.dims) for w in model.graph.initializer}
    total = 0
    for node in model.graph.node:
        if node.op_type == "Conv":
            total += math.prod(shapes[node.output[0]]) * math.prod(shapes[node.input[1]][1:])
        elif node.op_type in ("MatMul", "Gemm"):
            total += math.prod(shapes[node.output[0]]) * shapes[node.input[0]][-1]
    return total


NETWORKS: dict[str, Callable[[], onnx.ModelProto]] = {
    "resnet18": lambda: resnet([2, 2, 2, 2], bottleneck=False),
    "resnet50": lambda: resnet([3, 4, 6, 3], bottleneck=True),
    "mobilenet_v1": mobilenet_v1,
}
LAYERS: dict[str, Callable[[], onnx.ModelProto]] = {
    "conv3x3_64_64_56": lambda: conv_layer(64, 64, 56, 3),
    "conv3x3_256_256_14": lambda: conv_layer(256, 256, 14, 3),
    "conv1x1_256_64_56": lambda: conv_layer(256, 64, 56, 1),
    "conv1x1_1024_256_14": lambda: conv_layer(1024, 256, 14, 1),
    "depthwise3x3_144_56": lambda: conv_layer(144, 144, 56, 3, groups=144),
    "depthwise3x3s2_144_56": lambda: conv_layer(144, 144, 56, 3, 2, groups=144),
    "conv7x7s2_3_64_224": lambda: conv_layer(3, 64, 224, 7, 2),
    "matmul_197x192x576": lambda: matmul_layer(197, 192, 576),
    "matmul_128x768x3072": lambda: matmul_layer(128, 768, 3072),
    "matvec_4096x4096": matvec_layer,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", help="of " + ", ".join([*NETWORKS, *LAYERS]))
    options = parser.parse_args()
    makers = NETWORKS | LAYERS
    unknown = [name for name in options.names if name not in makers]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}")
    options.folder.mkdir(parents=True, exist_ok=True)
    for name in options.names or makers:
        model = makers[name]()
        onnx.save(model, options.folder / f"{name}.onnx")
        print(f"{name}: {macs(model) / 1e6:.1f} million MACs")


if __name__ == "__main__":
    main()
