// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The layout pass runs over the whole program, so that values lie channels-last between layers; then every layer, with
// the activations that it absorbs, becomes a module of its own and is packed by itself. Its packed constants become
// arguments. Their order is found out by packing numbers that count: whatever packing does, it moves them alone.

#include "dyadic/Pipelines/LayerwiseProgram.h"
#include "Parallel.h"
#include "dyadic/IR/Constants.h"
#include "dyadic/IR/Fingerprint.h"
#include "dyadic/IR/Layers.h"
#include "dyadic/IR/TensorTypes.h"
#include "dyadic/Pipelines/Compiler.h"
#include "dyadic/Pipelines/Diagnostics.h"
#include "dyadic/Support/ArenaPlanner.h"
#include "dyadic/Support/Error.h"
#include "dyadic/Target/FloatUnit.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

void StorageGrid::round(llvm::MutableArrayRef<float> numbers) const {
  // In float: where the quotient is that near to a tie, either neighbour is as good. Adding 1.5 * 2^23 rounds to
  // integers, ties to even.
  constexpr float kRounder = 12582912.0f;
  const float low = static_cast<float>(range.min - zeroPoint), high = static_cast<float>(range.max - zeroPoint);
  for (float &number : numbers) {
    float clamped = std::min(std::max(number / scale, low), high);
    number = ((clamped + kRounder) - kRounder) * scale;
  }
}

std::optional<size_t> LayerwiseProgram::layerOf(llvm::StringRef id) const {
  auto found = layerIndices.find(id);
  return found == layerIndices.end() ? std::nullopt : std::optional(found->second);
}

std::optional<size_t> LayerwiseProgram::valueOf(llvm::StringRef id) const {
  auto found = values.find(id);
  return found == values.end() ? std::nullopt : std::optional(found->second);
}

static Tensor gathered(llvm::ArrayRef<uint32_t> order, llvm::ArrayRef<float> numbers) {
  Tensor packed(ElementType::F32, {static_cast<int64_t>(order.size())});
  for (auto [i, place] : llvm::enumerate(order))
    packed.as<float>()[i] = place == 0 ? 0.0f : numbers[place - 1];
  return packed;
}

uint64_t LayerwiseProgram::bytesPerRun() const {
  uint64_t bytes = workspaceBytes + arenaBytes;
  for (const ValueInfo &value : valueInfos)
    bytes += value.isKept ? value.bytes() : 0;
  return bytes;
}

/// Values live from the stage that computes them to the last one that reads them.
void LayerwiseProgram::planMemory() {
  for (size_t output : outputs)
    valueInfos[output].isKept = true;
  std::vector<ArenaBuffer> buffers(valueInfos.size());
  for (auto [i, stage] : llvm::enumerate(stages)) {
    workspaceBytes = std::max(workspaceBytes, llvm::alignTo(stage.program->workspaceBytes(), DYADIC_ALIGNMENT));
    buffers[stage.output].begin = static_cast<int64_t>(i);
    for (size_t value : llvm::concat<const size_t>(stage.inputs, llvm::ArrayRef(stage.output)))
      buffers[value].end = static_cast<int64_t>(i);
  }
  for (auto [value, buffer] : llvm::zip_equal(valueInfos, buffers))
    buffer.size = value.isKept ? 0 : static_cast<int64_t>(value.bytes());
  arenaBytes = static_cast<uint64_t>(planArena(buffers, DYADIC_ALIGNMENT));
  for (auto [value, buffer] : llvm::zip_equal(valueInfos, buffers))
    value.offset = buffer.offset;
}

size_t LayerwiseProgram::stagesUntil(size_t value) const {
  auto found = llvm::find_if(stages, [&](const Stage &stage) { return stage.output == value; });
  return found == stages.end() ? 0 : static_cast<size_t>(found - stages.begin()) + 1;
}

