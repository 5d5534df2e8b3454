// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The part of a report that is read from the modules, the plan and the table.

#include "dyadic/Pipelines/CollectReport.h"
#include "dyadic/IR/Constants.h"
#include "dyadic/IR/Fingerprint.h"
#include "dyadic/IR/Layers.h"
#include "dyadic/Support/Error.h"
#include "dyadic/Support/NarrowWeights.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

static int64_t elements(Value value) { return cast<RankedTensorType>(value.getType()).getNumElements(); }

static std::string opName(Operation *op) { return op->getName().stripDialect().str(); }

//===----------------------------------------------------------------------===//
// Bytes
//===----------------------------------------------------------------------===//

/// Bytes of constants, in all and by the layer that reads them (the first, where several do). What panels and plans of
/// sums add is not among them.
struct ConstantSizes {
  int64_t total = 0;
  llvm::StringMap<int64_t> layers;
};

/// Multipliers and the like that an attribute holds; a splat becomes an immediate.
static int64_t attributeBytes(Operation *op) {
  int64_t bytes = 0;
  if (!isa<arith::ConstantOp>(op))
    for (NamedAttribute attribute : op->getAttrs())
      if (auto numbers = dyn_cast<DenseElementsAttr>(attribute.getValue()); numbers && !numbers.isSplat())
        bytes += static_cast<int64_t>(numbers.getRawData().size());
  return bytes;
}

/// Bytes of operand `index` of `op`, a constant of `type`; weights of few bits as `cpu` keeps them.
static int64_t constantBytes(Operation *op, unsigned index, RankedTensorType type, const TargetCpu *cpu) {
  int64_t bits = llvm::alignTo(type.getElementTypeBitWidth(), 8);
  bool areWeights = isa<ConvOp, MatmulOp>(op) && index == 1;
  if (areWeights && bits == 8 && cpu && !cpu->family->byteDot.empty() && sharesBytes(op) &&
      cast<RankedTensorType>(op->getOperand(0).getType()).getElementTypeBitWidth() == 8)
    if (ConstantView weights{op->getOperand(1)})
      bits = storedBits(weights.ints());
  return llvm::divideCeil(type.getNumElements() * bits, 8);
}

static ConstantSizes constantSizes(ModuleOp module, const TargetCpu *cpu = nullptr) {
  ConstantSizes sizes;
  llvm::DenseSet<Operation *> seen;
  auto count = [&](Operation *op, int64_t bytes) {
    sizes.total += bytes;
    if (StringAttr id = servedId(op))
      sizes.layers[id.getValue()] += bytes;
  };
  for (Operation &op : entryFunction(module).front()) {
    count(&op, attributeBytes(&op));
    for (auto [index, operand] : llvm::enumerate(op.getOperands())) {
      auto constant = operand.getDefiningOp<arith::ConstantOp>();
      auto type = dyn_cast<RankedTensorType>(operand.getType());
      if (constant && type && seen.insert(constant).second)
        count(&op, constantBytes(&op, index, type, cpu));
    }
  }
  return sizes;
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

/// At most 64 bins: whole bins of the table joined, which nest.
static ReportHistogram reduced(const Histogram &histogram) {
  Histogram bins = histogram;
  while (bins.counts.size() > 64) {
    int64_t first = bins.first >> 1; // floor
    std::vector<uint64_t> joined(
        static_cast<size_t>(((bins.first + static_cast<int64_t>(bins.counts.size()) - 1) >> 1) - first + 1));
    for (auto [i, n] : llvm::enumerate(bins.counts))
      joined[static_cast<size_t>(((bins.first + static_cast<int64_t>(i)) >> 1) - first)] += n;
    bins = {bins.exponent + 1, first, std::move(joined)};
  }
  double width = std::ldexp(1.0, bins.exponent);
  return {static_cast<double>(bins.first) * width, width, std::move(bins.counts)};
}

static StoredValue storedValue(const BoundaryTensor &tensor) {
  StoredValue value;
  value.type = tensor.type;
  auto [least, most] = std::minmax_element(tensor.scales.begin(), tensor.scales.end());
  value.scaleMin = *least;
  value.scaleMax = *most;
  value.numScales = tensor.scales.size();
  value.zeroPoint = tensor.zeroPoint;
  if (!value.isAccumulator()) {
    value.bits = llvm::Log2_64_Ceil(static_cast<uint64_t>(tensor.range.max - tensor.range.min) + 1);
    value.low = double(value.scaleMin) * static_cast<double>(tensor.range.min - tensor.zeroPoint);
    value.high = double(value.scaleMin) * static_cast<double>(tensor.range.max - tensor.zeroPoint);
  }
  return value;
}

static void addCalibration(LayerReport &row, const CalibrationTable &table, const RangeMap &ranges) {
  auto found = table.values.find(row.id);
  auto range = ranges.find(row.id);
  if (found == table.values.end() || found->second.statistics.count() == 0 || range == ranges.end())
    return;
  const CalibratedValue &value = found->second;
  row.observed = {value.statistics.min(), value.statistics.max()};
  row.chosen = {range->second.min, range->second.max};
  row.histogram = reduced(value.statistics.histogram());
}

/// Shape of one sample: without the batch.
static std::vector<int64_t> sampleShape(func::FuncOp function, Type type) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(type).getShape();
  bool isBatched = function->hasAttr(kBatchAttr) && !shape.empty() && shape[0] == 1;
  return (isBatched ? shape.drop_front() : shape).vec();
}

