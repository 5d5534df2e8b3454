// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ConvPanels.h"
#include "dyadic/IR/Constants.h"
#include "dyadic/IR/Layers.h"
#include "dyadic/Support/ChannelOrder.h"
#include "dyadic/Support/NarrowWeights.h"
#include "dyadic/Transforms/IntegerRanges.h"
#include "dyadic/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {
#define GEN_PASS_DEF_ORDERCHANNELS
#include "dyadic/Transforms/Passes.h.inc"

namespace {
/// The channel at every place of a value's last dimension; empty: as the model has them.
using Order = std::vector<int64_t>;

class Reordering {
public:
  Reordering(func::FuncOp function, Dot dot) : function(function), dot(dot) {}

  void run() {
    Block &block = function.front();
    for (Operation &op : block)
      if (isa<ConvOp, MatmulOp>(op))
        if (std::optional<LinearLayer> layer = matchLinearLayer(&op)) {
          if (layer->groups == 1)
            dense.insert(&op);
          else if (layer->isDepthwise())
            depthwise.insert(&op);
        }
    for (Operation &op : llvm::reverse(block))
      if (op.getNumResults() == 1 && llvm::all_of(op.getResult(0).getUses(), [&](OpOperand &use) { return takes(use); }))
        free.insert(op.getResult(0));
    for (Operation &op : block)
      rewrite(&op);
    eraseDead(function);
  }

private:
  static int64_t lastDimension(Value value) { return cast<RankedTensorType>(value.getType()).getShape().back(); }

  /// True where `op` computes every channel of its result from the same channel of its operands, whatever it is.
  static bool carriesOrder(Operation *op) {
    auto isLast = [&](int64_t axis) {
      return axis == cast<RankedTensorType>(op->getOperand(0).getType()).getRank() - 1;
    };
    return TypeSwitch<Operation *, bool>(op)
        .Case<RequantizeOp, TableOp>([](Operation *) { return true; })
        .Case<MaxPoolOp, AvgPoolOp>([](auto pool) { return pool.getChannelsLast(); })
        .Case([](PadOp pad) { return pad.getLow().back() == 0 && pad.getHigh().back() == 0; })
        .Case([](ReshapeOp reshape) {
          return lastDimension(reshape.getInput()) == lastDimension(reshape.getOutput());
        })
        .Case([&](GatherOp gather) { return !isLast(static_cast<int64_t>(gather.getAxis())); })
        .Case([&](InterpolateOp interpolate) { return llvm::none_of(interpolate.getAxes(), isLast); })
        .Case([&](ConcatOp concat) { return isLast(static_cast<int64_t>(concat.getAxis())); })
        .Default([](Operation *) { return false; });
  }

  /// True where the reader of `use` does not mind in which order channels come.
  bool takes(OpOperand &use) const {
    Operation *op = use.getOwner();
    if (dense.contains(op))
      return use.getOperandNumber() == 0;
    bool carries = depthwise.contains(op) ? use.getOperandNumber() == 0 : carriesOrder(op);
    return carries && free.contains(op->getResult(0));
  }

  void rewrite(Operation *op) {
    if (op->getNumResults() != 1 || op->getNumOperands() == 0)
      return;
    Order order = orders.lookup(op->getOperand(0));
    if (dense.contains(op)) {
      order = rewriteDense(op, order);
    } else if (auto concat = dyn_cast<ConcatOp>(op)) {
      order = joined(concat);
    } else if (order.empty()) {
      return;
    } else if (depthwise.contains(op)) {
      LinearLayer layer = *matchLinearLayer(op);
      orderOutputs(layer, order);
      setWeights(op, layer);
    } else if (auto requantize = dyn_cast<RequantizeOp>(op)) {
      requantize.setMultiplierAttr(ordered(*requantize.getMultiplier(), order));
      requantize.setExponentAttr(ordered(*requantize.getExponent(), order));
    }
    if (!order.empty())
      orders[op->getResult(0)] = std::move(order);
  }

