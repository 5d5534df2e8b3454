// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Layout.h"
#include "dyadic/IR/Constants.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

static ArrayRef<int64_t> shapeOf(Value value) { return cast<RankedTensorType>(value.getType()).getShape(); }

Layout identityLayout(int64_t rank) { return llvm::to_vector_of<int64_t, 6>(llvm::seq<int64_t>(0, rank)); }

Layout channelsLastLayout(int64_t rank) {
  Layout layout{0};
  llvm::append_range(layout, llvm::seq<int64_t>(2, rank));
  layout.push_back(1);
  return layout;
}

Layout inverseLayout(ArrayRef<int64_t> layout) {
  Layout result(layout.size());
  for (auto [i, d] : llvm::enumerate(layout))
    result[d] = i;
  return result;
}

/// The dimensions of more than one element, in the order of `layout`.
static Layout largeDimensions(ArrayRef<int64_t> shape, ArrayRef<int64_t> layout) {
  Layout result;
  llvm::copy_if(layout, std::back_inserter(result), [&](int64_t d) { return shape[d] != 1; });
  return result;
}

bool storeAlike(ArrayRef<int64_t> shape, ArrayRef<int64_t> a, ArrayRef<int64_t> b) {
  return largeDimensions(shape, a) == largeDimensions(shape, b);
}

RankedTensorType storedType(RankedTensorType type, ArrayRef<int64_t> layout) {
  SmallVector<int64_t> shape;
  for (int64_t d : layout)
    shape.push_back(type.getDimSize(d));
  return type.clone(shape);
}

unsigned numLaidOut(Operation *op) {
  return isa<ConvOp, MatmulOp, BatchNormOp, PReluOp>(op) ? 1 : op->getNumOperands();
}

/// The layout of a tensor of shape `to` that stores the elements of one of shape `from` and
/// layout `layout` in their order. A reshape splits and merges neighbouring dimensions: the
/// smallest runs of dimensions that become each other must be neighbours in storage too.
static std::optional<Layout> reshaped(ArrayRef<int64_t> from, ArrayRef<int64_t> to, ArrayRef<int64_t> layout) {
  Layout before = largeDimensions(from, identityLayout(from.size()));
  Layout after = largeDimensions(to, identityLayout(to.size()));
  SmallVector<std::pair<Layout, Layout>> runs;
  SmallVector<size_t> runAt(from.size(), SIZE_MAX); // by its first dimension
  for (size_t i = 0, j = 0; i < before.size();) {
    runAt[before[i]] = runs.size();
    auto &[first, second] = runs.emplace_back();
    int64_t a = from[before[i]], b = to[after[j]];
    first.push_back(before[i++]);
    second.push_back(after[j++]);
    while (a != b) {
      if (a < b) {
        a *= from[before[i]];
        first.push_back(before[i++]);
      } else {
        b *= to[after[j]];
        second.push_back(after[j++]);
      }
    }
  }
  Layout stored = largeDimensions(from, layout), order;
  for (ArrayRef<int64_t> rest = stored; !rest.empty();) {
    size_t run = runAt[rest.front()];
    if (run == SIZE_MAX || rest.take_front(runs[run].first.size()) != ArrayRef<int64_t>(runs[run].first))
      return std::nullopt;
    llvm::append_range(order, runs[run].second);
    rest = rest.drop_front(runs[run].first.size());
  }
  if (llvm::is_sorted(order))
    return identityLayout(to.size());
  // Dimensions of size 1 lie anywhere.
  Layout result;
  for (auto [d, size] : llvm::enumerate(to))
    if (size == 1)
      result.push_back(d);
  llvm::append_range(result, order);
  return result;
}

/// Whether an operation with one layout for operands and result can work in `layout`.
static bool accepts(Operation *op, ArrayRef<int64_t> layout) {
  if (isa<MatmulOp>(op))
    return !layout.empty() && layout.back() == static_cast<int64_t>(layout.size()) - 1;
  // The order of axes is the order of roundings.
  if (auto interpolate = dyn_cast<InterpolateOp>(op)) {
    Layout at = inverseLayout(layout);
    return llvm::is_sorted(llvm::map_range(interpolate.getAxes(), [&](int64_t axis) { return at[axis]; }));
  }
  return isa<AddOp, SubOp, MulOp, MapOp, TableOp, PReluOp, ReluOp, ClipOp, RequantizeOp, SoftmaxOp, SliceOp, GatherOp,
             PadOp, ConcatOp, RangeOp, QuantizeOp, DequantizeOp>(op);
}

