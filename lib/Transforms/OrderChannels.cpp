// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ConvPanels.h"
#include "dyadic/IR/Constants.h"
#include "dyadic/IR/Layers.h"
#include "dyadic/Support/ChannelOrder.h"
#include "dyadic/Support/NarrowWeights.h"
#include "dyadic/Transforms/IntegerRanges.h"
#include "dyadic/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/IntEqClasses.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {
#define GEN_PASS_DEF_ORDERCHANNELS
#include "dyadic/Transforms/Passes.h.inc"

namespace {
/// The channel at every place of a value's last dimension; empty: as the model has them.
using Order = std::vector<int64_t>;

/// Values that must have their channels in one order, as classes of them.
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
    findClasses();
    findFixed();
    orders.resize(classes.getNumClasses());
    isChosen.resize(classes.getNumClasses());
    for (Operation &op : block)
      rewrite(&op);
    eraseDead(function);
  }

private:
  static int64_t lastDimension(Value value) {
    auto type = cast<RankedTensorType>(value.getType());
    return type.getRank() == 0 ? 1 : type.getShape().back();
  }
  static bool isLastDimension(Value value, int64_t axis) {
    return axis == cast<RankedTensorType>(value.getType()).getRank() - 1;
  }
  static bool joinsChannels(Operation *op) {
    auto concat = dyn_cast<ConcatOp>(op);
    return concat && isLastDimension(concat.getOutput(), static_cast<int64_t>(concat.getAxis()));
  }

  /// How many leading operands have their channels in the order of the result, whatever it is: `op` computes every
  /// channel from the same channel of these. 0: it minds.
  unsigned numOrdered(Operation *op) const {
    if (depthwise.contains(op))
      return 1;
    return TypeSwitch<Operation *, unsigned>(op)
        .Case<RequantizeOp, PReluOp, TableOp>([](Operation *) { return 1; })
        .Case<MaxPoolOp, AvgPoolOp>([](auto pool) { return pool.getChannelsLast() ? 1 : 0; })
        .Case([](PadOp pad) { return lastDimension(pad.getInput()) == lastDimension(pad.getOutput()) ? 1 : 0; })
        .Case([](ReshapeOp reshape) {
          return lastDimension(reshape.getInput()) == lastDimension(reshape.getOutput()) ? 1 : 0;
        })
        .Case([](GatherOp gather) {
          return isLastDimension(gather.getInput(), static_cast<int64_t>(gather.getAxis())) ? 0 : 1;
        })
        .Case([](InterpolateOp interpolate) {
          auto isLast = [&](int64_t axis) { return isLastDimension(interpolate.getInput(), axis); };
          return llvm::any_of(interpolate.getAxes(), isLast) ? 0 : 1;
        })
        .Case<AddOp, MulOp>([](auto op) { return lastDimension(op.getLhs()) == lastDimension(op.getRhs()) ? 2 : 0; })
        .Default([](Operation *) { return 0; });
  }

  void findClasses() {
    Block &block = function.front();
    auto add = [&](Value value) { numbers.try_emplace(value, static_cast<unsigned>(numbers.size())); };
    llvm::for_each(block.getArguments(), add);
    for (Operation &op : block)
      llvm::for_each(op.getResults(), add);
    classes.grow(static_cast<unsigned>(numbers.size()));
    for (Operation &op : block)
      for (Value operand : op.getOperands().take_front(numOrdered(&op)))
        classes.join(numbers.lookup(operand), numbers.lookup(op.getResult(0)));
    classes.compress();
  }
  unsigned classOf(Value value) const { return classes[numbers.lookup(value)]; }

  /// Fixed are the classes of which somebody minds the order, or whose order others than layers decide.
  void findFixed() {
    fixed.resize(classes.getNumClasses());
    llvm::BitVector hasLayer(fixed.size()), hasConcat(fixed.size());
    for (auto [value, number] : numbers) {
      unsigned of = classes[number];
      Operation *op = value.getDefiningOp();
      bool isLayer = op && dense.contains(op), isConcat = op && joinsChannels(op);
      if (!isLayer && (isConcat ? hasConcat[of] : !op || numOrdered(op) == 0))
        fixed.set(of);
      if (isLayer)
        hasLayer.set(of);
      if (isConcat)
        hasConcat.set(of);
      for (OpOperand &use : value.getUses()) {
        Operation *reader = use.getOwner();
        unsigned known = dense.contains(reader) ? 1 : numOrdered(reader);
        if (use.getOperandNumber() >= known && !joinsChannels(reader))
          fixed.set(of);
      }
    }
    fixed |= hasLayer &= hasConcat;
    // Readers of a concatenation come after it.
    for (Operation &op : llvm::reverse(function.front()))
      if (joinsChannels(&op) && fixed[classOf(op.getResult(0))])
        for (Value operand : op.getOperands())
          fixed.set(classOf(operand));
  }

  void rewrite(Operation *op) {
    if (op->getNumResults() != 1 || op->getNumOperands() == 0)
      return;
    unsigned of = classOf(op->getResult(0));
    if (dense.contains(op)) {
      rewriteDense(op, orders[classOf(op->getOperand(0))], of);
      return;
    }
    if (joinsChannels(op) && !fixed[of])
      orders[of] = joined(op);
    const Order &order = orders[of];
    if (order.empty())
      return;
    if (depthwise.contains(op)) {
      LinearLayer layer = *matchLinearLayer(op);
      orderOutputs(layer, order);
      setWeights(op, layer);
      return;
    }
    for (StringRef name :
         {"multiplier", "exponent", "negative_multiplier", "negative_exponent", "a_multiplier", "b_multiplier"})
      if (auto numbers = op->getAttrOfType<DenseElementsAttr>(name))
        op->setAttr(name, ordered(numbers, order));
  }

  /// Takes inputs in their order, and gives outputs in theirs, which the first layer of its class chooses.
  void rewriteDense(Operation *op, ArrayRef<int64_t> inputs, unsigned of) {
    if (inputs.empty() && fixed[of])
      return;
    LinearLayer layer = *matchLinearLayer(op);
    if (!inputs.empty())
      orderInputs(layer, inputs);
    if (!fixed[of] && !isChosen[of])
      orders[of] = bestOrder(layer, of);
    isChosen.set(of);
    if (inputs.empty() && orders[of].empty())
      return;
    if (!orders[of].empty())
      orderOutputs(layer, orders[of]);
    setWeights(op, layer);
  }

  Order joined(Operation *concat) const {
    Order order;
    bool isNatural = true;
    for (Value input : concat->getOperands()) {
      auto start = static_cast<int64_t>(order.size());
      const Order &part = orders[classOf(input)];
      isNatural &= part.empty();
      for (int64_t i = 0; i < lastDimension(input); ++i)
        order.push_back(start + (part.empty() ? i : part[i]));
    }
    return isNatural ? Order() : order;
  }

  /// The largest input, as the dot instruction sees it.
  int64_t largestInput(const LinearLayer &layer) {
    StorageRange range = inputRange(layer, ranges);
    return range.max + flippedBy(range, dot);
  }

  /// The order in which fewest blocks of `layer`, and of those who read values of its class, overflow.
  Order bestOrder(const LinearLayer &layer, unsigned of) {
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
    findReaders(of, /*offset=*/0, readers);
    if (!readers.empty())
      pairChannels(order, [&](int64_t a, int64_t b) { return overflowsOf(readers, a, b); });
    return llvm::is_sorted(order) ? Order() : order;
  }

  /// A layer that reads channels from `offset` on.
  struct Reader {
    LinearLayer layer;
    int64_t offset, xMax;
  };
  void findReaders(unsigned of, int64_t offset, std::vector<Reader> &readers) {
    for (Operation &op : function.front()) {
      if (dense.contains(&op) && classOf(op.getOperand(0)) == of) {
        LinearLayer layer = *matchLinearLayer(&op);
        int64_t xMax = largestInput(layer);
        // Where a run of channels does not fill its blocks, which are neighbours depends on the window.
        if (xMax <= UINT8_MAX && layer.depth() % blockInputs(dot) == 0 && offset % blockInputs(dot) == 0 &&
            storedBits(layer.weights) == 8)
          readers.push_back({std::move(layer), offset, xMax});
      } else if (joinsChannels(&op)) {
        int64_t before = 0;
        for (Value operand : op.getOperands()) {
          if (classOf(operand) == of)
            findReaders(classOf(op.getResult(0)), offset + before, readers);
          before += lastDimension(operand);
        }
      }
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
  llvm::MapVector<Value, unsigned> numbers;
  llvm::IntEqClasses classes;
  llvm::BitVector fixed, isChosen; // by class, as are
  std::vector<Order> orders;
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
