// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Pipelines/Report.h"
#include "dyadic/IR/Layers.h"
#include "dyadic/IR/Window.h"
#include "dyadic/Support/Error.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

double Agreement::sqnr() const {
  if (noise == 0)
    return INFINITY;
  return signal == 0 ? -INFINITY : 10 * std::log10(signal / noise);
}

double Agreement::cosine() const {
  if (signal == 0 || other == 0)
    return signal == other ? 1.0 : 0.0;
  return dot / std::sqrt(signal * other);
}

//===----------------------------------------------------------------------===//
// The static part
//===----------------------------------------------------------------------===//

static int64_t elements(Value value) { return cast<RankedTensorType>(value.getType()).getNumElements(); }

/// Multiply-accumulates of one sample.
static int64_t macsOf(Operation *op) {
  if (!isa<ConvOp, MatmulOp>(op))
    return 0;
  int64_t channels = cast<RankedTensorType>(op->getOperand(1).getType()).getDimSize(isa<ConvOp>(op) ? 0 : 1);
  return elements(op->getResult(0)) * (elements(op->getOperand(1)) / channels);
}

Report describeLayers(ModuleOp floatModule, const Plan *plan) {
  Report report;
  for (Operation *op : layersOf(entryFunction(floatModule))) {
    LayerReport layer;
    StringAttr id = cast<LayerOpInterface>(op).getIdAttr();
    if (!id)
      continue;
    layer.id = id.str();
    layer.op = op->getName().stripDialect().str();
    for (Operation *activation : absorbedBy(op))
      layer.op += "+" + activation->getName().stripDialect().str();
    layer.macs = macsOf(op);
    if (isa<ConvOp, MatmulOp>(op))
      layer.weights = elements(op->getOperand(1));
    if (plan) {
      if (auto found = plan->layers.find(layer.id); found != plan->layers.end()) {
        layer.weightBits = isa<ConvOp, MatmulOp>(op) ? found->second.weights : std::nullopt;
        layer.isFloat = found->second.isFloat.value_or(false);
      }
      if (auto found = plan->values.find(layer.id); found != plan->values.end())
        layer.valueBits = found->second.bits;
    }
    report.layers.push_back(layer);
  }
  report.floatBytes = constantBytes(floatModule);
  return report;
}

int64_t constantBytes(ModuleOp module) {
  int64_t bytes = 0;
  module.walk([&](arith::ConstantOp op) {
    if (auto type = dyn_cast<RankedTensorType>(op.getType()))
      bytes += type.getNumElements() * ((type.getElementTypeBitWidth() + 7) / 8);
  });
  return bytes;
}

//===----------------------------------------------------------------------===//
// Agreement
//===----------------------------------------------------------------------===//

/// The real number behind element `i`.
static double realAt(const Tensor &tensor, const TensorInfo &info, int64_t i) {
  if (tensor.type == ElementType::F32)
    return tensor.as<float>()[i];
  size_t channel = 0;
  if (info.axis >= 0) {
    int64_t inner = 1;
    for (size_t d = static_cast<size_t>(info.axis) + 1; d < tensor.shape.size(); ++d)
      inner *= tensor.shape[d];
    channel = static_cast<size_t>((i / inner) % tensor.shape[static_cast<size_t>(info.axis)]);
  }
  double scale = info.scales.empty() ? 1.0 : info.scales[channel];
  return scale * static_cast<double>(tensor.intAt(i) - info.zeroPoint);
}

static void compare(Agreement &agreement, const Tensor &reference, const Tensor &tensor, const TensorInfo &info) {
  for (int64_t i = 0, n = reference.size(); i < n; ++i) {
    double f = reference.as<float>()[i], q = realAt(tensor, info, i);
    agreement.signal += f * f;
    agreement.noise += (f - q) * (f - q);
    agreement.dot += f * q;
    agreement.other += q * q;
  }
}

static size_t argmax(const Tensor &tensor, const TensorInfo &info) {
  size_t best = 0;
  for (int64_t i = 1; i < tensor.size(); ++i)
    if (realAt(tensor, info, i) > realAt(tensor, info, static_cast<int64_t>(best)))
      best = static_cast<size_t>(i);
  return best;
}