std::vector<size_t> LayerwiseProgram::valuesAcross(size_t numStages) const {
  std::set<size_t> read;
  for (const Stage &stage : llvm::drop_begin(stages, numStages))
    for (size_t value : stage.inputs)
      if (stagesUntil(value) <= numStages)
        read.insert(value);
  return {read.begin(), read.end()};
}

Tensor LayerwiseProgram::packedWeights(size_t layer, llvm::ArrayRef<float> weights) const {
  return gathered(order[layer], weights);
}

//===----------------------------------------------------------------------===//
// Building
//===----------------------------------------------------------------------===//

llvm::Expected<std::vector<std::shared_ptr<Program>>> LayerKernels::get(llvm::ArrayRef<Wanted> wanted) {
  std::lock_guard<std::mutex> lock(mutex); // who waits will find what is compiled now
  std::vector<std::shared_ptr<Program>> kernels(wanted.size());
  std::vector<size_t> missing;
  for (auto [i, kernel] : llvm::enumerate(wanted))
    if (!(kernels[i] = known.lookup(kernel.fingerprint)))
      missing.push_back(i);
  // Several at a time, each in a context of its own.
  llvm::Error error = parallelFor(missing.size(), [&](size_t i) -> llvm::Error {
    std::unique_ptr<MLIRContext> context = createContext();
    auto module = wanted[missing[i]].module.read(*context);
    if (!module)
      return module.takeError();
    auto loaded = jitModule(**module, /*exposeValues=*/false);
    if (!loaded)
      return loaded.takeError();
    kernels[missing[i]] = std::move(*loaded);
    return llvm::Error::success();
  });
  if (error)
    return std::move(error);
  for (size_t i : missing)
    known[wanted[i].fingerprint] = kernels[i];
  return std::move(kernels);
}

static bool isConstant(Value value) { return isa_and_nonnull<arith::ConstantOp>(value.getDefiningOp()); }

/// 1, 2, 3, ... as the bits of floats.
static ElementsAttr countingFloats(RankedTensorType type) {
  std::vector<float> numbers(static_cast<size_t>(type.getNumElements()));
  for (auto [i, number] : llvm::enumerate(numbers)) {
    auto bits = static_cast<uint32_t>(i + 1);
    std::memcpy(&number, &bits, sizeof bits);
  }
  return makeFloats(type, numbers);
}

static std::vector<uint32_t> countsOf(Value constant) {
  std::vector<uint32_t> counts;
  for (float number : ConstantView(constant).floats()) {
    uint32_t bits = 0;
    std::memcpy(&bits, &number, sizeof bits);
    counts.push_back(bits);
  }
  return counts;
}

class LayerwiseBuilder {
public:
  LayerwiseBuilder(func::FuncOp function, PackFloatLayersOptions packing, LayerKernels &kernels, bool keepsLayouts)
      : function(function), packing(packing), kernels(kernels), keepsLayouts(keepsLayouts),
        program(new LayerwiseProgram) {}

  llvm::Expected<std::unique_ptr<LayerwiseProgram>> build() {
    for (BlockArgument argument : function.getArguments())
      addArgument(argument);
    for (Operation &op : function.front().without_terminator())
      if (!isa<arith::ConstantOp>(op) && !isAbsorbed(&op) && !isLeftOut(&op))
        if (llvm::Error error = addStage(&op))
          return std::move(error);
    for (Value output : function.front().getTerminator()->getOperands()) {
      Operation *op = output.getDefiningOp();
      bool isTransposed = op && isLeftOut(op);
      auto found = indices.find(isTransposed ? op->getOperand(0) : output);
      if (found == indices.end())
        continue; // a constant
      program->outputs.push_back(found->second);
      program->areChannelsLast.push_back(isTransposed);
    }
    auto compiled = kernels.get(modules);
    if (!compiled)
      return compiled.takeError();
    for (auto [stage, index] : llvm::zip(program->stages, moduleOf))
      stage.program = (*compiled)[index];
    program->planMemory();
    return std::move(program);
  }

private:
  /// What brings the channels of an output from the end to their place.
  bool isLeftOut(Operation *op) const {
    auto transpose = dyn_cast<TransposeOp>(op);
    if (!keepsLayouts || !transpose || transpose.getIdAttr() || transpose.getPermutation().size() < 3 ||
        !llvm::all_of(op->getUsers(), llvm::IsaPred<func::ReturnOp>))
      return false;
    SmallVector<int64_t> permutation = llvm::to_vector(llvm::seq<int64_t>(0, transpose.getPermutation().size()));
    std::rotate(permutation.begin() + 1, permutation.end() - 1, permutation.end());
    return transpose.getPermutation() == ArrayRef(permutation);
  }

