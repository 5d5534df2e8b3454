// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ProgramTiming.h"
#include "dyadic/Pipelines/Diagnostics.h"
#include "dyadic/Support/Error.h"

using namespace mlir;
using std::chrono::steady_clock;

namespace dyadic {

llvm::Expected<CompiledModule> compileCopy(ModuleOp module, const Target &target) {
  OwningOpRef<ModuleOp> copy = module.clone();
  DiagnosticCollector diagnostics(module.getContext());
  llvm::Expected<CompiledModule> compiled = compileModule(*copy, target, "program");
  if (!compiled)
    return diagnostics.takeError("program", llvm::toString(compiled.takeError()));
  return compiled;
}

double median(std::vector<double> values) {
  if (values.empty())
    return 0;
  llvm::sort(values);
  return values[values.size() / 2];
}

llvm::Expected<Sample> timedSample(ModuleOp floatModule, SampleSet *samples, ArrayRef<size_t> heldBack,
                                   std::optional<size_t> &index) {
  if (!heldBack.empty()) {
    index = heldBack[0];
    return samples->read(heldBack[0]);
  }
  llvm::Expected<std::vector<InputSpec>> specs = inputSpecs(floatModule);
  if (!specs)
    return specs.takeError();
  Sample zeros;
  for (const InputSpec &spec : *specs)
    zeros.inputs.emplace_back(spec.type, spec.shape);
  return zeros;
}

llvm::Error ProgramTiming::add(CompiledModule compiled, bool hasClocks) {
  Entry entry;
  if (hasClocks) {
    llvm::Expected<ProfiledProgram> loaded = ProfiledProgram::load(std::move(compiled));
    if (!loaded)
      return loaded.takeError();
    entry.clocked = std::move(*loaded);
  } else {
    llvm::Expected<std::unique_ptr<Program>> loaded = loadJit(std::move(compiled));
    if (!loaded)
      return loaded.takeError();
    entry.plain = std::move(*loaded);
  }
  programs.push_back(std::move(entry));
  return llvm::Error::success();
}

namespace {
/// A call of a program on inputs of its own, and its times so far.
struct Turn {
  Sample inputs;
  std::unique_ptr<Program::Call> call;
  std::vector<double> totals;
  std::vector<std::vector<double>> kernels;
};
} // namespace

llvm::Expected<ProgramTiming::Result> ProgramTiming::measure(const Sample &sample, const TimingBudget &budget) {
  std::vector<Turn> turns(programs.size());
  for (auto [entry, turn] : llvm::zip(programs, turns)) {
    turn.inputs = quantizeInputs(entry.program(), sample);
    std::vector<const Tensor *> pointers;
    for (const Tensor &input : turn.inputs.inputs)
      pointers.push_back(&input);
    std::string error;
    turn.call = entry.program().prepare(pointers, 1, error);
    if (!turn.call)
      return makeError(error);
    if (!entry.plain)
      turn.kernels.resize(entry.clocked.getKernels().size());
  }
  Result result;
  steady_clock::time_point start = steady_clock::now();
  for (; result.runs < budget.mostRuns; ++result.runs) {
    if (result.runs >= budget.leastRuns && steady_clock::now() - start > budget.perProgram * programs.size())
      break;
    for (auto [entry, turn] : llvm::zip(programs, turns)) {
      turn.call->run(); // the others have left its caches without its code, weights and values
      if (!entry.plain)
        entry.clocked.takeNanoseconds();
      steady_clock::time_point before = steady_clock::now();
      turn.call->run();
      turn.totals.push_back(std::chrono::duration<double, std::micro>(steady_clock::now() - before).count());
      if (!entry.plain)
        for (auto [all, one] : llvm::zip(turn.kernels, entry.clocked.takeNanoseconds()))
          all.push_back(static_cast<double>(one) / 1000);
    }
  }
  for (Turn &turn : turns) {
    Times &times = result.programs.emplace_back();
    times.total = median(std::move(turn.totals));
    for (std::vector<double> &kernel : turn.kernels)
      times.kernels.push_back(median(std::move(kernel)));
  }
  return result;
}

std::map<std::string, double> timesByLayer(const std::vector<Kernel> &kernels, ArrayRef<double> times) {
  std::map<std::string, double> result;
  for (auto [kernel, time] : llvm::zip(kernels, times))
    for (const std::string &id : kernel.layers)
      result[id] += time;
  return result;
}

} // namespace dyadic
