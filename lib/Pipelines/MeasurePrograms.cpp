// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sizes and times of the programs as they are compiled for the target. Each is compiled
// again here, so that what is written stays untouched.

#include "dyadic/Pipelines/CollectReport.h"
#include "dyadic/Pipelines/Diagnostics.h"
#include "dyadic/Support/Error.h"
#include <chrono>

using namespace mlir;

namespace dyadic {

static double median(std::vector<double> values) {
  if (values.empty())
    return 0;
  llvm::sort(values);
  return values[values.size() / 2];
}

static llvm::Expected<CompiledModule> compileCopy(ModuleOp module, const Target &target) {
  OwningOpRef<ModuleOp> copy = module.clone();
  DiagnosticCollector diagnostics(module.getContext());
  llvm::Expected<CompiledModule> compiled = compileModule(*copy, target, "program");
  if (!compiled)
    return diagnostics.takeError("program", llvm::toString(compiled.takeError()));
  return compiled;
}

//===----------------------------------------------------------------------===//
// Timing
//===----------------------------------------------------------------------===//

namespace {
/// One program with and without a clock around its kernels, run in turns.
class Timing {
public:
  // For each of the two programs, but never fewer than three runs of each copy.
  static constexpr std::chrono::milliseconds kBudget{400};
  static constexpr size_t kLeastRuns = 3, kMostRuns = 200;

  llvm::Error load(ModuleOp module, const Target &target, CompiledModule compiled) {
    llvm::Expected<CompiledModule> second = compileCopy(module, target);
    if (!second)
      return second.takeError();
    llvm::Expected<std::unique_ptr<Program>> loaded = loadJit(std::move(compiled));
    if (!loaded)
      return loaded.takeError();
    llvm::Expected<ProfiledProgram> profiled = ProfiledProgram::load(std::move(*second));
    if (!profiled)
      return profiled.takeError();
    plain = std::move(*loaded);
    instrumented = std::move(*profiled);
    return llvm::Error::success();
  }

  const std::vector<Kernel> &getKernels() const { return instrumented.getKernels(); }

  /// Median microseconds of every kernel; `times` gets those of the whole program.
  llvm::Expected<std::vector<double>> measure(const Sample &sample, ProgramTimes &times) {
    Sample inputs = quantizeInputs(*plain, sample);
    std::vector<const Tensor *> pointers;
    for (const Tensor &input : inputs.inputs)
      pointers.push_back(&input);
    std::string error;
    auto first = plain->prepare(pointers, 1, error);
    auto second = first ? instrumented.getProgram().prepare(pointers, 1, error) : nullptr;
    if (!second)
      return makeError(error);
    first->run(); // to warm up
    second->run();
    instrumented.takeNanoseconds();
    std::vector<double> totals, instrumentedTotals;
    std::vector<std::vector<double>> kernels(getKernels().size());
    auto start = std::chrono::steady_clock::now();
    for (times.runs = 0; times.runs < kMostRuns; ++times.runs) {
      if (times.runs >= kLeastRuns && std::chrono::steady_clock::now() - start > kBudget)
        break;
      totals.push_back(microseconds(*first));
      instrumentedTotals.push_back(microseconds(*second));
      for (auto [all, one] : llvm::zip(kernels, instrumented.takeNanoseconds()))
        all.push_back(static_cast<double>(one) / 1000);
    }
    times.total = median(totals);
    times.instrumented = median(instrumentedTotals);
    std::vector<double> medians;
    for (std::vector<double> &kernel : kernels)
      medians.push_back(median(std::move(kernel)));
    return medians;
  }

private:
  static double microseconds(Program::Call &call) {
    auto start = std::chrono::steady_clock::now();
    call.run();
    return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
  }

