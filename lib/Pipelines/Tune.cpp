// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Pipelines/Tune.h"
#include "ProgramTiming.h"
#include "dyadic/Support/Error.h"
#include "dyadic/Transforms/Schedules.h"
#include <set>

using namespace mlir;

namespace dyadic {

/// What a candidate must save to be more than noise.
static constexpr double kLeastGain = 0.03;
/// Layers that are tried in float one by one, where all together gain nothing.
static constexpr size_t kMostFloatTrials = 8;

namespace {
/// Candidates are whole programs in which every layer has the same schedule: a kernel is timed among its neighbours,
/// with the caches that they leave.
class Tuner {
public:
  Tuner(const TuneRequest &request, Plan &plan, const Listener &listener)
      : request(request), plan(plan), listener(listener), cpu(request.here.cpus.front().family->name.str()) {}

  llvm::Expected<TuneReport> run() {
    plan.schedules.erase(cpu);
    Plan complete = plan;
    if (llvm::Error error = requantize(complete, program))
      return std::move(error);
    for (const auto &[id, layer] : complete.layers)
      linear.insert(id);
    if (llvm::Error error = timeCandidates())
      return std::move(error);
    LayerSchedules chosen = choose();
    if (llvm::Error error = verify(std::move(chosen)))
      return std::move(error);
    if (request.mayFloat)
      if (llvm::Error error = tryFloat())
        return std::move(error);
    return std::move(report);
  }

private:
  using Kernel = KernelSchedule::Kernel;
  using Order = KernelSchedule::Order;

  /// The integer program of `plan`, which comes back complete.
  llvm::Error requantize(Plan &plan, OwningOpRef<ModuleOp> &result) {
    result = ModuleOp(request.floatModule).clone();
    return quantizeModel(*result, request.file, *request.ranges, plan, QuantizeOptions());
  }

  /// All candidates, the first of which is the compiler's own choice.
  std::vector<KernelSchedule> candidates(bool hasWinograd) const {
    std::vector<KernelSchedule> result(1);
    for (Order order : {Order::Lines, Order::Panels})
      result.push_back({Kernel::Auto, order, 0});
    if (hasWinograd)
      result.push_back({Kernel::Direct, Order::Auto, 0});
    for (unsigned rows : {2u, 3u, 5u, 6u, 8u, 12u})
      result.push_back({Kernel::Auto, Order::Auto, rows});
    return result;
  }

  /// Compiles the program with one schedule for all layers that have one.
  llvm::Expected<CompiledModule> compileWith(const LayerSchedules &schedules) {
    setSchedules(*program, {{cpu, schedules}});
    return compileCopy(*program, request.here);
  }

  llvm::Error timeCandidates() {
    llvm::Expected<CompiledModule> own = compileWith({});
    if (!own)
      return own.takeError();
    bool hasWinograd = false;
    for (const dyadic::Kernel &kernel : own->kernels) {
      hasWinograd |= llvm::StringRef(kernel.method).starts_with("winograd");
      // A schedule is for the layer that multiplies, not for one that its kernel takes in.
      if (!kernel.method.empty() && kernel.method != "fma")
        for (const std::string &id : kernel.layers)
          if (linear.count(id))
            layers.insert(id);
    }
    all = candidates(hasWinograd);
    ProgramTiming timing;
    for (auto [i, schedule] : llvm::enumerate(all)) {
      if (listener.isInterrupted && listener.isInterrupted())
        return makeError("interrupted");
      listener.stage("tuning")(i, all.size());
      LayerSchedules same;
      for (const std::string &id : layers)
        same[id] = schedule;
      llvm::Expected<CompiledModule> compiled = i == 0 ? std::move(own) : compileWith(same);
      if (!compiled)
        return compiled.takeError();
      if (llvm::Error error = timing.add(std::move(*compiled), /*hasClocks=*/true))
        return error;
    }
    llvm::Expected<ProgramTiming::Result> measured = timing.measure(request.sample, budget());
    listener.stage("tuning")(all.size(), all.size());
    if (!measured)
      return measured.takeError();
    for (size_t i = 0; i < all.size(); ++i)
      times.push_back(timesByLayer(timing.getKernels(i), measured->programs[i].kernels));
    return llvm::Error::success();
  }

  static TimingBudget budget() {
    TimingBudget result;
    result.perProgram = std::chrono::milliseconds(300);
    result.leastRuns = 5;
    return result;
  }

  /// The fastest candidate of every layer where it gains enough: of kernel, order and rows each the best, as if they
  /// were independent.
  LayerSchedules choose() {
    LayerSchedules chosen;
    for (const std::string &id : layers) {
      double own = times[0][id];
      auto gains = [&](size_t i, double than) { return times[i][id] < (1 - kLeastGain) * than; };
      KernelSchedule schedule;
      double bestOrder = own, bestRows = own;
      for (size_t i = 1; i < all.size(); ++i) {
        const KernelSchedule &candidate = all[i];
        if (candidate.kernel != Kernel::Auto && gains(i, own))
          schedule.kernel = candidate.kernel;
        if (candidate.order != Order::Auto && gains(i, bestOrder)) {
          schedule.order = candidate.order;
          bestOrder = times[i][id];
        }
        if (candidate.rows != 0 && gains(i, bestRows)) {
          schedule.rows = candidate.rows;
          bestRows = times[i][id];
        }
      }
      // What was measured with Winograd's kernel says nothing about the direct one.
      if (schedule.kernel == Kernel::Direct)
        schedule = {Kernel::Direct, Order::Auto, 0};
      if (schedule != KernelSchedule())
        chosen[id] = schedule;
    }
    return chosen;
  }

