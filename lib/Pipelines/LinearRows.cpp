// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LinearRows.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

LinearRows::LinearRows(Operation *op) : isConv(isa<ConvOp>(op)) {
  auto weights = cast<RankedTensorType>(op->getOperand(1).getType());
  auto output = cast<RankedTensorType>(op->getResult(0).getType());
  if (!isConv) {
    numInputs = weights.getDimSize(0);
    numOutputs = weights.getDimSize(1);
    numPositions = output.getNumElements() / numOutputs;
    return;
  }
  auto conv = cast<ConvOp>(op);
  window = windowOf(conv);
  volume = window.volume();
  numGroups = static_cast<int64_t>(conv.getGroup());
  numOutputs = weights.getDimSize(0) / numGroups;
  numInputs = weights.getNumElements() / weights.getDimSize(0);
  numPositions = output.getNumElements() / weights.getDimSize(0);
  for (int64_t d : window.input)
    inputSize *= d;
  for (int64_t d : window.output)
    outputSize *= d;
}

/// For each element of the kernel, in order, what it reads at output position `index`.
static std::vector<int64_t> offsetsAt(const Window &window, int64_t index) {
  SmallVector<int64_t> output(window.rank());
  for (size_t d = window.rank(); d-- > 0; index /= window.output[d])
    output[d] = index % window.output[d];
  std::vector<int64_t> offsets{0}, next;
  for (size_t d = 0; d < window.rank(); ++d) {
    next.clear();
    for (int64_t offset : offsets)
      for (int64_t k = 0; k < window.kernel[d]; ++k) {
        int64_t at = window.inputAt(d, output[d], k);
        bool isInside = offset >= 0 && at >= 0 && at < window.input[d];
        next.push_back(isInside ? offset * window.input[d] + at : -1);
      }
    std::swap(offsets, next);
  }
  return offsets;
}

std::vector<int64_t> LinearRows::kernelOffsets(ArrayRef<int64_t> positions) const {
  std::vector<int64_t> offsets;
  for (int64_t position : positions)
    llvm::append_range(offsets, isConv ? offsetsAt(window, position % outputSize) : std::vector<int64_t>{0});
  return offsets;
}

template <typename T> static float numberOf(T stored, int64_t zeroPoint) {
  if constexpr (std::is_floating_point_v<T>)
    return stored;
  else
    return static_cast<float>(static_cast<int64_t>(stored) - zeroPoint);
}

template <typename T>
static void gatherChannel(const Tensor &tensor, int64_t base, ArrayRef<int64_t> offsets, int64_t zeroPoint, float *to) {
  const T *from = tensor.as<T>() + base;
  for (size_t i = 0; i < offsets.size(); ++i)
    to[i] = offsets[i] < 0 ? 0.0f : numberOf(from[offsets[i]], zeroPoint);
}

static void gather(const Tensor &tensor, int64_t base, ArrayRef<int64_t> offsets, int64_t zeroPoint, float *to) {
  switch (tensor.type) {
  case ElementType::F32:
    return gatherChannel<float>(tensor, base, offsets, 0, to);
  case ElementType::U8:
    return gatherChannel<uint8_t>(tensor, base, offsets, zeroPoint, to);
  case ElementType::S8:
    return gatherChannel<int8_t>(tensor, base, offsets, zeroPoint, to);
  case ElementType::U16:
    return gatherChannel<uint16_t>(tensor, base, offsets, zeroPoint, to);
  default:
    return gatherChannel<int16_t>(tensor, base, offsets, zeroPoint, to);
  }
}

void LinearRows::gatherInputs(const Tensor &input, int64_t zeroPoint, ArrayRef<int64_t> positions,
                              ArrayRef<int64_t> offsets, int64_t group, std::vector<float> &rows) const {
  size_t begin = rows.size();
  rows.resize(begin + positions.size() * static_cast<size_t>(numInputs));
  float *to = rows.data() + begin;
  // A matmul has one element and no space: its inputs are channels.
  int64_t channels = numInputs / volume;
  for (auto [i, position] : llvm::enumerate(positions)) {
    int64_t first = (position / outputSize * numGroups + group) * channels;
    for (int64_t c = 0; c < channels; ++c, to += volume)
      gather(input, (first + c) * inputSize,
             offsets.slice(i * static_cast<size_t>(volume), static_cast<size_t>(volume)), zeroPoint, to);
  }
}

std::vector<float> LinearRows::gatherOutputs(const Tensor &output, ArrayRef<int64_t> positions,
                                             bool isChannelsLast) const {
  int64_t channels = numGroups * numOutputs;
  std::vector<float> rows;
  if (isChannelsLast) {
    rows.reserve(positions.size() * static_cast<size_t>(channels));
    for (int64_t position : positions)
      rows.insert(rows.end(), output.as<float>() + position * channels, output.as<float>() + (position + 1) * channels);
    return rows;
  }
  rows.resize(positions.size() * static_cast<size_t>(channels));
  // A channel at a time: its numbers lie together.
  for (int64_t c = 0; c < channels; ++c)
    for (auto [i, position] : llvm::enumerate(positions)) {
      int64_t base = position / outputSize * channels * outputSize + position % outputSize;
      rows[i * static_cast<size_t>(channels) + static_cast<size_t>(c)] = output.as<float>()[base + c * outputSize];
    }
  return rows;
}

std::vector<int64_t> choosePositions(int64_t count, int64_t limit, size_t sample) {
  std::vector<int64_t> positions;
  limit = std::min(limit, count);
  // The golden ratio spreads the phases of samples evenly, however many there are.
  auto phase = static_cast<int64_t>(
      (static_cast<uint64_t>(sample) * 2654435769u & 0xffffffffu) * static_cast<uint64_t>(count) >> 32);
  for (int64_t i = 0; i < limit; ++i)
    positions.push_back((i * count + (limit == count ? 0 : phase)) / limit);
  return positions;
}

} // namespace dyadic
