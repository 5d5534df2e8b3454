# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Train the digits example network and write digits.onnx and its data files.

Only needed to remake the files next to this script. It requires torch,
scikit-learn, onnx and onnxruntime; see README.md for the commands.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.nn import functional

SEED = 2024
EPOCHS = 60
BATCH_SIZE = 64
PEAK_LEARNING_RATE = 5e-3
WEIGHT_DECAY = 1e-2
TEST_IMAGES = 450
CALIBRATION_IMAGES = 200
CLASSES = 10

OPSET = 17
IR_VERSION = 8
PRODUCER = "dyadic examples/digits/train.py"
TOLERANCE = 1e-4
MIN_ACCURACY = 0.975


class DigitsNet(nn.Module):
    """A small CNN for 8x8 grey images, about 30,000 parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.stem_conv = nn.Conv2d(1, 16, 3, padding=1, bias=False)
        self.stem_bn = nn.BatchNorm2d(16)
        self.block1_dw = nn.Conv2d(16, 16, 3, padding=1, groups=16, bias=False)
        self.block1_dw_bn = nn.BatchNorm2d(16)
        self.block1_pw = nn.Conv2d(16, 32, 1, bias=False)
        self.block1_pw_bn = nn.BatchNorm2d(32)
        self.block2_conv1 = nn.Conv2d(32, 32, 3, padding=1, bias=False)
        self.block2_bn1 = nn.BatchNorm2d(32)
        self.block2_conv2 = nn.Conv2d(32, 32, 3, padding=1, bias=False)
        self.block2_bn2 = nn.BatchNorm2d(32)
        self.head_conv = nn.Conv2d(32, 32, 3, padding=1)
        self.fc = nn.Linear(32, CLASSES)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return the logits, [N,10], of images, [N,1,8,8]."""
        x = functional.relu(self.stem_bn(self.stem_conv(image)))
        x = functional.relu(self.block1_dw_bn(self.block1_dw(x)))
        skip = functional.relu6(self.block1_pw_bn(self.block1_pw(x)))
        x = functional.relu(self.block2_bn1(self.block2_conv1(skip)))
        x = self.block2_bn2(self.block2_conv2(x))
        x = functional.relu(x + skip)
        x = functional.max_pool2d(x, 2)
        x = functional.relu(self.head_conv(x))
        x = functional.adaptive_avg_pool2d(x, 1)
        return self.fc(torch.flatten(x, 1))


class GraphWriter:
    """Collects ONNX nodes; each node is named after the value it produces."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []

    def constant(self, name: str, value: torch.Tensor) -> str:
        """Add a float32 initializer and return its name."""
        array = value.detach().numpy().astype(np.float32)
        self.initializers.append(numpy_helper.from_array(array, name))
        return name

    def op(
        self,
        op_type: str,
        name: str,
        inputs: Sequence[str],
        **attributes: int | float | Sequence[int],
    ) -> str:
        """Add one node and return the name of its output."""
        self.nodes.append(
            helper.make_node(op_type, list(inputs), [name], name=name, **attributes)
        )
        return name

    def conv(self, name: str, x: str, layer: nn.Conv2d) -> str:
        """Add a Conv node, with a bias input only if the layer has one."""
        inputs = [x, self.constant(f"{name}.weight", layer.weight)]
        if layer.bias is not None:
            inputs.append(self.constant(f"{name}.bias", layer.bias))
        pad_h, pad_w = layer.padding
        return self.op(
            "Conv",
            name,
            inputs,
            dilations=layer.dilation,
            group=layer.groups,
            kernel_shape=layer.kernel_size,
            pads=[pad_h, pad_w, pad_h, pad_w],
            strides=layer.stride,
        )

    def batch_norm(self, name: str, x: str, layer: nn.BatchNorm2d) -> str:
        """Add a BatchNormalization node in inference form."""
        inputs = [
            x,
            self.constant(f"{name}.scale", layer.weight),
            self.constant(f"{name}.bias", layer.bias),
            self.constant(f"{name}.mean", layer.running_mean),
            self.constant(f"{name}.var", layer.running_var),
        ]
        return self.op("BatchNormalization", name, inputs, epsilon=layer.eps)


def build_onnx(net: DigitsNet) -> onnx.ModelProto:
    """Write the trained network as ONNX, batch normalizations left unfused."""
    g = GraphWriter()
    x = g.conv("stem_conv", "image", net.stem_conv)
    x = g.batch_norm("stem_bn", x, net.stem_bn)
    x = g.op("Relu", "stem_relu", [x])

    x = g.conv("block1_dw", x, net.block1_dw)
    x = g.batch_norm("block1_dw_bn", x, net.block1_dw_bn)
    x = g.op("Relu", "block1_dw_relu", [x])
    x = g.conv("block1_pw", x, net.block1_pw)
    x = g.batch_norm("block1_pw_bn", x, net.block1_pw_bn)
    low = g.constant("relu6.min", torch.tensor(0.0))
    high = g.constant("relu6.max", torch.tensor(6.0))
    skip = g.op("Clip", "block1_pw_relu6", [x, low, high])

    x = g.conv("block2_conv1", skip, net.block2_conv1)
    x = g.batch_norm("block2_bn1", x, net.block2_bn1)
    x = g.op("Relu", "block2_relu1", [x])
    x = g.conv("block2_conv2", x, net.block2_conv2)
    x = g.batch_norm("block2_bn2", x, net.block2_bn2)
    x = g.op("Add", "residual", [x, skip])
    x = g.op("Relu", "residual_relu", [x])

    x = g.op("MaxPool", "pool", [x], kernel_shape=[2, 2], strides=[2, 2])
    x = g.conv("head_conv", x, net.head_conv)
    x = g.op("Relu", "head_relu", [x])
    x = g.op("GlobalAveragePool", "gap", [x])
    x = g.op("Flatten", "flatten", [x], axis=1)
    weight = g.constant("fc.weight", net.fc.weight)
    bias = g.constant("fc.bias", net.fc.bias)
    g.op("Gemm", "logits", [x, weight, bias], transB=1)

    image_info = helper.make_tensor_value_info(
        "image", TensorProto.FLOAT, ["N", 1, 8, 8]
    )
    logits_info = helper.make_tensor_value_info(
        "logits", TensorProto.FLOAT, ["N", CLASSES]
    )
    graph = helper.make_graph(
        g.nodes, "digits", [image_info], [logits_info], g.initializers
    )
    model = helper.make_model(
        graph,
        producer_name=PRODUCER,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def load_split() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return training images and labels, then test images and labels."""
    digits = load_digits()
    images = (digits.images / 16.0).astype(np.float32)[:, np.newaxis]
    labels = digits.target.astype(np.int64)
    train_images, test_images, train_labels, test_labels = train_test_split(
        images, labels, test_size=TEST_IMAGES, stratify=labels, random_state=SEED
    )
    return train_images, train_labels, test_images, test_labels


