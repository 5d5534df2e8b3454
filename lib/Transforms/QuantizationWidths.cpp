// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How many bits every stored value has: what the plan says, or the layers that read it
// ask for, or a default.

#include "QuantizationDecisions.h"
#include "dyadic/IR/Window.h"
#include "dyadic/Support/Error.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

/// The least bits of what an addition, a product of elements or a pool reads: they cost as many bytes as fewer, and
/// what is narrow are the operands of matrices.
static constexpr unsigned kSumBits = 8;

/// True where no convolution or matmul depends on the value.
static bool isInTail(Value value) {
  llvm::SmallPtrSet<Operation *, 16> seen;
  SmallVector<Value> open{value};
  while (!open.empty())
    for (Operation *user : open.pop_back_val().getUsers()) {
      if (isa<ConvOp, MatmulOp>(user))
        return false;
      if (user->getNumResults() == 1 && seen.insert(user).second)
        open.push_back(user->getResult(0));
    }
  return true;
}

/// True where `isReader` holds for one that reads the value, moves of it looked through.
static bool hasReader(Value value, llvm::function_ref<bool(Operation *)> isReader) {
  return llvm::any_of(realUses(value), [&](OpOperand *use) {
    Operation *user = use->getOwner();
    return isReader(user) || (user->hasTrait<PassThrough>() && hasReader(user->getResult(0), isReader));
  });
}

/// True where an operation that multiplies no matrices adds numbers of the value up, or multiplies them one by one.
static bool hasSummingReader(Value value) {
  return hasReader(value, llvm::IsaPred<AddOp, SubOp, MulOp, AvgPoolOp, InterpolateOp>);
}

/// The most bits that an average pool can sum in 31, where one reads the value.
static unsigned poolBits(Value value) {
  unsigned bits = 16;
  for (OpOperand *use : realUses(value)) {
    Operation *user = use->getOwner();
    if (auto pool = dyn_cast<AvgPoolOp>(user))
      bits = std::min(bits, 31 - std::min(29u, llvm::Log2_64_Ceil(windowOf(pool).volume())));
    else if (user->hasTrait<PassThrough>())
      bits = std::min(bits, poolBits(user->getResult(0)));
  }
  return bits;
}

/// More than the plan's default where that costs next to nothing: 16 bits where no
/// multiplication of matrices follows (the tail of a network: its outputs, scores, boxes)
/// and for scores that only a softmax reads, kTableBits where only tables do.
unsigned QuantizationDecisions::defaultBits(Value value) const {
  unsigned bits = plan.activationBits;
  if (isReadBySoftmax(value))
    return 16;
  if (plan.isUniform)
    return bits;
  if (!isa<BlockArgument>(value) && isInTail(value))
    return std::max(bits, poolBits(value));
  if (isReadOnlyBy(value, [](Operation *user) { return isa<MapOp>(user); }))
    return std::max(bits, kTableBits);
  return bits;
}

/// The widths that layers ask of the values they read.
LogicalResult QuantizationDecisions::readAskedWidths(std::map<void *, std::pair<unsigned, std::string>> &asked) {
  for (Operation *op : layersOf(function)) {
    auto entry = plan.layers.find(idOf(op).str());
    if (entry == plan.layers.end() || !entry->second.activations)
      continue;
    unsigned bits = *entry->second.activations;
    for (Value operand : op->getOperands()) {
      Value root = storageRoot(operand);
      if (!storages.count(root))
        continue;
      auto [previous, isNew] = asked.try_emplace(root.getAsOpaquePointer(), bits, entry->first);
      auto fixed = plan.values.find(storages[root].id);
      bool isFixed = fixed != plan.values.end() && fixed->second.bits;
      if (!isNew && previous->second.first != bits && !isFixed)
        return function.emitError() << "plan: layers '" << escaped(previous->second.second) << "' and '"
                                    << escaped(entry->first) << "' read '" << escaped(storages[root].id) << "' with "
                                    << previous->second.first << " and " << bits << " bits, expected one width";
    }
  }
  return success();
}

/// Convolutions and matmuls read the value with the bits that were chosen until now, or with those that the plan says;
/// what sums read besides is stored with more.
LogicalResult QuantizationDecisions::chooseOperandBits(Value value, Storage &storage) {
  auto entry = plan.values.find(storage.id);
  std::optional<unsigned> stored, operands;
  if (entry != plan.values.end()) {
    stored = entry->second.bits;
    operands = entry->second.operandBits;
  }
  storage.operandBits = operands.value_or(storage.bits);
  if (!stored && !plan.isUniform && hasSummingReader(value))
    storage.bits = std::max(storage.bits, kSumBits);
  if (storage.operandBits > storage.bits)
    return function.emitError() << "plan: value '" << escaped(storage.id) << "' has " << storage.bits
                                << " bits and is read with " << storage.operandBits << ", expected at most as many";
  if (!hasReader(value, llvm::IsaPred<ConvOp, MatmulOp>))
    storage.operandBits = storage.bits;
  return success();
}

/// Widths and signs: `values` entries, then `activations` of the layers that read the
/// value, then the default.
LogicalResult QuantizationDecisions::chooseWidths() {
  std::map<void *, std::pair<unsigned, std::string>> asked;
  if (failed(readAskedWidths(asked)))
    return failure();
  for (auto &[value, storage] : storages) {
    storage.bits = defaultBits(value);
    if (auto found = asked.find(value.getAsOpaquePointer()); found != asked.end())
      storage.bits = found->second.first;
    std::optional<bool> isSigned;
    if (auto entry = plan.values.find(storage.id); entry != plan.values.end()) {
      storage.bits = entry->second.bits.value_or(storage.bits);
      isSigned = entry->second.isSigned;
    }
    if (isSoftmax(value)) {
      if (storage.bits != kSoftmaxBits && plan.values.count(storage.id) && plan.values[storage.id].bits)
        return function.emitError() << "plan: softmax '" << escaped(storage.id) << "' has " << storage.bits
                                    << " bits, expected " << kSoftmaxBits;
      storage.bits = kSoftmaxBits;
      isSigned = false;
      storage.operandBits = storage.bits;
    } else if (failed(chooseOperandBits(value, storage))) {
      return failure();
    }
    storage.isSigned = isSigned.value_or(storage.bits > 15);
    if (!storage.isSigned && storage.bits > 15)
      return function.emitError() << "plan: value '" << escaped(storage.id) << "' has " << storage.bits
                                  << " unsigned bits, expected at most 15";
  }
  return success();
}

std::map<std::string, RangeWidths> QuantizationDecisions::rangeWidths() {
  std::map<std::string, RangeWidths> widths;
  for (const auto &[value, storage] : storages) {
    RangeWidths &width = widths[storage.id] = {storage.bits};
    if (storage.operandBits != storage.bits)
      width.operands = storage.operandBits;
  }
  if (plan.io == BoundaryMode::Integer)
    for (auto [i, result] : llvm::enumerate(function.front().getTerminator()->getOperands()))
      if (const Storage *storage = storageOf(result)) {
        auto asked = plan.outputBits.find(resultName(function, i).str());
        unsigned bits = asked == plan.outputBits.end() ? kOutputBits : asked->second;
        widths[storage->id].stored = std::max(widths[storage->id].stored, bits);
      }
  return widths;
}

} // namespace dyadic