  size_t addValue(Value value) {
    auto type = cast<RankedTensorType>(value.getType());
    program->valueInfos.push_back({*elementTypeOf(type.getElementType()), type.getShape().vec()});
    return indices[value] = program->valueInfos.size() - 1;
  }

  void addArgument(BlockArgument argument) {
    std::string name = argumentName(function, argument.getArgNumber()).str();
    size_t value = program->values[name] = addValue(argument);
    program->valueInfos[value].isKept = true;
    ++program->numInputs;
  }

  llvm::Error addStage(Operation *op) {
    StringAttr id = isa<LayerOpInterface>(op) ? cast<LayerOpInterface>(op).getIdAttr() : StringAttr();
    SmallVector<Operation *> ops{op};
    if (isa<LayerOpInterface>(op))
      llvm::append_range(ops, absorbedBy(op));
    LayerwiseProgram::Stage stage;
    SmallVector<Value> operands;
    for (Value operand : op->getOperands())
      if (!isConstant(operand) && !llvm::is_contained(operands, operand)) {
        operands.push_back(operand);
        stage.inputs.push_back(indices.find(operand)->second);
      }
    stage.output = addValue(ops.back()->getResult(0));
    if (id)
      program->values[id] = stage.output;
    OwningOpRef<ModuleOp> module = isolate(ops, operands);
    if (isa<ConvOp, MatmulOp>(op) && ConstantView(op->getOperand(1)) && id) {
      stage.layer = program->layers.size();
      addLayer(op, id.getValue(), stage);
      if (llvm::Error error = exposeWeights(*module))
        return error;
    }
    program->stages.push_back(std::move(stage));
    std::string computed = fingerprint(*module);
    auto [index, isNew] = moduleIndices.try_emplace(computed, modules.size());
    moduleOf.push_back(index->second);
    if (!isNew)
      return llvm::Error::success();
    auto bytes = ModuleBytes::of(*module);
    if (!bytes)
      return bytes.takeError();
    modules.push_back({computed, std::move(*bytes)});
    return llvm::Error::success();
  }

  void addLayer(Operation *op, StringRef id, const LayerwiseProgram::Stage &stage) {
    LayerwiseProgram::Layer layer;
    static_cast<LayerWeights &>(layer) = layerWeights(op);
    layer.value = stage.output;
    program->layerIndices[id] = program->layers.size();
    program->layers.push_back(std::move(layer));
  }

