// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "QuantizationDecisions.h"
#include "dyadic/IR/Types.h"
#include "dyadic/IR/Window.h"
#include "dyadic/Support/Error.h"
#include "dyadic/Support/ShortProducts.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

/// A score this far below another has no weight: exp(-22) is below the resolution of a softmax's tables, 2^-30.
static constexpr float kNoWeight = 22.0f;

//===----------------------------------------------------------------------===//
// Questions about the graph
//===----------------------------------------------------------------------===//

Value behindRanges(Value value) {
  while (auto range = value.getDefiningOp<RangeOp>())
    value = range.getInput();
  return value;
}

RangeOp rangeAfter(Value value) {
  for (Operation *user : value.getUsers())
    if (auto range = dyn_cast<RangeOp>(user))
      return range;
  return nullptr;
}

SmallVector<OpOperand *> realUses(Value value) {
  SmallVector<OpOperand *> uses;
  for (OpOperand &use : value.getUses()) {
    if (auto range = dyn_cast<RangeOp>(use.getOwner()))
      llvm::append_range(uses, realUses(range.getOutput()));
    else
      uses.push_back(&use);
  }
  return uses;
}

StringRef idOf(Operation *op) {
  StringAttr id = cast<LayerOpInterface>(op).getIdAttr();
  return id ? id.getValue() : StringRef();
}

std::optional<int64_t> uniformCount(AvgPoolOp pool) {
  Window window = windowOf(pool);
  int64_t count = 1;
  for (size_t d = 0; d < window.rank(); ++d) {
    int64_t first = window.countInside(d, 0);
    for (int64_t o = 1; o < window.output[d]; ++o)
      if (window.countInside(d, o) != first)
        return std::nullopt;
    count *= first;
  }
  return count;
}

bool isSoftmax(Value value) { return isa_and_nonnull<SoftmaxOp>(value.getDefiningOp()); }

bool isReadOnlyBy(Value value, llvm::function_ref<bool(Operation *)> isReader) {
  SmallVector<OpOperand *> uses = realUses(value);
  return !uses.empty() && llvm::all_of(uses, [&](OpOperand *use) {
    Operation *user = use->getOwner();
    return isReader(user) || (user->hasTrait<PassThrough>() && isReadOnlyBy(user->getResult(0), isReader));
  });
}

bool isReadBySoftmax(Value value) {
  return isReadOnlyBy(value, [](Operation *user) { return isa<SoftmaxOp>(user); });
}

/// True where `reader` alone reads the value, through moves of it.
static bool isReadBy(Value value, Operation *reader) {
  SmallVector<OpOperand *> uses = realUses(value);
  return llvm::all_of(uses, [&](OpOperand *use) {
    Operation *user = use->getOwner();
    return user == reader || (user->hasTrait<PassThrough>() && isReadBy(user->getResult(0), reader));
  });
}

/// True where max pools alone read the pad's result and no window lies in the border
/// alone: then a border below every number is never a result.
static bool isHiddenByMaxPools(PadOp pad) {
  SmallVector<OpOperand *> uses = realUses(pad.getOutput());
  return !uses.empty() && llvm::all_of(uses, [&](OpOperand *use) {
    auto pool = dyn_cast<MaxPoolOp>(use->getOwner());
    std::optional<Window> window = pool ? windowBefore(pad, windowOf(pool)) : std::nullopt;
    return window && window->alwaysTouchesInput();
  });
}

Value QuantizationDecisions::storageRoot(Value value) const {
  value = behindRanges(value);
  while (!storages.contains(value) && value.getDefiningOp() && value.getDefiningOp()->hasTrait<PassThrough>())
    value = behindRanges(value.getDefiningOp()->getOperand(0));
  return value;
}

const Storage *QuantizationDecisions::storageOf(Value value) const {
  auto found = storages.find(storageRoot(value));
  return found == storages.end() ? nullptr : &found->second;
}

bool QuantizationDecisions::isFloatLayer(Operation *op) const {
  auto entry = plan.layers.find(idOf(op).str());
  return entry != plan.layers.end() && entry->second.isFloat.value_or(false);
}

