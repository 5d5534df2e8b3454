// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The problem as an integer program, solved by HiGHS (Huangfu and Hall 2018; MIT licence).
// A pair term is a variable for every two choices, whose sums are those of the choices
// (the local polytope). The library is loaded when it is asked for: a tool that never
// does starts without it.

#include "Core.h"
#include "Solvers.h"
#include "dyadic/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/ScopeExit.h"
#include <cmath>
#ifdef DYADIC_HIGHS_LIBRARY
#include "interfaces/highs_c_api.h"
#include <dlfcn.h>
#endif

namespace dyadic {

#ifndef DYADIC_HIGHS_LIBRARY

bool hasHighs() { return false; }

llvm::Expected<SolverOutcome> solveByHighs(const ExactProblem &exact, const SolveOptions &options) {
  return makeError(
      "highs: not part of this build: HiGHS was not found when it was configured (utils/setup.sh gets it)");
}

#else

namespace {

/// Tolerances of feasibility and optimality, the smallest that HiGHS accepts times ten.
constexpr double kTolerance = 1e-9;
/// The objective is scaled so that its largest number is this one.
constexpr double kObjectiveSize = 1e4;
/// Plans that HiGHS takes for feasible and exact sums do not, until it is given up.
constexpr int kMaxRejected = 50;

/// The functions of the C interface that are used.
struct Highs {
  decltype(&Highs_create) create = nullptr;
  decltype(&Highs_destroy) destroy = nullptr;
  decltype(&Highs_setBoolOptionValue) setBool = nullptr;
  decltype(&Highs_setIntOptionValue) setInt = nullptr;
  decltype(&Highs_setDoubleOptionValue) setDouble = nullptr;
  decltype(&Highs_passMip) passMip = nullptr;
  decltype(&Highs_addRow) addRow = nullptr;
  decltype(&Highs_setCallback) setCallback = nullptr;
  decltype(&Highs_startCallback) startCallback = nullptr;
  decltype(&Highs_run) run = nullptr;
  decltype(&Highs_getModelStatus) modelStatus = nullptr;
  decltype(&Highs_getSolution) solution = nullptr;
  decltype(&Highs_getIntInfoValue) intInfo = nullptr;
  decltype(&Highs_getDoubleInfoValue) doubleInfo = nullptr;
  std::string error;
};

Highs load() {
  Highs highs;
  const char *path = std::getenv("DYADIC_HIGHS");
  void *library = dlopen(path ? path : DYADIC_HIGHS_LIBRARY, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    highs.error = dlerror();
    return highs;
  }
  auto find = [&](auto &function, const char *name) {
    function = reinterpret_cast<std::decay_t<decltype(function)>>(dlsym(library, name));
    if (!function)
      highs.error = std::string("it has no function ") + name;
  };
  find(highs.create, "Highs_create");
  find(highs.destroy, "Highs_destroy");
  find(highs.setBool, "Highs_setBoolOptionValue");
  find(highs.setInt, "Highs_setIntOptionValue");
  find(highs.setDouble, "Highs_setDoubleOptionValue");
  find(highs.passMip, "Highs_passMip");
  find(highs.addRow, "Highs_addRow");
  find(highs.setCallback, "Highs_setCallback");
  find(highs.startCallback, "Highs_startCallback");
  find(highs.run, "Highs_run");
  find(highs.modelStatus, "Highs_getModelStatus");
  find(highs.solution, "Highs_getSolution");
  find(highs.intInfo, "Highs_getIntInfoValue");
  find(highs.doubleInfo, "Highs_getDoubleInfoValue");
  return highs;
}

const Highs &library() {
  static const Highs highs = load();
  return highs;
}

/// The program, by rows.
struct Program {
  std::vector<double> cost, rowLower, rowUpper, value;
  std::vector<HighsInt> start, index, integrality;