std::optional<Layout> layoutAfter(Operation *op, ArrayRef<int64_t> operand) {
  if (auto transpose = dyn_cast<TransposeOp>(op)) {
    Layout at = inverseLayout(transpose.getPermutation()), result;
    for (int64_t d : operand)
      result.push_back(at[d]);
    return result;
  }
  if (auto reshape = dyn_cast<ReshapeOp>(op))
    return reshaped(shapeOf(reshape.getInput()), shapeOf(reshape.getOutput()), operand);
  return accepts(op, operand) ? std::optional(Layout(operand)) : std::nullopt;
}

std::optional<Layout> layoutBefore(Operation *op, ArrayRef<int64_t> result) {
  if (auto transpose = dyn_cast<TransposeOp>(op)) {
    Layout operand;
    for (int64_t d : result)
      operand.push_back(transpose.getPermutation()[d]);
    return operand;
  }
  if (auto reshape = dyn_cast<ReshapeOp>(op))
    return reshaped(shapeOf(reshape.getOutput()), shapeOf(reshape.getInput()), result);
  return accepts(op, result) ? std::optional(Layout(result)) : std::nullopt;
}

/// A parameter that broadcasts to the result, for the result in `layout`.
static DenseElementsAttr permuted(DenseElementsAttr attribute, ArrayRef<int64_t> layout) {
  if (attribute.getNumElements() == 1)
    return attribute;
  ArrayRef<int64_t> given = attribute.getType().getShape();
  SmallVector<int64_t> shape(layout.size() - given.size(), 1), stored;
  llvm::append_range(shape, given);
  for (int64_t d : layout)
    stored.push_back(shape[d]);
  ArrayRef<int64_t> trimmed = ArrayRef<int64_t>(stored).drop_while([](int64_t size) { return size == 1; });
  auto type = RankedTensorType::get(trimmed, attribute.getElementType());
  if (attribute.isSplat())
    return attribute.resizeSplat(type);
  auto gather = [&](auto values) {
    std::vector<std::decay_t<decltype(values[0])>> moved;
    for (int64_t offset : transposedOffsets(shape, layout))
      moved.push_back(values[offset]);
    return DenseElementsAttr::get(type, ArrayRef(moved));
  };
  return type.getElementType().isF32() ? gather(attribute.getValues<float>()) : gather(attribute.getValues<int32_t>());
}

static Layout permuted(ArrayRef<int64_t> values, ArrayRef<int64_t> layout) {
  Layout result;
  for (int64_t d : layout)
    result.push_back(values[d]);
  return result;
}

void rewriteAxes(Operation *op, ArrayRef<int64_t> layout) {
  for (StringRef name :
       {"multiplier", "exponent", "negative_multiplier", "negative_exponent", "a_multiplier", "b_multiplier", "scale"})
    if (auto attribute = op->getAttrOfType<DenseElementsAttr>(name))
      op->setAttr(name, permuted(attribute, layout));
  Layout at = inverseLayout(layout);
  llvm::TypeSwitch<Operation *>(op)
      .Case<SoftmaxOp, GatherOp, ConcatOp>([&](auto o) { o.setAxis(at[o.getAxis()]); })
      .Case([&](SliceOp o) {
        o.setOffsets(permuted(o.getOffsets(), layout));
        o.setSteps(permuted(o.getSteps(), layout));
      })
      .Case([&](PadOp o) {
        o.setLow(permuted(o.getLow(), layout));
        o.setHigh(permuted(o.getHigh(), layout));
      })
      .Case([&](InterpolateOp o) {
        Layout axes;
        for (int64_t axis : o.getAxes())
          axes.push_back(at[axis]);
        o.setAxes(axes);
      });
}

} // namespace dyadic
