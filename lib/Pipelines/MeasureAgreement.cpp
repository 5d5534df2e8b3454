// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The float program's numbers against the integer program's, value by value.

#include "dyadic/Pipelines/CollectReport.h"

using namespace mlir;

namespace dyadic {
namespace {

/// Runs the programs on one sample after another.
class AgreementMeasurement {
public:
  AgreementMeasurement(Report &report, const ReportRequest &request) : report(report), request(request) {}

  llvm::Error run() {
    llvm::Expected<std::unique_ptr<Program>> compiled = jitModule(request.exposed, /*exposeValues=*/false);
    if (!compiled)
      return compiled.takeError();
    program = std::move(*compiled);
    if (request.isDetailed)
      if (llvm::Error error = isolate())
        return error;
    size_t count = program->outputs().size() - program->numValues();
    for (const TensorInfo &info : ArrayRef(program->outputs()).take_front(count))
      report.outputs.push_back({info.name, Agreement(), std::nullopt});
    for (std::vector<LayerReport> *list : {&report.inputs, &report.layers})
      for (LayerReport &row : *list) {
        rows.push_back(&row);
        rowOf[row.id] = &row;
      }
    for (auto [done, index] : llvm::enumerate(request.heldBack)) {
      auto sample = request.samples->read(index);
      if (!sample)
        return sample.takeError();
      if (llvm::Error error = compareOn(*sample))
        return error;
      if (request.progress)
        request.progress(done + 1, request.heldBack.size());
    }
    shareOut();
    report.heldBack = request.heldBack.vec();
    report.heldBackSamples = request.heldBack.size();
    return llvm::Error::success();
  }

private:
  /// The float layers one by one.
  llvm::Error isolate() {
    OwningOpRef<ModuleOp> module = ModuleOp(request.floatModule).clone();
    if (llvm::Error error = isolateLayers(*module, "program"))
      return error;
    llvm::Expected<std::unique_ptr<Program>> compiled = jitModule(*module, /*exposeValues=*/false);
    if (!compiled)
      return compiled.takeError();
    isolated = std::move(*compiled);
    return llvm::Error::success();
  }

  llvm::Error compareOn(const Sample &sample) {
    // By id: the float program's numbers, and the integer program's.
    llvm::StringMap<Tensor> floats, reals;
    llvm::Expected<std::vector<Tensor>> expected =
        request.floatProgram->compute(sample, [&](StringRef id, const Tensor &value) { floats[id] = value; });
    if (!expected)
      return expected.takeError();
    Sample stored = quantizeInputs(*program, sample);
    llvm::Expected<std::vector<Tensor>> found = runSample(*program, stored);
    if (!found)
      return found.takeError();

    compareOutputs(sample, *expected, *found);
    for (auto [info, tensor] : llvm::zip(program->inputs(), stored.inputs))
      reals[info.name] = realNumbers(tensor, info);
    for (size_t i = report.outputs.size(); i < found->size(); ++i)
      reals[program->outputs()[i].name] = realNumbers((*found)[i], program->outputs()[i]);
    for (LayerReport *row : rows)
      if (auto value = reals.find(row->id); value != reals.end() && value->second.type == ElementType::F32)
        if (auto reference = floats.find(row->id); reference != floats.end())
          add(row->agreement, {reference->second, value->second});
    return isolated ? compareIsolated(floats, reals) : llvm::Error::success();
  }

  static void add(std::optional<Agreement> &agreement, const SampleSums &sums) {
    if (!agreement)
      agreement.emplace();
    agreement->add(sums);
  }

  void compareOutputs(const Sample &sample, ArrayRef<Tensor> expected, ArrayRef<Tensor> found) {
    int64_t batch = batchOf(sample);
    for (auto [i, output] : llvm::enumerate(report.outputs)) {
      Tensor real = realNumbers(found[i], program->outputs()[i]);
      if (expected[i].type != ElementType::F32 || real.type != ElementType::F32)
        continue;
      output.agreement.add({expected[i], real});
      countTopOne(output.topOne, expected[i], real, batch);
    }
  }

  /// What each layer adds: the float layer on the integer program's numbers.
  llvm::Error compareIsolated(const llvm::StringMap<Tensor> &floats, const llvm::StringMap<Tensor> &reals) {
    Sample inputs;
    for (const TensorInfo &info : isolated->inputs()) {
      auto found = reals.find(info.name);
      Tensor tensor = found != reals.end() ? found->second : floats.lookup(info.name);
      tensor.shape = info.shape;
      inputs.inputs.push_back(std::move(tensor));
    }
    llvm::Expected<std::vector<Tensor>> values = runSample(*isolated, inputs);
    if (!values)
      return values.takeError();
    for (LayerReport &input : report.inputs)
      if (auto value = floats.find(input.id); value != floats.end())
        addOwn(input, value->second, reals);
    for (auto [info, value] : llvm::zip(isolated->outputs(), *values))
      if (LayerReport *row = rowOf.lookup(info.name))
        addOwn(*row, value, reals);
    return llvm::Error::success();
  }

  static void addOwn(LayerReport &row, const Tensor &value, const llvm::StringMap<Tensor> &reals) {
    auto found = reals.find(row.id);
    if (found == reals.end() || value.type != ElementType::F32)
      return;
    if (!row.own)
      row.own.emplace();
    row.own->agreement.add({value, found->second});
    row.own->elements += static_cast<size_t>(value.size());
    if (row.stored && row.stored->numScales == 1 && !row.stored->isAccumulator())
      addStorage(*row.own, *row.stored, value);
  }

  /// What storing the float layer's numbers alone would cost.
  static void addStorage(OwnError &own, const StoredValue &stored, const Tensor &value) {
    for (int64_t i = 0, n = value.size(); i < n; ++i) {
      double x = value.as<float>()[i], scale = stored.scaleMin;
      double inside = std::clamp(x, stored.low, stored.high);
      double q = std::nearbyint(inside / scale) * scale;
      own.rounding += (x - q) * (x - q);
      // Half a step outside is rounding still.
      if (std::abs(x - inside) <= scale / 2)
        continue;
      own.clipping += (x - q) * (x - q);
      ++own.clipped;
    }
  }

  /// Relative noises add up along the program, each layer passing on what it gets.
  void shareOut() {
    auto relative = [](const OwnError &own) {
      double error = own.agreement.relativeError().value_or(0);
      return error * error;
    };
    double total = 0;
    for (LayerReport *row : rows)
      if (row->own)
        total += relative(*row->own);
    for (LayerReport *row : rows)
      if (row->own && total > 0)
        row->own->share = relative(*row->own) / total;
  }

  Report &report;
  const ReportRequest &request;
  std::unique_ptr<Program> program, isolated;
  std::vector<LayerReport *> rows;
  llvm::StringMap<LayerReport *> rowOf;
};

} // namespace

llvm::Error measureAgreement(Report &report, const ReportRequest &request) {
  return AgreementMeasurement(report, request).run();
}

} // namespace dyadic
