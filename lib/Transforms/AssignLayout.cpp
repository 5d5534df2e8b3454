// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Convolutions and pools work channels-last; arguments, results and what cannot follow keep their layout. Every other
// operation may work in any layout: it gets the one that moves the fewest bytes. That is a labelling problem; a
// forward walk that carries channels-last on and a few sweeps of local improvement (iterated conditional modes,
// Besag 1986) solve it in linear time. Only where the layouts of a value and of its reader differ stands a transpose.

#include "Layout.h"
#include "dyadic/IR/Constants.h"
#include "dyadic/IR/Layers.h"
#include "dyadic/IR/Types.h"
#include "dyadic/Transforms/Passes.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {
#define GEN_PASS_DEF_ASSIGNLAYOUT
#include "dyadic/Transforms/Passes.h.inc"

static constexpr int kSweeps = 4;
/// Layouts that are tried for one operation: more would make values with many readers quadratic.
static constexpr size_t kMostCandidates = 6;

static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }
static bool isConstant(Value value) { return isa_and_nonnull<arith::ConstantOp>(value.getDefiningOp()); }
static bool slidesWindow(Operation *op) { return isa<ConvOp, MaxPoolOp, AvgPoolOp>(op); }

namespace {
/// The layouts of one function's operations and values, chosen without changing it.
class LayoutChoice {
public:
  explicit LayoutChoice(func::FuncOp function) : function(function) {}

  void run() {
    Block &block = function.front();
    for (Operation &op : block)
      start(&op);
    for (int sweep = 0; sweep < kSweeps; ++sweep)
      if (sweep % 2 == 0)
        for (Operation &op : llvm::reverse(block))
          improve(&op);
      else
        for (Operation &op : block)
          improve(&op);
  }

  /// The layout in which `op` reads its operands, parameters left out.
  ArrayRef<int64_t> ofOperands(Operation *op) const { return operands.find(op)->second; }
  /// The layout in which `value` is stored.
  Layout of(Value value) const {
    auto found = values.find(value);
    return found != values.end() ? found->second : identityLayout(typeOf(value).getRank());
  }
  /// Nothing but its operands' layouts decides about it.
  bool isFree(Operation *op) const { return operands.contains(op) && !slidesWindow(op); }
  bool hasLayout(Operation *op) const { return operands.contains(op); }

private:
  /// Channels-last for windows; for what is free the layout of the first operand that is not as the model has it.
  void start(Operation *op) {
    if (op->getNumOperands() == 0 || op->getNumResults() != 1 || !isa<QNNDialect>(op->getDialect()))
      return;
    int64_t rank = typeOf(op->getOperand(0)).getRank();
    Layout layout = identityLayout(rank);
    if (slidesWindow(op)) {
      if (!op->hasAttr("channels_last"))
        layout = channelsLastLayout(rank);
      operands[op] = values[op->getResult(0)] = layout;
      return;
    }
    if (!layoutAfter(op, layout))
      return;
    for (Value operand : op->getOperands().take_front(numLaidOut(op)))
      if (Layout found = of(operand); !isConstant(operand) && found != identityLayout(rank) && layoutAfter(op, found)) {
        layout = found;
        break;
      }
    set(op, layout);
  }

  void set(Operation *op, ArrayRef<int64_t> layout) {
    operands[op] = Layout(layout);
    values[op->getResult(0)] = *layoutAfter(op, layout);
  }

  /// The layout in which the reader wants the value of `use`.
  Layout wanted(OpOperand &use) const {
    auto found = operands.find(use.getOwner());
    if (found == operands.end() || use.getOperandNumber() >= numLaidOut(use.getOwner()))
      return identityLayout(typeOf(use.get()).getRank());
    return found->second;
  }

  /// Bytes that move, weighed so that a reshape costs less than any.
  static int64_t cost(Value value, ArrayRef<int64_t> from, ArrayRef<int64_t> to) {
    if (from == to)
      return 0;
    RankedTensorType type = typeOf(value);
    if (storeAlike(type.getShape(), from, to))
      return 1;
    return 16 * type.getNumElements() * ((type.getElementTypeBitWidth() + 7) / 8);
  }