def train(images: np.ndarray, labels: np.ndarray) -> DigitsNet:
    """Train for a fixed number of epochs; the test images play no part."""
    net = DigitsNet()
    x = torch.from_numpy(images)
    y = torch.from_numpy(labels)
    # A short last batch is dropped: it would disturb the batch statistics.
    steps = len(x) // BATCH_SIZE
    optimizer = torch.optim.AdamW(net.parameters(), weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, PEAK_LEARNING_RATE, total_steps=EPOCHS * steps
    )
    net.train()
    for epoch in range(1, EPOCHS + 1):
        order = torch.randperm(len(x))
        total = 0.0
        for step in range(steps):
            batch = order[step * BATCH_SIZE : (step + 1) * BATCH_SIZE]
            optimizer.zero_grad()
            loss = functional.cross_entropy(net(x[batch]), y[batch])
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        if epoch % 10 == 0:
            print(f"epoch {epoch}: mean training loss {total / steps:.4f}")
    return net.eval()


def verify(path: Path, net: DigitsNet, images: np.ndarray, labels: np.ndarray) -> float:
    """Compare the ONNX file with the torch network; return its accuracy."""
    session = onnxruntime.InferenceSession(
        path.read_bytes(), providers=["CPUExecutionProvider"]
    )
    (logits,) = session.run(["logits"], {"image": images})
    with torch.no_grad():
        expected = net(torch.from_numpy(images)).numpy()
    difference = float(np.abs(logits - expected).max())
    print(f"largest difference from torch: {difference:.2e}")
    if difference > TOLERANCE:
        raise SystemExit(f"{path.name} differs from the torch network")
    correct = int((logits.argmax(axis=1) == labels).sum())
    print(f"float test accuracy: {correct}/{len(labels)} = {correct / len(labels):.2%}")
    return correct / len(labels)


def main() -> None:
    """Train, export, write the data files and check the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--output-dir",
        type=Path,
        default=Path(__file__).parent,
        help="folder for digits.onnx, calibration.npz and test.npz "
        "(default: the folder of this script)",
    )
    output_dir: Path = parser.parse_args().output_dir
    output_dir.mkdir(parents=True, exist_ok=True)

    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)

    train_images, train_labels, test_images, test_labels = load_split()
    net = train(train_images, train_labels)

    model_path = output_dir / "digits.onnx"
    model_path.write_bytes(build_onnx(net).SerializeToString(deterministic=True))

    calibration_images, _ = train_test_split(
        train_images,
        train_size=CALIBRATION_IMAGES,
        stratify=train_labels,
        random_state=SEED,
    )
    np.savez_compressed(output_dir / "calibration.npz", image=calibration_images)
    np.savez_compressed(output_dir / "test.npz", image=test_images, label=test_labels)

    if verify(model_path, net, test_images, test_labels) < MIN_ACCURACY:
        raise SystemExit(f"accuracy is below {MIN_ACCURACY:.1%}")


if __name__ == "__main__":
    main()