bool QuantizationDecisions::carriesExit(Operation *op) const { return op && isMove(op) && !isFloatLayer(op); }

ArrayRef<unsigned> QuantizationDecisions::exitBits(Operation *op) const {
  auto found = exitRoots.find(op);
  return found == exitRoots.end() ? ArrayRef<unsigned>() : ArrayRef<unsigned>(found->second);
}

unsigned QuantizationDecisions::outputBits(unsigned index) const {
  return plan.io == BoundaryMode::Float ? 32 : plan.outputBits.at(resultName(function, index).str());
}

Type QuantizationDecisions::outputType(Value root, unsigned bits) const {
  const Storage &storage = *storageOf(root);
  if (isSoftmax(storageRoot(root)) && bits == kSoftmaxBits)
    return storage.type; // it leaves as it is
  AffineParameters p = chooseAffine(storage.min, storage.max, storageRange(bits, true));
  return perTensorType(storage.type.getContext(), bits, true, p.scale, p.zeroPoint);
}

//===----------------------------------------------------------------------===//
// Decisions
//===----------------------------------------------------------------------===//

LogicalResult QuantizationDecisions::decide() {
  if (failed(decideWidths()) || failed(readRanges()))
    return failure();
  // Borders may need a storage of their own, with a width.
  collectBorders();
  if (failed(checkMoves()) || failed(chooseWidths()))
    return failure();
  chooseTypes();
  completeLayers();
  return chooseAccumulators();
}

LogicalResult withDecidedWidths(ModuleOp module, const Plan &plan,
                                function_ref<void(func::FuncOp, QuantizationDecisions &)> read) {
  func::FuncOp function = entryFunction(module);
  if (!function)
    return module.emitError() << "module has no single entry function";
  Plan copy = plan;
  QuantizationDecisions decisions(function, copy);
  if (failed(decisions.decideWidths()))
    return failure();
  read(function, decisions);
  return success();
}

LogicalResult QuantizationDecisions::decideWidths() {
  if (failed(checkIds()) || failed(collectStorages()))
    return failure();
  return chooseWidths();
}

/// Plans name existing layers only: a misspelt id must not be ignored.
LogicalResult QuantizationDecisions::checkIds() {
  std::map<std::string, Operation *> ids;
  std::map<std::string, StringRef> absorbed; // activations, with the layer that has them
  for (Operation *op : layersOf(function)) {
    ids[idOf(op).str()] = op;
    for (Operation *activation : absorbedBy(op))
      absorbed[idOf(activation).str()] = idOf(op);
  }
  auto unknown = [&](StringRef section, const std::string &id) {
    auto found = absorbed.find(id);
    std::string which = found == absorbed.end() ? "the model does not have"
                                                : "belongs to layer '" + escaped(found->second) + "', expected that";
    return function.emitError() << "plan: '" << section << "' names '" << escaped(id) << "', which " << which;
  };
  for (auto &[id, layer] : plan.layers) {
    auto found = ids.find(id);
    if (found == ids.end())
      return unknown("layers", id);
    if (layer.weights && !isa<ConvOp, MatmulOp>(found->second))
      return function.emitError() << "plan: layer '" << escaped(id) << "' has no weights, but the plan gives it "
                                  << *layer.weights << " bits of them";
  }
  for (auto &[id, value] : plan.values) {
    bool isInput = llvm::any_of(function.getArguments(), [&, name = id](BlockArgument a) {
      return argumentName(function, a.getArgNumber()) == name;
    });
    if (!isInput && !ids.count(id))
      return unknown("values", id);
  }
  for (auto &[id, operand] : plan.adds)
    if (!ids.count(id) || !isa<AddOp, SubOp>(ids[id]))
      return unknown("adds", id);
  for (auto &[cpu, layers] : plan.schedules)
    for (auto &[id, schedule] : layers)
      if (auto found = ids.find(id); found == ids.end() || !isa<ConvOp, MatmulOp>(found->second))
        return found == ids.end() ? unknown("schedules", id)
                                  : function.emitError() << "plan: 'schedules' names '" << escaped(id)
                                                         << "', expected a convolution or matmul";
  for (auto &[name, bits] : plan.outputBits) {
    bool isOutput = false;
    for (unsigned i = 0; i < function.getNumResults(); ++i)
      isOutput |= resultName(function, i) == name;
    if (!isOutput)
      return unknown("outputs", name);
  }
  return success();
}