  /// Takes inputs in their order; the order of its outputs.
  Order rewriteDense(Operation *op, ArrayRef<int64_t> inputs) {
    bool isFree = free.contains(op->getResult(0));
    if (inputs.empty() && !isFree)
      return {};
    LinearLayer layer = *matchLinearLayer(op);
    if (!inputs.empty())
      orderInputs(layer, inputs);
    Order order = isFree ? bestOrder(layer) : Order();
    if (inputs.empty() && order.empty())
      return {};
    if (!order.empty())
      orderOutputs(layer, order);
    setWeights(op, layer);
    return order;
  }

  Order joined(ConcatOp concat) const {
    Order order;
    bool isNatural = true;
    for (Value input : concat.getInputs()) {
      auto start = static_cast<int64_t>(order.size());
      Order part = orders.lookup(input);
      isNatural &= part.empty();
      for (int64_t i = 0; i < lastDimension(input); ++i)
        order.push_back(start + (part.empty() ? i : part[i]));
    }
    return isNatural ? Order() : order;
  }

  /// The largest input, as the dot instruction sees it.
  int64_t largestInput(const LinearLayer &layer) {
    StorageRange range = ranges.of(layer.input);
    if (layer.hasPads())
      range = {std::min(range.min, layer.zeroPoint), std::max(range.max, layer.zeroPoint)};
    return range.max + flippedBy(range, dot);
  }

  /// The order in which fewest blocks of `layer`, and of those who read its result, overflow.
  Order bestOrder(const LinearLayer &layer) {
    int64_t xMax = largestInput(layer);
    if (xMax > UINT8_MAX || storedBits(layer.weights) != 8)
      return {};
    ConvPanels panels(layer, dot);
    std::vector<llvm::BitVector> overflows;
    for (int64_t c = 0; c < layer.outputs; ++c) {
      std::vector<WeightBlock> blocks = panels.blocks(c / kPanelChannels, c % kPanelChannels, /*channels=*/1);
      llvm::BitVector &set = overflows.emplace_back(blocks.size());
      for (auto [i, block] : llvm::enumerate(blocks))
        set[i] = !fitsSixteenBits(block.weights.data(), /*count=*/1, /*channels=*/1, xMax);
    }
    Order order = clusterChannels(overflows, kPanelChannels);
    std::vector<Reader> readers;
    findReaders(layer.op->getResult(0), /*offset=*/0, readers);
    if (!readers.empty())
      pairChannels(order, [&](int64_t a, int64_t b) { return overflowsOf(readers, a, b); });
    return llvm::is_sorted(order) ? Order() : order;
  }

  /// A layer that reads channels from `offset` on.
  struct Reader {
    LinearLayer layer;
    int64_t offset, xMax;
  };
  void findReaders(Value value, int64_t offset, std::vector<Reader> &readers) {
    for (OpOperand &use : value.getUses()) {
      Operation *op = use.getOwner();
      if (dense.contains(op)) {
        LinearLayer layer = *matchLinearLayer(op);
        int64_t xMax = largestInput(layer);
        // Where a run of channels does not fill its blocks, which are neighbours depends on the window.
        if (xMax <= UINT8_MAX && layer.depth() % blockInputs(dot) == 0 && offset % blockInputs(dot) == 0 &&
            storedBits(layer.weights) == 8)
          readers.push_back({std::move(layer), offset, xMax});
        continue;
      }
      int64_t before = 0;
      if (auto concat = dyn_cast<ConcatOp>(op))
        for (Value input : concat.getInputs().take_front(use.getOperandNumber()))
          before += lastDimension(input);
      findReaders(op->getResult(0), offset + before, readers);
    }
  }