  /// Times the program with the chosen schedules next to the one without; a layer that does not gain in it keeps the
  /// compiler's own.
  llvm::Error verify(LayerSchedules chosen) {
    report.cpu = cpu;
    ProgramTiming timing;
    auto add = [&](const LayerSchedules &schedules) -> llvm::Error {
      llvm::Expected<CompiledModule> compiled = compileWith(schedules);
      return compiled ? timing.add(std::move(*compiled), /*hasClocks=*/true) : compiled.takeError();
    };
    if (llvm::Error error = add({}))
      return error;
    for (int round = 0;; ++round) {
      if (llvm::Error error = add(chosen))
        return error;
      llvm::Expected<ProgramTiming::Result> measured = timing.measure(request.sample, budget());
      if (!measured)
        return measured.takeError();
      std::map<std::string, double> before = timesByLayer(timing.getKernels(0), measured->programs[0].kernels);
      std::map<std::string, double> after = timesByLayer(timing.getKernels(1), measured->programs[1].kernels);
      report.before = report.after = measured->programs[0].total;
      current = after;
      LayerSchedules kept;
      for (const auto &[id, schedule] : chosen)
        if (after[id] < before[id])
          kept[id] = schedule;
      bool isStable = kept.size() == chosen.size();
      if (!isStable && round == 0) {
        chosen = std::move(kept); // measured once more without those
        timing.removeLast();
        continue;
      }
      setSchedules(*program, {});
      if (chosen.empty() || measured->programs[1].total >= measured->programs[0].total) {
        current = before;
        return llvm::Error::success();
      }
      report.after = measured->programs[1].total;
      for (const auto &[id, schedule] : chosen)
        report.layers.push_back({id, schedule, false, before[id], after[id]});
      plan.schedules[cpu] = chosen;
      return llvm::Error::success();
    }
  }

  /// Layers that their float kernels compute faster, in float: all of them, or one by one.
  llvm::Error tryFloat() {
    llvm::Expected<CompiledModule> compiled = compileCopy(request.floatModule, request.here);
    if (!compiled)
      return compiled.takeError();
    ProgramTiming timing;
    if (llvm::Error error = timing.add(std::move(*compiled), /*hasClocks=*/true))
      return error;
    llvm::Expected<ProgramTiming::Result> measured = timing.measure(request.sample, budget());
    if (!measured)
      return measured.takeError();
    std::map<std::string, double> inFloat = timesByLayer(timing.getKernels(0), measured->programs[0].kernels);
    std::vector<std::pair<double, std::string>> gains;
    for (const std::string &id : layers)
      if (double gain = current[id] - inFloat[id]; inFloat.count(id) && gain > kLeastGain * current[id])
        gains.emplace_back(gain, id);
    llvm::sort(gains, [](const auto &a, const auto &b) { return a.first > b.first; });
    if (gains.empty())
      return llvm::Error::success();
    std::vector<std::string> ids;
    for (const auto &[gain, id] : gains)
      ids.push_back(id);
    llvm::Expected<bool> together = keepIfFaster(ids);
    if (!together || *together || ids.size() == 1)
      return together.takeError();
    ids.resize(std::min(ids.size(), kMostFloatTrials));
    for (const std::string &id : ids)
      if (llvm::Expected<bool> alone = keepIfFaster({id}); !alone)
        return alone.takeError();
    return llvm::Error::success();
  }

  /// Computes the layers in float where the program gains by it.
  llvm::Expected<bool> keepIfFaster(llvm::ArrayRef<std::string> ids) {
    Plan trial = plan;
    for (const std::string &id : ids) {
      trial.layers[id].isFloat = true;
      if (auto schedules = trial.schedules.find(cpu); schedules != trial.schedules.end())
        schedules->second.erase(id);
    }
    ProgramTiming timing;
    for (Plan candidate : {plan, trial}) {
      OwningOpRef<ModuleOp> module;
      if (llvm::Error error = requantize(candidate, module))
        return std::move(error);
      llvm::Expected<CompiledModule> compiled = compileCopy(*module, request.here);
      if (!compiled)
        return compiled.takeError();
      if (llvm::Error error = timing.add(std::move(*compiled), /*hasClocks=*/false))
        return std::move(error);
    }
    llvm::Expected<ProgramTiming::Result> measured = timing.measure(request.sample, budget());
    if (!measured)
      return measured.takeError();
    double before = measured->programs[0].total, after = measured->programs[1].total;
    if (after >= (1 - kLeastGain / 3) * before)
      return false;
    plan = std::move(trial);
    report.after *= after / before;
    for (const std::string &id : ids) {
      llvm::erase_if(report.layers, [&](const TunedLayer &layer) { return layer.id == id; });
      report.layers.push_back({id, KernelSchedule(), true, current[id], 0});
    }
    return true;
  }

  const TuneRequest &request;
  Plan &plan;
  const Listener &listener;
  std::string cpu;
  OwningOpRef<ModuleOp> program;
  std::set<std::string> linear, layers; // ids: of convolutions and matmuls; of those that have schedules
  std::vector<KernelSchedule> all;
  std::vector<std::map<std::string, double>> times; // by candidate, by layer
  std::map<std::string, double> current;            // of the plan as it stands, by layer
  TuneReport report;
};
} // namespace

llvm::Expected<TuneReport> tune(const TuneRequest &request, Plan &plan, const Listener &listener) {
  return Tuner(request, plan, listener).run();
}

} // namespace dyadic