/// A layer that moves numbers has no width to choose (but a pad may, for its border).
LogicalResult QuantizationDecisions::checkMoves() {
  for (Operation *op : layersOf(function)) {
    if (!op->hasTrait<PassThrough>() || isa<PadOp>(op) || !plan.values.count(idOf(op).str()))
      continue;
    const Storage *storage = storageOf(op->getResult(0));
    return function.emitError() << "plan: 'values' names '" << escaped(idOf(op)) << "', which moves the numbers of '"
                                << escaped(storage ? storage->id : "a constant") << "', expected that";
  }
  return success();
}

/// A border outside of its operand's range gets a range of its own, which contains both.
void QuantizationDecisions::collectBorder(PadOp pad) {
  const Storage *operand = storageOf(pad.getInput());
  if (!operand)
    return;
  float border = pad.getValue().convertToFloat(), min = std::min(operand->min, 0.0f),
        max = std::max(operand->max, 0.0f);
  // Stored as the smallest number, it is as good.
  if (border < min && isHiddenByMaxPools(pad))
    return;
  if (isReadBySoftmax(pad.getOutput()))
    border = std::max(border, min - kNoWeight);
  if (border >= min && border <= max)
    return;
  Storage storage;
  storage.id = idOf(pad).str();
  storage.min = std::min(min, border);
  storage.max = std::max(max, border);
  storage.operandMin = std::min(operand->operandMin, border);
  storage.operandMax = std::max(operand->operandMax, border);
  storages[pad.getOutput()] = storage;
}

void QuantizationDecisions::collectBorders() {
  for (Operation *op : layersOf(function))
    if (auto pad = dyn_cast<PadOp>(op))
      collectBorder(pad);
}

/// One storage for every argument and for every layer that computes numbers.
LogicalResult QuantizationDecisions::collectStorages() {
  auto add = [&](Value value, StringRef id, ActivationBounds bounds) {
    Storage storage;
    storage.id = id.str();
    storage.bounds = bounds;
    storages[value] = storage;
  };
  for (BlockArgument argument : function.getArguments())
    add(argument, argumentName(function, argument.getArgNumber()), {});
  for (Operation *op : layersOf(function)) {
    if (op->hasTrait<PassThrough>())
      continue;
    if (isa<BatchNormOp>(op))
      return op->emitError() << "'" << op->getName()
                             << "' at the calibrated level, expected quant-fold-constants to run first";
    SmallVector<Operation *> activations = absorbedBy(op);
    if (std::optional<ActivationBounds> own = boundsOf(op))
      add(op->getResult(0), idOf(op), *own);
    else
      add(layerValue(op), idOf(op), activationBounds(activations));
  }
  return success();
}

/// The ranges of the calibrated graph, within the bounds of activations.
LogicalResult QuantizationDecisions::readRanges() {
  for (auto &[value, storage] : storages) {
    RangeOp range = rangeAfter(value);
    if (!range)
      return emitError(value.getLoc()) << "value '" << escaped(storage.id)
                                       << "' has no qnn.range, expected a calibrated graph";
    const ActivationBounds &bounds = storage.bounds;
    auto bounded = [&](float number) { return std::min(std::max(number, bounds.min), bounds.max); };
    storage.min = bounded(range.getMin().convertToFloat());
    storage.max = bounded(range.getMax().convertToFloat());
    // A value that calibration saw as 0 alone still needs a range that clamps to the bounds.
    if (storage.min == 0 && storage.max == 0 && (std::isfinite(bounds.min) || std::isfinite(bounds.max))) {
      storage.min = std::max(bounds.min, -1.0f);
      storage.max = std::min(bounds.max, 1.0f);
    }
    storage.operandMin = range.getOperandMin() ? bounded(range.getOperandMin()->convertToFloat()) : storage.min;
    storage.operandMax = range.getOperandMax() ? bounded(range.getOperandMax()->convertToFloat()) : storage.max;
  }
  return success();
}

