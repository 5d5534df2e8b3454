// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/IR/Interpolation.h"
#include "llvm/ADT/bit.h"

using namespace mlir;

namespace dyadic::qnn {

SmallVector<AxisInterpolation> interpolationOf(InterpolateOp op) {
  auto input = cast<RankedTensorType>(op.getInput().getType()), output = cast<RankedTensorType>(op.getType());
  SmallVector<AxisInterpolation> result;
  size_t first = 0;
  for (auto [axis, bits] : llvm::zip(op.getAxes(), op.getFractionBits())) {
    size_t count = output.getDimSize(axis);
    AxisInterpolation a{axis, input.getDimSize(axis), static_cast<unsigned>(bits), {}, {}};
    llvm::append_range(a.low, op.getPositions().slice(first, count));
    llvm::append_range(a.fractions, op.getFractions().slice(first, count));
    result.push_back(std::move(a));
    first += count;
  }
  return result;
}

void setInterpolation(InterpolateOp op, ArrayRef<AxisInterpolation> axes) {
  SmallVector<int64_t> dimensions, positions, fractions, bits;
  for (const AxisInterpolation &a : axes) {
    dimensions.push_back(a.axis);
    bits.push_back(a.bits);
    llvm::append_range(positions, a.low);
    llvm::append_range(fractions, a.fractions);
  }
  op.setAxes(dimensions);
  op.setPositions(positions);
  op.setFractions(fractions);
  op.setFractionBits(bits);
}

void trimFractions(AxisInterpolation &axis) {
  unsigned zeros = axis.bits;
  for (int64_t fraction : axis.fractions)
    if (fraction != 0)
      zeros = std::min<unsigned>(zeros, llvm::countr_zero(static_cast<uint64_t>(fraction)));
  axis.bits -= zeros;
  for (int64_t &fraction : axis.fractions)
    fraction >>= zeros;
}

/// To `bits` fraction bits; what rounds to 1 is the next element.
static void roundFractions(AxisInterpolation &axis, unsigned bits) {
  unsigned drop = axis.bits - bits;
  if (drop == 0)
    return;
  for (auto [low, fraction] : llvm::zip(axis.low, axis.fractions)) {
    int64_t odd = (fraction >> drop) & 1;
    fraction = (fraction + (int64_t(1) << (drop - 1)) - 1 + odd) >> drop;
    if (fraction == int64_t(1) << bits) {
      fraction = 0;
      low = std::min(low + 1, axis.size - 1);
    }
  }
  axis.bits = bits;
}

void narrowFractions(MutableArrayRef<AxisInterpolation> axes, unsigned totalBits) {
  SmallVector<unsigned> bits;
  unsigned total = 0;
  for (const AxisInterpolation &axis : axes) {
    bits.push_back(axis.bits);
    total += axis.bits;
  }
  for (; total > totalBits; --total) {
    size_t most = 0;
    for (size_t i = 0; i < bits.size(); ++i)
      most = bits[i] >= bits[most] ? i : most;
    --bits[most];
  }
  for (auto [axis, width] : llvm::zip(axes, bits))
    roundFractions(axis, width);
}

unsigned totalFractionBits(InterpolateOp op) {
  int64_t total = 0;
  for (int64_t bits : op.getFractionBits())
    total += bits;
  return static_cast<unsigned>(total);
}

} // namespace dyadic::qnn
