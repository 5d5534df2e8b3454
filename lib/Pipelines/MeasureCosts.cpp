// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Pipelines/MeasureCosts.h"
#include "ProgramTiming.h"
#include "dyadic/IR/Constants.h"
#include "dyadic/IR/Layers.h"
#include "dyadic/Search/Budget.h"
#include "dyadic/Support/Error.h"
#include "llvm/TargetParser/Host.h"
#include <cmath>
#include <numeric>

using namespace mlir;

namespace dyadic {

static std::string shapeOf(Value value) {
  std::string text;
  for (int64_t size : cast<ShapedType>(value.getType()).getShape())
    text += (text.empty() ? "" : "x") + std::to_string(size);
  return text;
}

/// What a layer computes, whatever it is called: its operation, shapes and attributes, and whether its sums are added
/// to a residual.
static std::string signatureOf(Operation *op) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << op->getName().stripDialect() << " " << shapeOf(op->getOperand(0)) << " by " << shapeOf(op->getOperand(1))
     << " to " << shapeOf(op->getResult(0));
  for (NamedAttribute entry : op->getAttrDictionary())
    if (entry.getName() != "id")
      os << " " << entry.getName().getValue() << "=" << entry.getValue();
  Value value = layerValue(op);
  if (value.hasOneUse() && isa<qnn::AddOp, qnn::SubOp>(*value.user_begin()))
    os << " + residual";
  return text;
}

static int64_t elements(Value value) { return cast<ShapedType>(value.getType()).getNumElements(); }

std::map<std::string, LatencyCostModel::Layer> costLayers(ModuleOp floatModule) {
  std::map<std::string, LatencyCostModel::Layer> result;
  for (Operation *op : layersOf(entryFunction(floatModule))) {
    if (!isa<qnn::ConvOp, qnn::MatmulOp>(op) || !ConstantView(op->getOperand(1)))
      continue;
    StringAttr id = cast<qnn::LayerOpInterface>(op).getIdAttr();
    LatencyCostModel::Layer &layer = result[id.str()];
    layer.signature = signatureOf(op);
    layer.macs = macsOf(op);
    layer.bytes = elements(op->getOperand(0)) + elements(op->getOperand(1)) + elements(op->getResult(0));
  }
  return result;
}

std::vector<double> withoutClocks(std::vector<double> kernels, double clocked, double plain) {
  double clock = (clocked - plain) / static_cast<double>(std::max<size_t>(kernels.size(), 1));
  for (double &time : kernels)
    time = std::max(0.0, time - clock);
  return kernels;
}

namespace {
class CostMeasurement {
public:
  CostMeasurement(const CostRequest &request, CostTable &table, const Listener &listener)
      : request(request), table(table), listener(listener), layers(costLayers(request.floatModule)),
        rest(restSignature(request.model)) {}

  bool has(BitWidths widths) const {
    std::string bits = bitsText(widths);
    return table.find(rest, bits) && llvm::all_of(layers, [&](const auto &layer) {
             return table.find(layer.second.signature, bits).has_value();
           });
  }

  /// Adds the program with these widths for all layers to those that are timed, without and with clocks; nothing where
  /// the model cannot have them.
  llvm::Error add(BitWidths widths) {
    Plan plan = *request.plan;
    plan.weightBits = widths.weights;
    plan.activationBits = widths.activations;
    auto module = quantized(plan);
    if (!module) {
      if (listener.isInterrupted && listener.isInterrupted())
        return module.takeError();
      llvm::consumeError(module.takeError()); // sums beyond 32 bits
      return llvm::Error::success();
    }
    added.push_back(widths);
    for (bool hasClocks : {false, true}) {
      llvm::Expected<CompiledModule> compiled = compileCopy(**module, *request.here);
      if (!compiled)
        return compiled.takeError();
      if (llvm::Error error = timing.add(std::move(*compiled), hasClocks))
        return error;
    }
    return llvm::Error::success();
  }

