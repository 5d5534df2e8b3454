// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/IR/Layers.h"
#include "dyadic/IR/Types.h"
#include "dyadic/Support/Error.h"
#include "dyadic/Transforms/IntegerRanges.h"
#include "dyadic/Transforms/Passes.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {
#define GEN_PASS_DEF_PROVEACCUMULATORS
#include "dyadic/Transforms/Passes.h.inc"

static std::string layerName(Operation *op) {
  StringAttr id = cast<LayerOpInterface>(op).getIdAttr();
  return id ? "layer '" + escaped(id) + "'" : "layer without id";
}

namespace {
struct ProveAccumulators : impl::ProveAccumulatorsBase<ProveAccumulators> {
  void runOnOperation() override {
    IntegerRanges ranges;
    bool isProven = true; // every layer at fault is told
    getOperation().walk([&](Operation *op) {
      if (!isa<LayerOpInterface>(op) || levelOf(op->getResult(0).getType()) != Level::Integer)
        return;
      if (accumulates(op))
        isProven &= succeeded(proveAccumulator(op, ranges));
      else if (auto add = dyn_cast<AddOp>(op))
        isProven &= succeeded(proveSum(add, ranges));
      else if (auto mul = dyn_cast<MulOp>(op))
        isProven &= succeeded(proveProduct(mul, ranges));
    });
    if (!isProven)
      signalPassFailure();
  }

private:
  static LogicalResult proveAccumulator(Operation *op, IntegerRanges &ranges) {
    StorageRange range = ranges.of(op->getResult(0));
    if (range.min >= INT32_MIN && range.max <= INT32_MAX)
      return success();
    StorageRange input = ranges.of(op->getOperand(0));
    unsigned bits = llvm::Log2_64_Ceil(static_cast<uint64_t>(input.max - input.min) + 1);
    return op->emitError() << layerName(op) << ": "
                           << accumulatorFault(std::max(-range.min, range.max), bits, ranges.largestWidth(op, bits));
  }

  static LogicalResult proveSum(AddOp add, IntegerRanges &ranges) {
    std::vector<int64_t> m1(add.getAMultiplier()->getValues<int32_t>().begin(),
                            add.getAMultiplier()->getValues<int32_t>().end());
    std::vector<int64_t> m2(add.getBMultiplier()->getValues<int32_t>().begin(),
                            add.getBMultiplier()->getValues<int32_t>().end());
    std::vector<int64_t> e(add.getExponent()->getValues<int32_t>().begin(),
                           add.getExponent()->getValues<int32_t>().end());
    for (int64_t &m : m2)
      m = std::abs(m); // a difference has negative ones
    // One entry a channel each, or one for all; where shapes cross, the largest of each.
    DenseElementsAttr attributes[] = {*add.getAMultiplier(), *add.getBMultiplier(), *add.getExponent()};
    std::vector<int64_t> *values[] = {&m1, &m2, &e};
    size_t count = std::max({m1.size(), m2.size(), e.size()});
    ArrayRef<int64_t> shape;
    bool crossed = false;
    for (auto [attribute, numbers] : llvm::zip(attributes, values)) {
      if (numbers->size() == 1)
        continue;
      crossed |= !shape.empty() && shape != attribute.getType().getShape();
      shape = attribute.getType().getShape();
    }
    for (std::vector<int64_t> *numbers : values)
      if (crossed || numbers->size() != count)
        numbers->assign(count, *llvm::max_element(*numbers));
    uint64_t bound1 = magnitude(ranges.of(add.getLhs()), static_cast<int64_t>(*add.getAZp()));
    uint64_t bound2 = magnitude(ranges.of(add.getRhs()), static_cast<int64_t>(*add.getBZp()));
    for (size_t i = 0; i < count; ++i) {
      unsigned __int128 sum = static_cast<unsigned __int128>(bound1) * static_cast<uint64_t>(m1[i]) +
                              static_cast<unsigned __int128>(bound2) * static_cast<uint64_t>(m2[i]) +
                              (static_cast<unsigned __int128>(1) << (e[i] - 1));
      if (sum >> 63)
        return add.emitError() << layerName(add)
                               << ": the sum can reach 2^63, expected smaller multipliers or a lower exponent";
    }
    return success();
  }

  static LogicalResult proveProduct(MulOp mul, IntegerRanges &ranges) {
    uint64_t bound1 = magnitude(ranges.of(mul.getLhs()), static_cast<int64_t>(*mul.getAZp()));
    uint64_t bound2 = magnitude(ranges.of(mul.getRhs()), static_cast<int64_t>(*mul.getBZp()));
    unsigned __int128 sum = static_cast<unsigned __int128>(bound1 * bound2) * *mul.getMultiplier() +
                            (static_cast<unsigned __int128>(1) << (*mul.getExponent() - 1));
    if (sum >> 63)
      return mul.emitError() << layerName(mul)
                             << ": the product can reach 2^63, expected a smaller multiplier or a lower exponent";
    return success();
  }
};
} // namespace
} // namespace dyadic