  /// A value that a debugging build returns as well must not change the program.
  static bool isExposed(OpOperand &use) {
    auto terminator = dyn_cast<func::ReturnOp>(use.getOwner());
    return terminator && terminator->getParentOfType<func::FuncOp>().getResultAttr(use.getOperandNumber(), kValueAttr);
  }

  int64_t costOf(Operation *op, ArrayRef<int64_t> layout) const {
    int64_t sum = 0;
    for (Value operand : op->getOperands().take_front(numLaidOut(op)))
      if (!isConstant(operand))
        sum += cost(operand, of(operand), layout);
    Layout result = *layoutAfter(op, layout);
    for (OpOperand &use : op->getResult(0).getUses())
      if (!isExposed(use))
        sum += cost(use.get(), result, wanted(use));
    return sum;
  }

  void improve(Operation *op) {
    if (!isFree(op))
      return;
    SmallVector<Layout, kMostCandidates> candidates{operands[op]};
    auto add = [&](std::optional<Layout> layout) {
      if (layout && candidates.size() < kMostCandidates && !llvm::is_contained(candidates, *layout) &&
          layoutAfter(op, *layout))
        candidates.push_back(*layout);
    };
    for (Value operand : op->getOperands().take_front(numLaidOut(op)))
      if (!isConstant(operand))
        add(of(operand));
    for (OpOperand &use : op->getResult(0).getUses()) {
      if (candidates.size() == kMostCandidates)
        break;
      add(layoutBefore(op, wanted(use)));
    }
    if (candidates.size() == 1)
      return;
    int64_t least = costOf(op, candidates[0]);
    size_t best = 0;
    for (size_t i = 1; i < candidates.size(); ++i)
      if (int64_t found = costOf(op, candidates[i]); found < least) {
        least = found;
        best = i;
      }
    set(op, candidates[best]);
  }

  func::FuncOp function;
  DenseMap<Operation *, Layout> operands;
  DenseMap<Value, Layout> values; // others are stored as the model has them
};

/// Brings a function into the layouts of a choice.
class LayoutRewrite {
public:
  LayoutRewrite(func::FuncOp function, const LayoutChoice &choice) : function(function), choice(choice) {
    for (BlockArgument argument : function.getArguments())
      known[argument] = {argument, typeOf(argument), choice.of(argument)};
    for (Operation &op : function.front())
      for (Value result : op.getResults())
        known[result] = {result, typeOf(result), choice.of(result)};
  }

  void run() {
    for (Operation &op : llvm::make_early_inc_range(function.front()))
      rewrite(&op);
    for (Operation *op : llvm::reverse(dissolved))
      op->erase();
    eraseDead(function);
  }

private:
  struct Stored {
    Value value;
    RankedTensorType type; // of the value, not of what is stored
    Layout layout;
  };

  void rewrite(Operation *op) {
    for (OpOperand &use : op->getOpOperands()) {
      bool isLaidOut = choice.hasLayout(op) && use.getOperandNumber() < numLaidOut(op);
      int64_t rank = known[use.get()].type.getRank();
      Layout wanted = isLaidOut ? Layout(choice.ofOperands(op)) : identityLayout(rank);
      if (auto prelu = dyn_cast<PReluOp>(op); prelu && !isLaidOut)
        use.set(slopeIn(prelu, choice.ofOperands(op)));
      else
        use.set(valueIn(op, use.get(), wanted));
    }
    if (!choice.hasLayout(op))
      return;
    Stored &result = known[op->getResult(0)];
    if (isa<TransposeOp>(op)) {
      result.value = op->getOperand(0);
      dissolved.push_back(op);
      return;
    }
    if (slidesWindow(op) && choice.ofOperands(op) != ArrayRef<int64_t>(identityLayout(result.type.getRank())))
      op->setAttr("channels_last", UnitAttr::get(op->getContext()));
    else if (!isa<ReshapeOp>(op) && choice.isFree(op))
      rewriteAxes(op, choice.ofOperands(op));
    op->getResult(0).setType(storedType(result.type, result.layout));
  }