/// A row of scores: all but one dimension are 1.
static bool isScores(const Tensor &tensor) {
  return tensor.size() > 1 && llvm::count_if(tensor.shape, [](int64_t d) { return d != 1; }) == 1;
}

llvm::Error measureAgreement(Report &report, const Program &floatProgram, ModuleOp integerModule, SampleSet &samples,
                             ArrayRef<size_t> indices, llvm::function_ref<void(size_t, size_t)> progress) {
  llvm::Expected<std::unique_ptr<Program>> program = jitModule(integerModule, /*exposeValues=*/false);
  if (!program)
    return program.takeError();
  llvm::StringMap<size_t> layers;
  for (auto [i, layer] : llvm::enumerate(report.layers))
    layers[layer.id] = i;
  const auto &infos = (*program)->outputs();
  size_t outputs = infos.size() - (*program)->numValues();
  llvm::StringMap<size_t> values;
  for (size_t i = outputs; i < infos.size(); ++i)
    values[infos[i].name] = i;
  for (size_t i = 0; i < outputs; ++i)
    report.outputs.push_back({infos[i].name, Agreement()});

  size_t agreeing = 0, scored = 0;
  for (auto [done, index] : llvm::enumerate(indices)) {
    if (progress)
      progress(done, indices.size());
    llvm::Expected<Sample> sample = samples.read(index);
    if (!sample)
      return sample.takeError();
    llvm::Expected<std::vector<Tensor>> expected = runSample(floatProgram, *sample);
    if (!expected)
      return expected.takeError();
    Sample stored = quantizeInputs(**program, *sample);
    llvm::Expected<std::vector<Tensor>> found = runSample(**program, stored);
    if (!found)
      return found.takeError();
    for (size_t i = 0; i < outputs; ++i)
      compare(report.outputs[i].second, (*expected)[i], (*found)[i], infos[i]);
    for (size_t i = outputs; i < expected->size(); ++i) {
      const std::string &id = floatProgram.outputs()[i].name;
      auto layer = layers.find(id);
      auto value = values.find(id);
      if (layer == layers.end() || value == values.end())
        continue;
      LayerReport &row = report.layers[layer->second];
      if (!row.agreement)
        row.agreement.emplace();
      compare(*row.agreement, (*expected)[i], (*found)[value->second], infos[value->second]);
      const TensorInfo &info = infos[value->second];
      if (!info.scales.empty())
        row.valueBits = llvm::Log2_64_Ceil(static_cast<uint64_t>(info.max - info.min) + 1);
    }
    if (outputs > 0 && isScores((*expected)[0])) {
      ++scored;
      agreeing += argmax((*expected)[0], floatProgram.outputs()[0]) == argmax((*found)[0], infos[0]);
    }
  }
  if (scored > 0)
    report.topOneAgreement = 100.0 * static_cast<double>(agreeing) / static_cast<double>(scored);
  report.heldBackSamples = indices.size();
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Output
//===----------------------------------------------------------------------===//

static std::string decibels(const Agreement &agreement) {
  return std::isinf(agreement.sqnr()) ? (agreement.sqnr() > 0 ? "exact" : "-inf")
                                      : llvm::formatv("{0:F1}", agreement.sqnr()).str();
}

static std::string widths(const LayerReport &layer) {
  if (layer.isFloat)
    return "float";
  std::string text;
  if (layer.weightBits)
    text += "w" + std::to_string(*layer.weightBits);
  if (layer.valueBits)
    text += (*layer.valueBits == 32 ? std::string(text.empty() ? "" : " ") + "acc"
                                    : "a" + std::to_string(*layer.valueBits));
  return text.empty() ? "-" : text;
}

static std::string bytesText(int64_t bytes) {
  return bytes < 10000 ? llvm::formatv("{0} B", bytes).str()
                       : llvm::formatv("{0:F1} KB", static_cast<double>(bytes) / 1000).str();
}

std::string Report::toText() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  size_t idWidth = 5, opWidth = 2;
  for (const LayerReport &layer : layers) {
    idWidth = std::max(idWidth, std::min<size_t>(escaped(layer.id).size(), 48));
    opWidth = std::max(opWidth, layer.op.size());
  }
  auto row = [&](llvm::StringRef id, llvm::StringRef op, llvm::StringRef width, llvm::StringRef macs,
                 llvm::StringRef sqnr, llvm::StringRef cosine) {
    // A long id loses its front: the end tells layers apart.
    std::string shown = id.size() > idWidth ? "..." + id.take_back(idWidth - 3).str() : id.str();
    os << llvm::left_justify(shown, idWidth) << "  " << llvm::left_justify(op, opWidth) << "  "
       << llvm::left_justify(width, 8) << llvm::right_justify(macs, 12) << llvm::right_justify(sqnr, 10)
       << llvm::right_justify(cosine, 10) << "\n";
  };
  row("layer", "op", "widths", "MACs", "SQNR dB", "cosine");
  int64_t macs = 0, weights = 0;
  for (const LayerReport &layer : layers) {
    macs += layer.macs;
    weights += layer.weights;
    row(escaped(layer.id), layer.op, widths(layer), layer.macs ? std::to_string(layer.macs) : "-",
        layer.agreement ? decibels(*layer.agreement) : "-",
        layer.agreement ? llvm::formatv("{0:F6}", layer.agreement->cosine()).str() : "-");
  }
  row("total", "", "", std::to_string(macs), "", "");
  os << "\n";
  for (const auto &[name, agreement] : outputs)
    os << "output '" << escaped(name) << "': SQNR " << decibels(agreement) << " dB, cosine "
       << llvm::formatv("{0:F6}", agreement.cosine()) << " against float, on " << heldBackSamples
       << " held-back samples\n";
  if (outputs.empty() && heldBackSamples == 0 && calibrationSamples > 0)
    os << "no held-back samples: a saved calibration table has no inputs to compare on\n";
  for (const LayerReport &layer : layers)
    if (layer.isFloat)
      os << "float island: layer '" << escaped(layer.id) << "' is computed in float because the plan says so\n";
  if (topOneAgreement)
    os << "top-1 agreement with float: " << llvm::formatv("{0:F1}", *topOneAgreement) << "% of " << heldBackSamples
       << " held-back samples\n";
  os << "constants: " << bytesText(floatBytes) << " float";
  if (integerBytes)
    os << ", " << bytesText(integerBytes) << " integer";
  os << "; " << weights << " weights\n";
  if (workspaceBytes)
    os << "workspace: " << bytesText(workspaceBytes) << " a sample\n";
  if (outputBytes)
    os << "wrote " << escaped(output) << " (" << bytesText(outputBytes) << ")\n";
  return text;
}