  void openRow(double lower, double upper) {
    start.push_back(static_cast<HighsInt>(index.size()));
    rowLower.push_back(lower);
    rowUpper.push_back(upper);
  }
  void entry(size_t column, double coefficient) {
    index.push_back(static_cast<HighsInt>(column));
    value.push_back(coefficient);
  }
};

/// A column for every item, in the order of the core's items by local, then one for every two of a pair.
Program programOf(const Core &core, double scale) {
  Program program;
  auto column = [&](size_t g, size_t local) { return core.first[g] + local; };
  for (size_t g = 0; g < core.size(); ++g)
    for (size_t i = 0; i < core.numItems(g); ++i) {
      program.cost.push_back(core.item(g, i).perturbation * scale);
      program.integrality.push_back(kHighsVarTypeInteger);
    }
  for (size_t g = 0; g < core.size(); ++g) {
    program.openRow(1, 1);
    for (size_t i = 0; i < core.numItems(g); ++i)
      program.entry(column(g, i), 1);
  }
  for (size_t k = 0; k < core.exact->limited().size(); ++k) {
    double size = core.limits[k] > 0 ? core.limits[k] : 1;
    program.openRow(-HUGE_VAL, core.limits[k] / size);
    for (size_t g = 0; g < core.size(); ++g)
      for (size_t i = 0; i < core.numItems(g); ++i)
        if (double weight = core.item(g, i).weights[k]; weight > 0)
          program.entry(column(g, i), weight / size);
  }
  for (const CorePair &pair : core.pairs) {
    size_t first = program.cost.size(), rows = core.numItems(pair.a), columns = core.numItems(pair.b);
    for (double value : pair.table) {
      program.cost.push_back(value * scale);
      program.integrality.push_back(kHighsVarTypeContinuous);
    }
    for (size_t i = 0; i < rows; ++i) {
      program.openRow(0, 0);
      program.entry(column(pair.a, i), -1);
      for (size_t j = 0; j < columns; ++j)
        program.entry(first + i * columns + j, 1);
    }
    for (size_t j = 0; j < columns; ++j) {
      program.openRow(0, 0);
      program.entry(column(pair.b, j), -1);
      for (size_t i = 0; i < rows; ++i)
        program.entry(first + i * columns + j, 1);
    }
  }
  return program;
}

void onCallback(int, const char *, const HighsCallbackDataOut *, HighsCallbackDataIn *in, void *data) {
  const auto &options = *static_cast<const SolveOptions *>(data);
  if (in && options.isInterrupted && options.isInterrupted())
    in->user_interrupt = 1;
}

/// The choices of a solution: the largest variable of every group.
CoreChoices choicesOf(const Core &core, llvm::ArrayRef<double> values) {
  CoreChoices choices;
  for (size_t g = 0; g < core.size(); ++g) {
    size_t best = 0;
    for (size_t i = 1; i < core.numItems(g); ++i)
      if (values[core.first[g] + i] > values[core.first[g] + best])
        best = i;
    choices.push_back(best);
  }
  return choices;
}

/// Solves the program until its plan meets the limits exactly.
class Run {
public:
  Run(const Highs &highs, const Core &core, const SolveOptions &options)
      : highs(highs), core(core), options(options), model(highs.create()) {}
  ~Run() { highs.destroy(model); }
  Run(const Run &) = delete;

  bool pass(const Program &program);
  bool solve();
  /// Rules out the plan.
  bool exclude(const CoreChoices &choices);