//===----------------------------------------------------------------------===//
// The description
//===----------------------------------------------------------------------===//

static LayerReport describeLayer(Operation *op, StringRef id, const Plan *plan) {
  LayerReport layer;
  layer.id = id.str();
  layer.op = opName(op);
  for (Operation *activation : absorbedBy(op))
    layer.op += "+" + opName(activation);
  layer.shape = sampleShape(op->getParentOfType<func::FuncOp>(), layerValue(op).getType());
  layer.macs = macsOf(op);
  bool hasWeights = isa<ConvOp, MatmulOp>(op);
  if (hasWeights)
    layer.weights = elements(op->getOperand(1));
  if (!plan)
    return layer;
  if (auto found = plan->layers.find(layer.id); found != plan->layers.end()) {
    layer.isFloat = found->second.isFloat.value_or(false);
    if (hasWeights && !layer.isFloat)
      layer.weightBits = found->second.weights;
  }
  return layer;
}

static std::vector<IslandReport> describeIslands(ModuleOp program, const Plan &plan) {
  std::vector<IslandReport> islands;
  for (Operation *op : floatIslands(program)) {
    StringAttr id = servedId(op);
    IslandReport island{id ? id.str() : "", opName(op), ""};
    auto found = plan.layers.find(island.id);
    bool isPlanned = found != plan.layers.end() && found->second.isFloat.value_or(false);
    island.reason = isPlanned ? "the plan says \"float\": true" : opName(op) + " has no integer form here";
    islands.push_back(std::move(island));
  }
  return islands;
}

llvm::Error describeProgram(Report &report, const ReportRequest &request) {
  func::FuncOp function = entryFunction(request.floatModule);
  report.modelSha = fingerprint(request.floatModule);
  report.target = request.target.name();
  report.isFloat = !request.plan;
  for (BlockArgument argument : function.getArguments()) {
    LayerReport input;
    input.id = argumentName(function, argument.getArgNumber()).str();
    input.op = "input";
    input.shape = sampleShape(function, argument.getType());
    report.inputs.push_back(std::move(input));
  }
  for (Operation *op : layersOf(function))
    if (StringAttr id = cast<LayerOpInterface>(op).getIdAttr())
      report.layers.push_back(describeLayer(op, id, request.plan));
  ConstantSizes floatSizes = constantSizes(request.floatModule);
  report.floatSizes.constants = floatSizes.total;
  for (LayerReport &layer : report.layers)
    layer.floatBytes = floatSizes.layers.lookup(layer.id);
  if (!request.plan)
    return llvm::Error::success();

  report.weightBits = request.plan->weightBits;
  report.activationBits = request.plan->activationBits;
  report.rounding = request.plan->rounding;
  report.io = request.plan->io;
  report.calibrationMethod = toString(request.table->method);
  report.calibrationSamples = request.table->samples.size();
  report.islands = describeIslands(request.program, *request.plan);
  std::vector<SearchLayer> linear;
  if (failed(searchLayers(request.floatModule, *request.plan, linear)))
    return makeError("the plan is not one of the program");
  llvm::StringMap<std::string> reads;
  for (const SearchLayer &layer : linear)
    reads[layer.id] = layer.value;
  ConstantSizes sizes = constantSizes(request.program, &request.target.cpus.back());
  report.integerSizes.constants = sizes.total;
  llvm::Expected<Signature> signature = readSignature(request.exposed);
  if (!signature)
    return signature.takeError();
  llvm::StringMap<const BoundaryTensor *> stored;
  for (const BoundaryTensor &input : signature->inputs)
    stored[input.name] = &input;
  for (const BoundaryTensor &value : ArrayRef(signature->outputs).take_back(signature->numValues))
    stored[value.name] = &value;
  for (std::vector<LayerReport> *rows : {&report.inputs, &report.layers})
    for (LayerReport &row : *rows) {
      row.bytes = sizes.layers.lookup(row.id);
      if (auto value = request.plan->values.find(reads.lookup(row.id)); value != request.plan->values.end())
        row.operandBits = value->second.operandBits;
      addCalibration(row, *request.table, *request.ranges);
      if (const BoundaryTensor *tensor = stored.lookup(row.id); tensor && !tensor->scales.empty())
        row.stored = storedValue(*tensor);
    }
  return llvm::Error::success();
}

llvm::Expected<Report> collectReport(const ReportRequest &request) {
  Report report;
  if (llvm::Error error = describeProgram(report, request))
    return std::move(error);
  if (request.floatProgram && request.exposed)
    if (llvm::Error error = measureAgreement(report, request))
      return std::move(error);
  if (request.isDetailed) {
    report.advice = advise(report);
    if (llvm::Error error = measurePrograms(report, request))
      return std::move(error);
  }
  return report;
}

} // namespace dyadic