static void writeAgreement(llvm::json::OStream &json, const Agreement &agreement) {
  // JSON has no infinity: an exact value has no SQNR.
  if (std::isfinite(agreement.sqnr()))
    json.attribute("sqnr_db", agreement.sqnr());
  else
    json.attribute("sqnr_db", nullptr);
  json.attribute("cosine", agreement.cosine());
}

std::string Report::toJson() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::json::OStream json(os, 2);
  json.object([&] {
    json.attribute("kind", "report");
    json.attribute("version", 1);
    json.attribute("model", model);
    json.attribute("producer", kProducer);
    json.attributeArray("layers", [&] {
      for (const LayerReport &layer : layers)
        json.object([&] {
          json.attribute("id", layer.id);
          json.attribute("op", layer.op);
          json.attribute("float", layer.isFloat);
          if (layer.weightBits)
            json.attribute("weight_bits", *layer.weightBits);
          if (layer.valueBits)
            json.attribute("value_bits", *layer.valueBits);
          json.attribute("macs", layer.macs);
          json.attribute("weights", layer.weights);
          if (layer.agreement)
            writeAgreement(json, *layer.agreement);
        });
    });
    json.attributeArray("outputs", [&] {
      for (const auto &entry : outputs)
        json.object([&] {
          json.attribute("name", entry.first);
          writeAgreement(json, entry.second);
        });
    });
    if (topOneAgreement)
      json.attribute("top1_agreement_percent", *topOneAgreement);
    json.attribute("calibration_samples", static_cast<int64_t>(calibrationSamples));
    json.attribute("held_back_samples", static_cast<int64_t>(heldBackSamples));
    json.attribute("float_constant_bytes", floatBytes);
    json.attribute("integer_constant_bytes", integerBytes);
    json.attribute("workspace_bytes", workspaceBytes);
    json.attribute("output_bytes", outputBytes);
  });
  os << "\n";
  return text;
}

} // namespace dyadic