void QuantizationDecisions::chooseTypes() {
  for (auto &[value, storage] : storages) {
    AffineParameters p = chooseAffine(storage.min, storage.max, storageRange(storage.bits, storage.isSigned));
    if (isSoftmax(value))
      p = {std::ldexp(1.0f, -kSoftmaxBits), 0};
    storage.type = perTensorType(function.getContext(), storage.bits, storage.isSigned, p.scale, p.zeroPoint);
    plan.values[storage.id] = {storage.bits, storage.isSigned, std::nullopt};
    if (storage.operandBits == storage.bits)
      continue;
    bool isSigned = storage.isSigned && storage.bits < 16;
    AffineParameters o =
        chooseAffine(storage.operandMin, storage.operandMax, storageRange(storage.operandBits, isSigned));
    storage.operandType = perTensorType(function.getContext(), storage.operandBits, isSigned, o.scale, o.zeroPoint);
    plan.values[storage.id].operandBits = storage.operandBits;
  }
  SmallVector<Operation *> layers = layersOf(function);
  for (Operation *op : layers)
    if (isa<AddOp>(op) && !isFloatLayer(op))
      shortenScale(op);
  // A branch that a concatenation (or a pad with a range of its own) alone reads is
  // rounded once, to the scale of the result; the last one first, so that nested ones
  // share a scale too.
  for (Operation *op : llvm::reverse(layers))
    if ((isa<ConcatOp>(op) || (isa<PadOp>(op) && storages.contains(op->getResult(0)))) && !isFloatLayer(op))
      for (Value operand : op->getOperands())
        shareScale(storageRoot(operand), op);
}

/// Where a sum reads an accumulator, the other operand's scale over the result's becomes a number of few bits
/// (docs/Arithmetic.md, section 5): the result's scale moves by up to 2^-12 of itself.
void QuantizationDecisions::shortenScale(Operation *add) {
  Operation *candidate = accumulatorOperand(add);
  auto found = storages.find(layerValue(add));
  auto entry = plan.adds.find(idOf(add).str());
  bool readsValues = !candidate || (entry != plan.adds.end() && entry->second == AddOperand::Value);
  // Another scale would not clamp to an activation's bound.
  if (readsValues || found == storages.end() || std::isfinite(found->second.bounds.max) ||
      found->second.bits >= kShortBits)
    return;
  bool isLeft = behindRanges(add->getOperand(0)).getDefiningOp() == candidate;
  const Storage *other = storageOf(add->getOperand(isLeft ? 1 : 0));
  Storage &result = found->second;
  if (!other || other == &result)
    return;
  double ratio = roundToBits(other->type.getScale() / result.type.getScale(), kShortBits);
  auto scale = static_cast<float>(other->type.getScale() / ratio);
  if (!std::isnormal(scale))
    return;
  StorageRange range = storageRange(result.bits, result.isSigned);
  double zeroPoint = roundHalfEven(static_cast<double>(range.min) - std::min(0.0f, result.min) / double(scale));
  result.type = perTensorType(function.getContext(), result.bits, result.isSigned, scale,
                              clampTo(static_cast<int64_t>(zeroPoint), range.min, range.max));
}

void QuantizationDecisions::shareScale(Value branch, Operation *reader) {
  auto found = storages.find(branch);
  const Storage &target = storages[reader->getResult(0)];
  // A range wider than an activation's bounds would not clamp to them; nor would the type of
  // an empty range, which is as wide as its integers.
  bool isBounded =
      found != storages.end() && (std::isfinite(found->second.bounds.min) || std::isfinite(found->second.bounds.max));
  if ((isBounded && target.min == 0 && target.max == 0) || found == storages.end() || isa<BlockArgument>(branch) ||
      isSoftmax(branch) || target.min < found->second.bounds.min || target.max > found->second.bounds.max ||
      found->second.bits != target.bits || found->second.isSigned != target.isSigned || !isReadBy(branch, reader))
    return;
  found->second.min = target.min;
  found->second.max = target.max;
  found->second.type = target.type;
}