  /// A module with `ops` alone, which compute the last one's result from `operands`.
  OwningOpRef<ModuleOp> isolate(ArrayRef<Operation *> ops, ArrayRef<Value> operands) {
    OwningOpRef<ModuleOp> module = ModuleOp::create(UnknownLoc::get(function.getContext()));
    OpBuilder builder = OpBuilder::atBlockBegin(module->getBody());
    Value result = ops.back()->getResult(0);
    auto type = builder.getFunctionType(ValueRange(operands).getTypes(), result.getType());
    auto entry = func::FuncOp::create(builder, function.getLoc(), "layer", type);
    Block *block = entry.addEntryBlock();
    for (unsigned i = 0; i < operands.size(); ++i)
      entry.setArgAttr(i, kNameAttr, builder.getStringAttr("x" + Twine(i)));
    entry.setResultAttr(0, kNameAttr, builder.getStringAttr("y"));
    builder.setInsertionPointToStart(block);
    IRMapping mapping;
    mapping.map(operands, block->getArguments());
    for (Operation *op : ops) {
      for (Value operand : op->getOperands())
        if (isConstant(operand) && !mapping.contains(operand))
          builder.clone(*operand.getDefiningOp(), mapping);
      Operation *copy = builder.clone(*op, mapping);
      copy->setLoc(UnknownLoc::get(function.getContext()));
      copy->removeAttr("id"); // equal layers are equal modules
    }
    func::ReturnOp::create(builder, function.getLoc(), mapping.lookup(result));
    return module;
  }

  /// Packs the only layer of `module` and makes arguments of its weights and bias.
  llvm::Error exposeWeights(ModuleOp module) {
    func::FuncOp entry = entryFunction(module);
    for (Operation &op : llvm::make_early_inc_range(entry.front()))
      if (isa<ConvOp, MatmulOp>(op)) {
        OpBuilder builder(&op);
        for (OpOperand &operand : op.getOpOperands().drop_front())
          operand.set(
              makeConstant(builder, op.getLoc(), countingFloats(cast<RankedTensorType>(operand.get().getType()))));
      }
    DiagnosticCollector diagnostics(module.getContext());
    PassManager manager(module.getContext());
    manager.addPass(createPackFloatLayers(packing));
    if (failed(manager.run(module)))
      return diagnostics.takeError("program", "a layer cannot be packed");
    Operation *linear = nullptr;
    for (Operation &op : entry.front())
      if (isa<PackedFloatConvOp, PackedFloatDepthwiseOp, ConvOp, MatmulOp>(op))
        linear = &op;
    const LayerwiseProgram::Layer &layer = program->layers.back();
    program->order.push_back(makeArgument(entry, linear->getOpOperand(1), "weights"));
    program->packed.push_back(gathered(program->order.back(), layer.weights));
    std::vector<uint32_t> biasOrder;
    if (!layer.bias.empty())
      biasOrder = makeArgument(entry, linear->getOpOperand(2), "bias");
    program->packedBiases.push_back(gathered(biasOrder, layer.bias));
    eraseDead(entry);
    return llvm::Error::success();
  }

  static std::vector<uint32_t> makeArgument(func::FuncOp entry, OpOperand &operand, StringRef name) {
    std::vector<uint32_t> counts = countsOf(operand.get());
    OpBuilder builder(entry.getContext());
    unsigned index = entry.getNumArguments();
    auto type = RankedTensorType::get({static_cast<int64_t>(counts.size())}, builder.getF32Type());
    NamedAttribute attribute = builder.getNamedAttr(kNameAttr, builder.getStringAttr(name));
    if (failed(entry.insertArgument(index, type, builder.getDictionaryAttr({attribute}), entry.getLoc())))
      return counts; // never: an argument may always follow the others
    Value argument = entry.getArgument(index);
    if (operand.get().getType() != type) {
      builder.setInsertionPointToStart(&entry.front());
      argument = ReshapeOp::create(builder, entry.getLoc(), operand.get().getType(), argument, StringAttr());
    }
    operand.set(argument);
    return counts;
  }

  func::FuncOp function;
  PackFloatLayersOptions packing;
  LayerKernels &kernels;
  bool keepsLayouts;
  std::unique_ptr<LayerwiseProgram> program;
  DenseMap<Value, size_t> indices;
  llvm::StringMap<size_t> moduleIndices;     // by fingerprint
  std::vector<LayerKernels::Wanted> modules; // equal ones once
  std::vector<size_t> moduleOf;              // by stage
};

