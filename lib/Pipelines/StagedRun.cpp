// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "StagedRun.h"
#include "Parallel.h"
#include "dyadic/IR/Constants.h"
#include "dyadic/IR/Layers.h"
#include "dyadic/IR/TensorTypes.h"
#include "dyadic/IR/Types.h"
#include "dyadic/Pipelines/Diagnostics.h"
#include "dyadic/Support/Error.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

/// The operations that `wanted` depend on, up to values for which `isKnown` holds.
static llvm::DenseSet<Operation *> ancestors(ValueRange wanted, llvm::function_ref<bool(Value)> isKnown) {
  llvm::DenseSet<Operation *> found;
  SmallVector<Value> open(wanted.begin(), wanted.end());
  while (!open.empty()) {
    Value next = open.pop_back_val();
    Operation *op = next.getDefiningOp();
    if (op && !isKnown(next) && found.insert(op).second)
      llvm::append_range(open, op->getOperands());
  }
  return found;
}

StagedRun::StagedRun(func::FuncOp function, qnn::Rounding rounding, ArrayRef<Operation *> goals)
    : function(function), rounding(rounding) {
  for (Operation *goal : goals) {
    this->goals.insert(goal);
    for (Operation *op : ancestors(goal->getOperand(0), [](Value) { return false; }))
      needed.insert(op);
  }
  for (BlockArgument argument : function.getArguments())
    values[argument]; // also where there are no samples yet
}

bool StagedRun::goToEnd() {
  Operation *end = function.front().getTerminator();
  if (llvm::any_of(end->getOperands(), [](Value output) { return bool(ConstantView(output)); }))
    return false;
  rest = ancestors(end->getOperands(), [](Value) { return false; });
  goals.insert(end);
  return true;
}

static Type elementOf(Value value) { return cast<RankedTensorType>(value.getType()).getElementType(); }

static uint64_t bytesOf(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  unsigned bits = isa<quant::QuantizedType>(elementOf(value)) ? storageType(elementOf(value)).getIntOrFloatBitWidth()
                                                              : elementOf(value).getIntOrFloatBitWidth();
  return static_cast<uint64_t>(type.getNumElements()) * ((bits + 7) / 8);
}

uint64_t StagedRun::bytesPerSample() {
  // In program order, each value from where it is made to its last use.
  llvm::DenseMap<Operation *, uint64_t> ends;
  uint64_t live = 0, most = 0;
  auto begin = [&](Value value) {
    Operation *last = nullptr;
    for (Operation *user : value.getUsers())
      if (isPending(user) && (!last || last->isBeforeInBlock(user)))
        last = user;
    if (last) {
      live += bytesOf(value);
      ends[last] += bytesOf(value);
    }
  };
  for (BlockArgument argument : function.getArguments())
    begin(argument);
  for (Operation &op : function.front()) {
    for (Value result : op.getResults())
      if (!ConstantView(result))
        begin(result);
    most = std::max(most, live);
    live -= ends.lookup(&op);
  }
  return most;
}

void StagedRun::addSample(const Sample &sample) {
  for (auto [argument, tensor] : llvm::zip(function.getArguments(), sample.inputs)) {
    std::optional<QuantInfo> info = quantInfo(elementOf(argument));
    if (!info) {
      values[argument].push_back(tensor);
      continue;
    }
    Tensor stored(*elementTypeOf(storageType(elementOf(argument))), tensor.shape);
    for (int64_t i = 0, n = tensor.size(); i < n; ++i)
      stored.setInt(i, dyadic::quantize(tensor.as<float>()[i], static_cast<float>(info->scales[0]), info->zeroPoint,
                                        info->min, info->max));
    values[argument].push_back(std::move(stored));
  }
  ++count;
}

/// True for what has yet to run and will.
bool StagedRun::isPending(Operation *user) const {
  return goals.contains(user) || ((needed.contains(user) || rest.contains(user)) && !done.contains(user));
}

bool StagedRun::isNeeded(Value value) const {
  return value == current || llvm::any_of(value.getUsers(), [&](Operation *user) { return isPending(user); });
}

bool StagedRun::isHeldAt(Operation *goal, Value value) const {
  llvm::DenseSet<Operation *> before = ancestors(goal->getOperand(0), [](Value) { return false; });
  return value.getDefiningOp() && before.contains(value.getDefiningOp()) &&
         llvm::any_of(value.getUsers(),
                      [&](Operation *user) { return needed.contains(user) && !before.contains(user); });
}

void StagedRun::dropUnneeded() {
  values.remove_if([&](const auto &entry) { return !isNeeded(entry.first); });
}