  static llvm::BitVector overflowsOf(ArrayRef<Reader> readers, int64_t a, int64_t b) {
    llvm::BitVector set;
    for (const Reader &reader : readers) {
      const LinearLayer &layer = reader.layer;
      int64_t window = layer.kernelHeight * layer.kernelWidth;
      for (int64_t m = 0; m < layer.outputs; ++m)
        for (int64_t k = 0; k < window; ++k) {
          auto weight = [&](int64_t c) { return layer.weight(m, reader.offset + c, 0, k); };
          int8_t block[4] = {static_cast<int8_t>(weight(a)), static_cast<int8_t>(weight(b)), 0, 0};
          set.push_back(!fitsSixteenBits(block, /*count=*/1, /*channels=*/1, reader.xMax));
        }
    }
    return set;
  }

  static void orderOutputs(LinearLayer &layer, ArrayRef<int64_t> order) {
    auto row = static_cast<int64_t>(layer.weights.size()) / layer.outputs;
    std::vector<int64_t> weights, bias;
    for (int64_t m : order) {
      weights.insert(weights.end(), layer.weights.begin() + m * row, layer.weights.begin() + (m + 1) * row);
      bias.push_back(layer.bias[m]);
    }
    layer.weights = std::move(weights);
    layer.bias = std::move(bias);
  }
  static void orderInputs(LinearLayer &layer, ArrayRef<int64_t> order) {
    int64_t window = layer.kernelHeight * layer.kernelWidth;
    std::vector<int64_t> weights;
    for (int64_t m = 0; m < layer.outputs; ++m)
      for (int64_t c : order) {
        auto from = layer.weights.begin() + (m * layer.depth() + c) * window;
        weights.insert(weights.end(), from, from + window);
      }
    layer.weights = std::move(weights);
  }
  static void setWeights(Operation *op, const LinearLayer &layer) {
    OpBuilder builder(op);
    auto set = [&](unsigned operand, ArrayRef<int64_t> numbers) {
      auto type = cast<RankedTensorType>(op->getOperand(operand).getType());
      op->setOperand(operand, makeConstant(builder, op->getLoc(), makeInts(type, numbers)));
    };
    std::vector<int64_t> stored = layer.weights;
    if (isa<MatmulOp>(op)) // [channels][outputs]
      for (int64_t m = 0; m < layer.outputs; ++m)
        for (int64_t c = 0; c < layer.channels; ++c)
          stored[c * layer.outputs + m] = layer.weights[m * layer.channels + c];
    set(1, stored);
    if (op->getNumOperands() == 3)
      set(2, layer.bias);
  }
  /// A number for each channel in their order; one for all as it is.
  static DenseIntElementsAttr ordered(DenseElementsAttr numbers, ArrayRef<int64_t> order) {
    auto type = cast<RankedTensorType>(numbers.getType());
    auto channels = static_cast<int64_t>(order.size());
    if (numbers.isSplat() || type.getRank() == 0 || type.getShape().back() != channels)
      return cast<DenseIntElementsAttr>(numbers);
    SmallVector<int32_t> before(numbers.getValues<int32_t>()), after;
    for (int64_t start = 0; start < type.getNumElements(); start += channels)
      for (int64_t c : order)
        after.push_back(before[start + c]);
    return cast<DenseIntElementsAttr>(DenseElementsAttr::get(type, ArrayRef<int32_t>(after)));
  }

  func::FuncOp function;
  Dot dot;
  IntegerRanges ranges;
  DenseSet<Operation *> dense, depthwise;
  DenseSet<Value> free; // nobody minds the order of their channels
  DenseMap<Value, Order> orders;
};

struct OrderChannels : impl::OrderChannelsBase<OrderChannels> {
  using OrderChannelsBase::OrderChannelsBase;

  void runOnOperation() override {
    std::optional<Dot> dot = symbolizeDot(byteDot);
    if (dot != Dot::Maddubs) // no other sums in 16 bits
      return;
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isExternal())
        Reordering(function, *dot).run();
  }
};
} // namespace
} // namespace dyadic