  /// `value` in `layout`, for `reader`.
  Value valueIn(Operation *reader, Value value, ArrayRef<int64_t> layout) {
    Stored stored = known[value];
    if (ArrayRef<int64_t>(stored.layout) == layout)
      return stored.value;
    auto &made = converted[value];
    for (auto &[madeLayout, result] : made)
      if (ArrayRef<int64_t>(madeLayout) == layout)
        return result;
    Value result = convert(reader, stored, layout);
    made.push_back({Layout(layout), result});
    return result;
  }

  Value convert(Operation *reader, const Stored &stored, ArrayRef<int64_t> layout) {
    OpBuilder builder(reader);
    Location location = stored.value.getLoc();
    RankedTensorType type = storedType(stored.type, layout);
    if (storeAlike(stored.type.getShape(), stored.layout, layout))
      return ReshapeOp::create(builder, location, type, stored.value, StringAttr());
    Layout at = inverseLayout(stored.layout), permutation;
    for (int64_t d : layout)
      permutation.push_back(at[d]);
    if (isConstant(stored.value))
      if (ConstantView view(stored.value); view)
        return makeConstant(builder, location, transposed(view, typeOf(stored.value).getShape(), permutation, type));
    auto transpose = TransposeOp::create(builder, location, type, stored.value,
                                         builder.getDenseI64ArrayAttr(permutation), StringAttr());
    if (!isBoundary(reader, stored.value))
      transpose.emitRemark() << "a transpose of " << stored.value.getType() << " remains inside of the program";
    return transpose;
  }

  /// True between an argument and what reads its numbers, or between a layer and what returns its value.
  static bool isBoundary(Operation *reader, Value value) {
    if (auto quantize = value.getDefiningOp<QuantizeOp>())
      value = quantize.getInput();
    auto returns = [](Operation *op) { return isa<func::ReturnOp>(op); };
    return isa<BlockArgument>(value) || returns(reader) ||
           (isa<DequantizeOp>(reader) && llvm::all_of(reader->getUsers(), returns));
  }

  /// The slope of a PReLU broadcasts to its operand and may have fewer dimensions.
  Value slopeIn(PReluOp op, ArrayRef<int64_t> layout) {
    Value slope = op.getSlope();
    RankedTensorType type = typeOf(slope);
    if (type.getNumElements() == 1 || ArrayRef<int64_t>(identityLayout(layout.size())) == layout)
      return known[slope].value;
    SmallVector<int64_t> shape(layout.size() - type.getRank(), 1);
    llvm::append_range(shape, type.getShape());
    RankedTensorType extended = type.clone(shape);
    OpBuilder builder(op);
    if (ConstantView view(slope); view)
      return makeConstant(builder, op.getLoc(), transposed(view, shape, layout, storedType(extended, layout)));
    Value whole = ReshapeOp::create(builder, op.getLoc(), extended, valueIn(op, slope, identityLayout(type.getRank())),
                                    StringAttr());
    return convert(op, {whole, extended, identityLayout(layout.size())}, layout);
  }

  func::FuncOp function;
  const LayoutChoice &choice;
  DenseMap<Value, Stored> known;
  DenseMap<Value, SmallVector<std::pair<Layout, Value>, 1>> converted;
  SmallVector<Operation *> dissolved;
};

struct AssignLayout : impl::AssignLayoutBase<AssignLayout> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      if (function.isExternal() || !function.getBody().hasOneBlock())
        continue;
      if (failed(check(function)))
        return signalPassFailure();
      LayoutChoice choice(function);
      choice.run();
      LayoutRewrite(function, choice).run();
    }
  }

private:
  static LogicalResult check(func::FuncOp function) {
    auto hasLevel = [](Value value) {
      return isa<RankedTensorType>(value.getType()) && levelOf(value.getType()) != Level::Quantized;
    };
    for (Value argument : function.getArguments())
      if (!hasLevel(argument))
        return function.emitError() << "argument of type " << argument.getType()
                                    << ", expected a tensor of the float or integer level";
    for (Operation &op : function.front())
      if (!llvm::all_of(op.getResults(), hasLevel))
        return op.emitError() << "'" << op.getName() << "' cannot be lowered, expected the float or integer level";
    return success();
  }
};
} // namespace
} // namespace dyadic