SmallVector<Operation *> StagedRun::pieceBefore(ValueRange wanted) const {
  llvm::DenseSet<Operation *> found = ancestors(wanted, [&](Value v) { return values.contains(v); });
  SmallVector<Operation *> piece(found.begin(), found.end());
  llvm::sort(piece, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  return piece;
}

llvm::Error StagedRun::advanceTo(Operation *goal) {
  goals.erase(goal);
  current = goal->getOperand(0);
  if (!values.contains(current))
    if (llvm::Error error = run(pieceBefore(current)))
      return error;
  dropUnneeded();
  return llvm::Error::success();
}

llvm::Error StagedRun::finish() {
  SmallVector<Operation *> piece = pieceBefore(function.front().getTerminator()->getOperands());
  return piece.empty() ? llvm::Error::success() : run(piece);
}

std::vector<Tensor> StagedRun::outputs(size_t sample) {
  std::vector<Tensor> outputs;
  for (Value output : function.front().getTerminator()->getOperands()) {
    TensorInfo info;
    if (std::optional<QuantInfo> quantized = quantInfo(elementOf(output))) {
      info.axis = quantized->axis;
      info.scales.assign(quantized->scales.begin(), quantized->scales.end());
      info.zeroPoint = quantized->zeroPoint;
    }
    outputs.push_back(realNumbers(held(output, sample), info));
  }
  return outputs;
}

namespace {
/// Operations as a program of their own: what they read from outside comes in, what is asked for goes out.
struct Piece {
  SmallVector<Value> inputs, outputs;
  OwningOpRef<ModuleOp> module;
};
} // namespace

static Piece isolate(ArrayRef<Operation *> ops, llvm::function_ref<bool(Value)> isAskedFor) {
  Piece piece;
  Location location = ops.front()->getLoc();
  OpBuilder builder(ops.front()->getContext());
  llvm::SmallPtrSet<Operation *, 16> inside(ops.begin(), ops.end());
  llvm::SetVector<Value> inputs;
  for (Operation *op : ops) {
    for (Value operand : op->getOperands())
      if (!operand.getDefiningOp() || !inside.contains(operand.getDefiningOp()))
        inputs.insert(operand);
    for (Value result : op->getResults())
      if (!ConstantView(result) && isAskedFor(result))
        piece.outputs.push_back(result);
  }
  piece.inputs = inputs.takeVector();
  piece.module = ModuleOp::create(location);
  builder.setInsertionPointToStart(piece.module->getBody());
  auto function = func::FuncOp::create(
      builder, location, "piece",
      builder.getFunctionType(TypeRange(ValueRange(piece.inputs)), TypeRange(ValueRange(piece.outputs))));
  Block *block = function.addEntryBlock();
  builder.setInsertionPointToStart(block);
  IRMapping mapping;
  mapping.map(piece.inputs, block->getArguments());
  for (Operation *op : ops)
    builder.clone(*op, mapping);
  SmallVector<Value> results;
  for (Value output : piece.outputs)
    results.push_back(mapping.lookup(output));
  func::ReturnOp::create(builder, location, results);
  return piece;
}

llvm::Error StagedRun::run(ArrayRef<Operation *> ops) {
  done.insert(ops.begin(), ops.end());
  Piece piece = isolate(ops, [&](Value value) { return isNeeded(value); });
  DiagnosticCollector diagnostics(function.getContext());
  PassManager manager(function.getContext());
  manager.enableVerifier(false); // a tenth of the time that a piece takes
  IntegerPipelineOptions options;
  options.rounding = rounding;
  buildIntegerPipeline(manager, options);
  if (failed(manager.run(*piece.module)))
    return diagnostics.takeError("program", "cannot be rewritten to integers");
  llvm::Expected<std::unique_ptr<Program>> program =
      jitModule(*piece.module, /*exposeValues=*/false, CodeEffort::Quick);
  if (!program)
    return program.takeError();

  std::vector<std::vector<Tensor> *> inputs, outputs;
  for (Value output : piece.outputs)
    values[output].resize(count);
  for (Value input : piece.inputs)
    inputs.push_back(&values.find(input)->second);
  for (Value output : piece.outputs)
    outputs.push_back(&values.find(output)->second);
  return parallelFor(count, [&](size_t sample) -> llvm::Error {
    std::vector<const Tensor *> tensors;
    for (const std::vector<Tensor> *input : inputs)
      tensors.push_back(&(*input)[sample]);
    std::string error;
    std::unique_ptr<Program::Call> call = (*program)->prepare(tensors, 1, error);
    if (!call)
      return makeError(error);
    if (!call->run())
      return makeError("run returned status " + llvm::Twine(call->status));
    for (auto [output, tensor] : llvm::zip(outputs, call->outputs))
      (*output)[sample] = std::move(tensor);
    return llvm::Error::success();
  });
}

} // namespace dyadic