llvm::Expected<std::unique_ptr<LayerwiseProgram>> LayerwiseProgram::create(ModuleOp floatModule, LayerKernels &kernels,
                                                                           bool keepsLayouts) {
  OwningOpRef<ModuleOp> module = floatModule.clone();
  DiagnosticCollector diagnostics(module->getContext());
  PassManager manager(module->getContext());
  manager.addPass(createAssignLayout());
  if (failed(manager.run(*module)))
    return diagnostics.takeError("program", "layouts cannot be assigned");
  llvm::Expected<Target> target = parseTarget("native");
  if (!target)
    return target.takeError();
  FloatUnit unit = floatUnitOf(target->cpus.back(), llvm::Triple(target->triple));
  PackFloatLayersOptions packing;
  packing.lanes = unit.lanes;
  packing.rows = unit.rows;
  packing.depthwiseRows = unit.depthwiseRows;
  return LayerwiseBuilder(entryFunction(*module), packing, kernels, keepsLayouts).build();
}

//===----------------------------------------------------------------------===//
// Running
//===----------------------------------------------------------------------===//

llvm::Expected<std::unique_ptr<LayerwiseProgram::Run>> LayerwiseProgram::Run::create(const LayerwiseProgram &program) {
  // Without exceptions an allocation that fails ends the process.
  constexpr uint64_t kLimit = uint64_t(1) << 33;
  if (uint64_t bytes = program.bytesPerRun(); bytes > kLimit)
    return makeError("values and workspace need " + llvm::Twine(bytes / 1'000'000'000) + " GB, expected at most 8");
  return std::unique_ptr<Run>(new Run(program));
}

LayerwiseProgram::Run::Run(const LayerwiseProgram &program)
    : program(program), base(program.numValues()), kept(program.numValues()), isReached(program.numValues()),
      memory(program.workspaceBytes + program.arenaBytes + DYADIC_ALIGNMENT) {
  workspace = reinterpret_cast<uint8_t *>(llvm::alignAddr(memory.data(), llvm::Align(DYADIC_ALIGNMENT)));
  arena = workspace + program.workspaceBytes;
  for (auto [value, tensor] : llvm::zip_equal(program.valueInfos, kept))
    if (value.isKept)
      tensor = Tensor(value.type, value.shape);
}

/// Where a value is.
uint8_t *LayerwiseProgram::Run::numbers(size_t value) const {
  const ValueInfo &info = program.valueInfos[value];
  if (!isReached[value])
    return const_cast<uint8_t *>(base[value].data.data());
  return info.isKept || value == local ? const_cast<uint8_t *>(kept[value].data.data()) : arena + info.offset;
}

Tensor LayerwiseProgram::Run::copyOf(size_t value) const {
  const ValueInfo &info = program.valueInfos[value];
  Tensor copy(info.type, info.shape);
  std::memcpy(copy.data.data(), numbers(value), copy.data.size());
  return copy;
}

/// Runs the stage, with the weights that the change has for it.
llvm::Error LayerwiseProgram::Run::runStage(size_t index, const Change &change) {
  const Stage &stage = program.stages[index];
  SmallVector<const void *> operands;
  for (size_t value : stage.inputs)
    operands.push_back(numbers(value));
  if (stage.layer) {
    auto changed = change.weights.find(*stage.layer);
    operands.push_back((changed == change.weights.end() ? program.packed[*stage.layer] : *changed->second).data.data());
    operands.push_back(program.packedBiases[*stage.layer].data.data()); // not read where there is none
  }
  void *result = numbers(stage.output);
  int32_t status = stage.program->run(operands.data(), &result, workspace);
  return status == DYADIC_OK ? llvm::Error::success() : makeError("run returned status " + llvm::Twine(status));
}

llvm::Error LayerwiseProgram::Run::load(const Sample &sample) {
  if (llvm::Error error = setInputs(sample))
    return error;
  isReached.assign(isReached.size(), false);
  for (auto [i, value] : llvm::enumerate(program.valueInfos))
    base[i] = i < program.numInputs  ? kept[i]
              : base[i].data.empty() ? Tensor(value.type, value.shape)
                                     : std::move(base[i]);
  for (size_t i = 0; i < program.stages.size(); ++i)
    if (llvm::Error error = runStage(i, Change()))
      return error;
  return llvm::Error::success();
}

/// Rounds a value to what is stored of it, where the change says so.
void LayerwiseProgram::Run::store(size_t value, const Change &change) {
  auto found = change.values.find(value);
  if (found == change.values.end() || program.valueInfos[value].type != ElementType::F32)
    return;
  if (!isReached[value]) {
    isReached[value] = true;
    std::memcpy(numbers(value), base[value].data.data(), base[value].data.size());
  }
  found->second->round({reinterpret_cast<float *>(numbers(value)), program.bytesOf(value) / sizeof(float)});
}

llvm::Error LayerwiseProgram::Run::apply(const Change &change, size_t newLocal) {
  isReached.assign(isReached.size(), false);
  if (local && local != newLocal && !program.valueInfos[*local].isKept)
    kept[*local] = Tensor();
  local = newLocal;
  if (kept[newLocal].data.empty())
    kept[newLocal] = Tensor(program.valueInfos[newLocal].type, program.valueInfos[newLocal].shape);
  for (size_t i = 0; i < program.numInputs; ++i)
    store(i, change);
  for (auto [i, stage] : llvm::enumerate(program.stages)) {
    bool isReachedBy = stage.layer && change.weights.count(*stage.layer);
    if (isReachedBy || llvm::any_of(stage.inputs, [&](size_t value) { return isReached[value]; })) {
      isReached[stage.output] = true;
      if (llvm::Error error = runStage(i, change))
        return error;
    }
    store(stage.output, change);
  }
  return llvm::Error::success();
}

llvm::Error LayerwiseProgram::Run::setInputs(const Sample &sample) {
  for (auto [i, numbers] : llvm::enumerate(sample.inputs)) {
    if (numbers.shape != kept[i].shape)
      return makeError("a sample is " + shapeText(numbers.shape) + ", expected " + shapeText(kept[i].shape));
    setValue(i, numbers);
  }
  return llvm::Error::success();
}

void LayerwiseProgram::Run::setValue(size_t value, const Tensor &tensor) {
  isReached[value] = true;
  std::memcpy(numbers(value), tensor.data.data(), tensor.data.size());
}

llvm::Error LayerwiseProgram::Run::runStages(size_t begin, size_t end) {
  isReached.assign(isReached.size(), true);
  for (size_t i = begin; i < end; ++i)
    if (llvm::Error error = runStage(i, Change()))
      return error;
  return llvm::Error::success();
}

llvm::Error LayerwiseProgram::Run::evaluate(const Sample &sample, const Change &change) {
  isReached.assign(isReached.size(), true);
  if (llvm::Error error = setInputs(sample))
    return error;
  for (size_t i = 0; i < program.numInputs; ++i)
    store(i, change);
  for (auto [i, stage] : llvm::enumerate(program.stages)) {
    if (llvm::Error error = runStage(i, change))
      return error;
    store(stage.output, change);
  }
  return llvm::Error::success();
}

llvm::Expected<LayerwiseRuns::Pointer> LayerwiseRuns::take(const LayerwiseProgram &program) {
  {
    std::lock_guard<std::mutex> lock(mutex);
    if (!idle.empty()) {
      Pointer run = std::move(idle.back());
      idle.pop_back();
      return std::move(run);
    }
  }
  return LayerwiseProgram::Run::create(program);
}

void LayerwiseRuns::giveBack(Pointer run) {
  std::lock_guard<std::mutex> lock(mutex);
  idle.push_back(std::move(run));
}

} // namespace dyadic