/// Every layer with weights is named in the complete plan.
void QuantizationDecisions::completeLayers() {
  for (Operation *op : layersOf(function))
    if (isa<ConvOp, MatmulOp>(op)) {
      LayerPlan &layer = plan.layers[idOf(op).str()];
      layer.weights = layer.weights.value_or(plan.weightBits);
      auto input = storages.find(storageRoot(op->getOperand(0)));
      layer.activations = input == storages.end() ? plan.activationBits : input->second.operandBits;
      layer.isFloat = layer.isFloat.value_or(false);
    }
}

/// True where the layer's accumulator can be read: nothing was absorbed, and it has one
/// scale a channel (or one in all), so that a type can say it.
bool QuantizationDecisions::canAccumulate(Operation *op) const {
  if (!op || !accumulates(op) || !absorbedBy(op).empty() || isFloatLayer(op))
    return false;
  auto pool = dyn_cast<AvgPoolOp>(op);
  return !pool || uniformCount(pool).has_value();
}

LogicalResult QuantizationDecisions::chooseAccumulators() {
  for (Operation *op : layersOf(function)) {
    if (isFloatLayer(op))
      continue;
    if (isa<AddOp, SubOp>(op) && failed(chooseAddOperand(op)))
      return failure();
    if (isa<PReluOp>(op))
      if (Value x = behindRanges(op->getOperand(0)); canAccumulate(x.getDefiningOp()) && realUses(x).size() == 1)
        addRoots.insert(x.getDefiningOp());
  }
  for (auto [i, result] : llvm::enumerate(function.front().getTerminator()->getOperands())) {
    std::string name = resultName(function, i).str();
    if (plan.io == BoundaryMode::Integer) {
      unsigned &bits = plan.outputBits[name];
      bits = bits == 0 ? (isSoftmax(storageRoot(result)) ? kSoftmaxBits : kOutputBits) : bits;
    }
    // A float output read from the accumulator.
    Value value = behindRanges(result);
    while (carriesExit(value.getDefiningOp()))
      value = behindRanges(value.getDefiningOp()->getOperand(0));
    if (canAccumulate(value.getDefiningOp()))
      exitRoots[value.getDefiningOp()].push_back(outputBits(i));
  }
  for (auto &[op, bits] : exitRoots) {
    llvm::sort(bits);
    bits.erase(llvm::unique(bits), bits.end());
  }
  return success();
}

Operation *QuantizationDecisions::accumulatorOperand(Operation *add) const {
  // The later operand is the one whose kernel can take the addition in.
  Operation *candidate = nullptr;
  for (Value operand : add->getOperands()) {
    Value value = behindRanges(operand);
    Operation *producer = value.getDefiningOp();
    if (!canAccumulate(producer) || realUses(value).size() != 1)
      continue;
    if (!candidate || candidate->isBeforeInBlock(producer))
      candidate = producer;
  }
  return candidate;
}

LogicalResult QuantizationDecisions::chooseAddOperand(Operation *add) {
  Operation *candidate = accumulatorOperand(add);
  std::string id = idOf(add).str();
  auto entry = plan.adds.find(id);
  if (entry != plan.adds.end() && entry->second == AddOperand::Accumulator && !candidate)
    return add->emitError()
           << "plan: addition '" << escaped(id)
           << "' reads an accumulator, but no operand is a convolution, matmul or average pool used by it alone";
  AddOperand choice =
      entry != plan.adds.end() ? entry->second : (candidate ? AddOperand::Accumulator : AddOperand::Value);
  plan.adds[id] = choice;
  if (choice == AddOperand::Accumulator)
    addRoots.insert(candidate);
  return success();
}

} // namespace dyadic