  llvm::Error measure() {
    if (added.empty())
      return llvm::Error::success();
    TimingBudget budget;
    budget.perProgram = std::chrono::milliseconds(400);
    budget.leastRuns = 5;
    llvm::Expected<ProgramTiming::Result> measured = timing.measure(request.sample, budget);
    if (!measured)
      return measured.takeError();
    for (size_t i = 0; i < added.size(); ++i) {
      ProgramTiming::Times &clocked = measured->programs[2 * i + 1];
      double total = measured->programs[2 * i].total;
      clocked.kernels = withoutClocks(std::move(clocked.kernels), clocked.total, total);
      note(bitsText(added[i]), {total, std::move(clocked.kernels)}, timing.getKernels(2 * i + 1));
    }
    return llvm::Error::success();
  }

private:
  llvm::Expected<OwningOpRef<ModuleOp>> quantized(Plan &plan) {
    llvm::Expected<OwningOpRef<ModuleOp>> module = OwningOpRef<ModuleOp>();
    if (request.fit) {
      auto fitted = fitProgram(*request.fit, plan);
      if (!fitted)
        return fitted.takeError();
      module = std::move(fitted->module);
    } else {
      module = quantizedCopy(request.floatModule, request.file, *request.calibration, plan);
    }
    if (module)
      if (llvm::Error error = lowerToIntegers(**module, request.file, plan, QuantizeOptions()))
        return std::move(error);
    return module;
  }

  void note(const std::string &bits, const ProgramTiming::Times &times, const std::vector<Kernel> &kernels) {
    std::map<std::string, double> byLayer = timesByLayer(kernels, times.kernels);
    double ofLayers = 0;
    std::map<std::string, std::vector<double>> bySignature;
    for (const auto &[id, layer] : layers) {
      ofLayers += byLayer[id];
      bySignature[layer.signature].push_back(byLayer[id]);
      LayerTimes &entry = table.layers[layer.signature];
      entry.macs = layer.macs;
      entry.bytes = layer.bytes;
    }
    auto nanoseconds = [](double microseconds) { return std::round(microseconds * 1000) / 1000; };
    for (const auto &[signature, all] : bySignature) // layers that are alike have their mean
      table.layers[signature].microseconds[bits] =
          nanoseconds(std::accumulate(all.begin(), all.end(), 0.0) / static_cast<double>(all.size()));
    table.layers[rest].microseconds[bits] = nanoseconds(std::max(0.0, times.total - ofLayers));
  }

  const CostRequest &request;
  CostTable &table;
  const Listener &listener;
  std::map<std::string, LatencyCostModel::Layer> layers;
  std::string rest;
  ProgramTiming timing;
  std::vector<BitWidths> added;
};
} // namespace

llvm::Expected<std::vector<BitWidths>> measureCosts(const CostRequest &request, CostTable &table,
                                                    const Listener &listener) {
  CostMeasurement measurement(request, table, listener);
  std::vector<BitWidths> wanted = request.choices, missing, result;
  wanted.push_back({8, 8});
  for (BitWidths widths : wanted)
    if (!measurement.has(widths) &&
        llvm::none_of(missing, [&](BitWidths other) { return bitsText(other) == bitsText(widths); }))
      missing.push_back(widths);
  if (!missing.empty()) {
    if (!request.here)
      return makeError("has no times of " + bitsText(missing[0]) +
                       " for this model, and this machine does not run the target, expected a complete cost table");
    std::string cpu = request.here->cpus.front().family->name.str(), machine = llvm::sys::getHostCPUName().str();
    if (table.cpu.empty()) {
      table.cpu = cpu;
      table.machine = machine;
    }
    if (table.cpu != cpu || table.machine != machine)
      return makeError("has times of " + table.cpu + " kernels on '" + escaped(table.machine) + "' and lacks " +
                       bitsText(missing[0]) + " for this model, expected a table of " + cpu + " kernels on '" +
                       machine + "' to add to");
    for (auto [i, widths] : llvm::enumerate(missing)) {
      if (listener.isInterrupted && listener.isInterrupted())
        return makeError("interrupted");
      listener.stage("measuring costs")(i, missing.size());
      if (llvm::Error error = measurement.add(widths))
        return std::move(error);
    }
    llvm::Error error = measurement.measure();
    listener.stage("measuring costs")(missing.size(), missing.size());
    if (error)
      return std::move(error);
  }
  llvm::copy_if(request.choices, std::back_inserter(result), [&](BitWidths widths) { return measurement.has(widths); });
  if (result.empty())
    return makeError("no choice of bits has times, expected widths that all layers can have");
  return result;
}

} // namespace dyadic