  HighsInt status = 0;
  std::optional<CoreChoices> choices;
  double bound = -HUGE_VAL; // of the program's objective

private:
  const Highs &highs;
  const Core &core;
  const SolveOptions &options;
  void *model;
  size_t numColumns = 0, numRows = 0;
};

bool Run::pass(const Program &program) {
  numColumns = program.cost.size();
  numRows = program.rowLower.size();
  std::vector<double> lower(numColumns, 0.0), upper(numColumns, 1.0);
  highs.setBool(model, "output_flag", 0);
  highs.setInt(model, "threads", 1);
  highs.setDouble(model, "mip_rel_gap", 0);
  highs.setDouble(model, "mip_abs_gap", 0);
  highs.setDouble(model, "mip_feasibility_tolerance", kTolerance);
  highs.setDouble(model, "primal_feasibility_tolerance", kTolerance);
  highs.setDouble(model, "dual_feasibility_tolerance", kTolerance);
  highs.setCallback(model, onCallback, const_cast<SolveOptions *>(&options));
  highs.startCallback(model, kHighsCallbackMipInterrupt);
  return highs.passMip(model, static_cast<HighsInt>(numColumns), static_cast<HighsInt>(numRows),
                       static_cast<HighsInt>(program.index.size()), kHighsMatrixFormatRowwise, kHighsObjSenseMinimize,
                       0, program.cost.data(), lower.data(), upper.data(), program.rowLower.data(),
                       program.rowUpper.data(), program.start.data(), program.index.data(), program.value.data(),
                       program.integrality.data()) != kHighsStatusError;
}

bool Run::solve() {
  choices.reset();
  if (highs.run(model) == kHighsStatusError)
    return false;
  status = highs.modelStatus(model);
  HighsInt found = 0;
  highs.intInfo(model, "primal_solution_status", &found);
  if (highs.doubleInfo(model, "mip_dual_bound", &bound) == kHighsStatusError)
    bound = -HUGE_VAL;
  constexpr HighsInt kFeasible = 2;
  if (found != kFeasible)
    return true;
  std::vector<double> values(numColumns), columnDuals(numColumns), rows(numRows), rowDuals(numRows);
  if (highs.solution(model, values.data(), columnDuals.data(), rows.data(), rowDuals.data()) == kHighsStatusError)
    return false;
  choices = choicesOf(core, values);
  return true;
}

bool Run::exclude(const CoreChoices &plan) {
  std::vector<HighsInt> index;
  for (size_t g = 0; g < core.size(); ++g)
    index.push_back(static_cast<HighsInt>(core.first[g] + plan[g]));
  std::vector<double> ones(index.size(), 1.0);
  ++numRows;
  return highs.addRow(model, -HUGE_VAL, static_cast<double>(index.size()) - 1, static_cast<HighsInt>(index.size()),
                      index.data(), ones.data()) != kHighsStatusError;
}

} // namespace

bool hasHighs() { return library().error.empty(); }

llvm::Expected<SolverOutcome> solveByHighs(const ExactProblem &exact, const SolveOptions &options) {
  const Highs &highs = library();
  if (!highs.error.empty())
    return makeError("highs: the library cannot be loaded: " + printable(highs.error));
  SolverOutcome outcome;
  std::optional<Core> core = Core::presolved(exact, options.isInterrupted);
  outcome.isComplete = !core;
  if (!core)
    return outcome;
  auto accept = [&](const CoreChoices &plan) {
    Choices choices = core->expand(plan);
    if (!exact.meetsLimits(choices))
      return false;
    outcome.best = Incumbent{choices, exact.objective(choices)};
    return true;
  };
  if (core->size() == 0) { // presolve has decided all
    accept({});
    outcome.isComplete = true;
    return outcome;
  }

  double largest = 0;
  for (const CoreItem &item : core->items)
    largest = std::max(largest, item.perturbation);
  for (const CorePair &pair : core->pairs)
    for (double value : pair.table)
      largest = std::max(largest, value);
  double scale = largest > 0 ? kObjectiveSize / largest : 1;
  Run run(highs, *core, options);
  if (!run.pass(programOf(*core, scale)))
    return makeError("highs: refuses the program");
  for (int rejected = 0; rejected <= kMaxRejected; ++rejected) {
    if (!run.solve())
      return makeError("highs: failed");
    // The bound holds within the tolerances of HiGHS.
    if (std::isfinite(run.bound))
      outcome.bound = core->toReal(std::max(0.0, run.bound - kTolerance) / scale);
    if (run.status == kHighsModelStatusInfeasible) {
      outcome.isComplete = true;
      outcome.bound = std::nullopt;
      return outcome;
    }
    if (!run.choices || accept(*run.choices) || run.status != kHighsModelStatusOptimal)
      return outcome;
    if (!run.exclude(*run.choices))
      return makeError("highs: failed");
  }
  return outcome;
}

#endif

} // namespace dyadic