  std::unique_ptr<Program> plain;
  ProfiledProgram instrumented;
};
} // namespace

/// Adds the kernels' times to the layers that they serve: of several the last, whose value a fused kernel stores.
static void attribute(const std::vector<Kernel> &kernels, ArrayRef<double> medians, ArrayRef<const LayerReport *> rows,
                      ProgramTimes &times, std::vector<std::string> &countedWith) {
  llvm::StringMap<size_t> indices;
  for (auto [i, row] : llvm::enumerate(rows))
    indices[row->id] = i;
  times.layers.resize(rows.size());
  countedWith.resize(rows.size());
  for (auto [kernel, time] : llvm::zip(kernels, medians)) {
    times.kernels += time;
    SmallVector<size_t> served;
    for (const std::string &id : kernel.layers)
      if (auto found = indices.find(id); found != indices.end())
        served.push_back(found->second);
    if (served.empty()) {
      times.other += time;
      continue;
    }
    size_t last = *llvm::max_element(served);
    times.layers[last] = times.layers[last].value_or(0) + time;
    for (size_t i : served)
      if (i != last)
        countedWith[i] = rows[last]->id;
  }
}

/// The first held-back sample, or zeros where there is none.
static llvm::Expected<Sample> timedSample(const ReportRequest &request, Times &times) {
  if (!request.heldBack.empty()) {
    times.sample = request.heldBack[0];
    return request.samples->read(request.heldBack[0]);
  }
  llvm::Expected<std::vector<InputSpec>> specs = inputSpecs(request.floatModule);
  if (!specs)
    return specs.takeError();
  Sample zeros;
  for (const InputSpec &spec : *specs)
    zeros.inputs.emplace_back(spec.type, spec.shape);
  return zeros;
}

/// Sizes of one program and, with `sample`, its times.
static llvm::Error measureProgram(ModuleOp module, const Report &report, const ReportRequest &request,
                                  ProgramSizes &sizes, std::vector<Kernel> &kernels, const Sample *sample,
                                  std::optional<ProgramTimes> &times, std::vector<std::string> &countedWith) {
  llvm::Expected<CompiledModule> compiled = compileCopy(module, request.target);
  if (!compiled)
    return compiled.takeError();
  kernels = compiled->kernels;
  sizes.workspace = compiled->workspaceBytes;
  sizes.liveSet = compiled->liveSetBytes;
  llvm::Expected<int64_t> code = codeBytes(*compiled);
  if (!code)
    return code.takeError();
  sizes.code = *code;
  if (!sample)
    return llvm::Error::success();
  // Of several CPUs the one that a library would choose here.
  Target here = *runnableHere(request.target);
  if (here.cpus.size() != request.target.cpus.size())
    compiled = compileCopy(module, here);
  if (!compiled)
    return compiled.takeError();
  Timing timing;
  if (llvm::Error error = timing.load(module, here, std::move(*compiled)))
    return error;
  times.emplace();
  llvm::Expected<std::vector<double>> medians = timing.measure(*sample, *times);
  if (!medians)
    return medians.takeError();
  countedWith.clear();
  attribute(timing.getKernels(), *medians, report.rows(), *times, countedWith);
  return llvm::Error::success();
}

/// Says of every layer that multiplies how its kernel does; of several CPUs, on the best.
static void nameMethods(Report &report, const std::vector<Kernel> &kernels) {
  llvm::StringMap<std::string> methods;
  for (const Kernel &kernel : kernels)
    for (const std::string &id : kernel.layers)
      if (std::string &method = methods[id]; !kernel.method.empty())
        method = kernel.method;
  for (LayerReport &layer : report.layers)
    if (auto method = methods.find(layer.id); layer.macs > 0 && method != methods.end())
      layer.method = method->second.empty() ? "loops" : method->second;
}

llvm::Error measurePrograms(Report &report, const ReportRequest &request) {
  std::optional<Sample> sample;
  Times times;
  if (runnableHere(request.target)) {
    llvm::Expected<Sample> chosen = timedSample(request, times);
    if (!chosen)
      return chosen.takeError();
    sample = std::move(*chosen);
  } else {
    report.timesNote = "no times: this machine does not run the target " + report.target;
  }
  const Sample *timed = sample ? &*sample : nullptr;
  std::vector<Kernel> kernels;
  if (llvm::Error error = measureProgram(request.floatModule, report, request, report.floatSizes, kernels, timed,
                                         times.floating, times.countedWith))
    return error;
  if (request.program) // its kernels decide what is counted where
    if (llvm::Error error = measureProgram(request.program, report, request, report.integerSizes, kernels, timed,
                                           times.integer, times.countedWith))
      return error;
  nameMethods(report, kernels);
  if (timed)
    report.times = std::move(times);
  return llvm::Error::success();
}

} // namespace dyadic
