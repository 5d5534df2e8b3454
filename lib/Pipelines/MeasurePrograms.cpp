// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sizes and times of the programs as they are compiled for the target. Each is compiled
// again here, so that what is written stays untouched.

#include "ProgramTiming.h"
#include "dyadic/Pipelines/CollectReport.h"
#include "dyadic/Runtime/SequenceLimits.h"
#include "dyadic/Support/Error.h"

using namespace mlir;

namespace dyadic {

/// Microseconds that a kernel's dot instructions take at `limits`; nothing where one is not known.
static std::optional<double> limitOf(const Kernel &kernel, const std::map<std::string, double> &limits) {
  double sum = 0;
  for (const auto &[sequence, products] : kernel.products) {
    auto limit = limits.find(sequence);
    if (limit == limits.end())
      return std::nullopt;
    sum += static_cast<double>(products) / limit->second;
  }
  return sum > 0 ? std::optional(sum) : std::nullopt;
}

/// The limits of all sequences of the kernels on this machine.
static llvm::Expected<std::map<std::string, double>> limitsFor(const std::vector<Kernel> &kernels,
                                                               const Target &target) {
  std::set<std::string> sequences;
  for (const Kernel &kernel : kernels)
    for (const auto &entry : kernel.products)
      sequences.insert(entry.first);
  return measureSequenceLimits(target, sequences);
}

/// Adds the kernels' times to the layers that they serve: of several the last, whose value a fused kernel stores.
static void attribute(const std::vector<Kernel> &kernels, ArrayRef<double> medians,
                      const std::map<std::string, double> &limits, ArrayRef<const LayerReport *> rows,
                      ProgramTimes &times, std::vector<std::string> &countedWith) {
  llvm::StringMap<size_t> indices;
  for (auto [i, row] : llvm::enumerate(rows))
    indices[row->id] = i;
  times.layers.resize(rows.size());
  times.limits.resize(rows.size());
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
    if (std::optional<double> limit = limitOf(kernel, limits))
      times.limits[last] = times.limits[last].value_or(0) + *limit;
    for (size_t i : served)
      if (i != last)
        countedWith[i] = rows[last]->id;
  }
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
  llvm::Expected<CompiledModule> second = compileCopy(module, here);
  if (!second)
    return second.takeError();
  ProgramTiming timing;
  if (llvm::Error error = timing.add(std::move(*compiled), /*hasClocks=*/false))
    return error;
  if (llvm::Error error = timing.add(std::move(*second), /*hasClocks=*/true))
    return error;
  llvm::Expected<ProgramTiming::Result> measured = timing.measure(*sample);
  if (!measured)
    return measured.takeError();
  times.emplace();
  times->runs = measured->runs;
  times->total = measured->programs[0].total;
  times->instrumented = measured->programs[1].total;
  countedWith.clear();
  llvm::Expected<std::map<std::string, double>> limits = limitsFor(timing.getKernels(1), here);
  if (!limits)
    return limits.takeError();
  attribute(timing.getKernels(1), measured->programs[1].kernels, *limits, report.rows(), *times, countedWith);
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
    llvm::Expected<Sample> chosen = timedSample(request.floatModule, request.samples, request.heldBack, times.sample);
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
