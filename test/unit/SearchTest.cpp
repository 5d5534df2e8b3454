// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The assignment problem: exact sums, and solvers against trying every plan.

#include "dyadic/Search/DecimalScale.h"
#include "dyadic/Search/Solver.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace dyadic;

namespace {

//===----------------------------------------------------------------------===//
// Exact sums
//===----------------------------------------------------------------------===//

llvm::APInt sumOf(const DecimalScale &scale, llvm::ArrayRef<double> numbers) {
  llvm::APInt sum = scale.zero();
  for (double number : numbers)
    sum += scale.toInteger(number);
  return sum;
}

TEST(DecimalScaleTest, SumsOfDecimalsAreExact) {
  std::vector<double> numbers = {0.1, 0.2, 0.3};
  DecimalScale scale(numbers, 3);
  EXPECT_NE(0.1 + 0.2, 0.3);
  EXPECT_EQ(sumOf(scale, {0.1, 0.2}), scale.toInteger(0.3));
  EXPECT_EQ(scale.toDouble(sumOf(scale, {0.1, 0.2})), 0.3);
  std::vector<double> many(10000, 0.1);
  EXPECT_EQ(DecimalScale(many, many.size()).toDouble(sumOf(DecimalScale(many, many.size()), many)), 1000.0);
}

TEST(DecimalScaleTest, NumbersOfAnySizeComeBack) {
  for (std::vector<double> numbers : {std::vector<double>{1e300, 1e-300, -1.5, 0.0},
                                      {5e-324, 1.7976931348623157e308},
                                      {0.0, 0.0},
                                      {1234567890123456.0},
                                      {-7.25e-10, 3.0, 1e22},
                                      {0.9999999999999999, 1e-17}}) {
    DecimalScale scale(numbers, 2);
    for (double number : numbers) {
      EXPECT_EQ(scale.toDouble(scale.toInteger(number)), number);
      EXPECT_NEAR(scale.toNearby(scale.toInteger(number)), number, std::fabs(number) * 0x1p-50);
    }
  }
}

TEST(DecimalScaleTest, FastConversionIsNear) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 1000; ++i) {
    double a = std::ldexp(static_cast<double>(random() >> 11), static_cast<int>(random() % 60) - 90);
    double b = std::ldexp(static_cast<double>(random() >> 11), static_cast<int>(random() % 60) - 90);
    DecimalScale scale({a, b}, 2);
    llvm::APInt difference = scale.toInteger(a) - scale.toInteger(b);
    double exact = scale.toDouble(difference);
    EXPECT_NEAR(scale.toNearby(difference), exact, std::fabs(exact) * 0x1p-50);
  }
}

//===----------------------------------------------------------------------===//
// Problems
//===----------------------------------------------------------------------===//

/// What random numbers look like.
enum class Numbers { Any, Decimal, Few };

class Maker {
public:
  Maker(unsigned seed, Numbers kind) : random(seed), kind(kind) {}

  double number(bool mayBeNegative = false) {
    double value = static_cast<double>(random() >> 11) * 0x1p-53;
    if (kind == Numbers::Decimal)
      value = static_cast<double>(random() % 1000) / 1000;
    if (kind == Numbers::Few)
      value = static_cast<double>(random() % 4);
    return mayBeNegative && random() % 3 == 0 ? -value : value;
  }

  /// Limits on the first `limits` costs, a `tightness` of the way between the least and the largest sums.
  AssignmentProblem problem(size_t groups, size_t choices, size_t limits, double tightness) {
    AssignmentProblem result;
    for (size_t i = 0; i < groups; ++i) {
      ChoiceGroup group;
      group.name = "g" + std::to_string(i);
      group.layers = {group.name};
      for (size_t j = 0; j < choices; ++j) {
        BitChoice choice{"w" + std::to_string(j), number(), {}};
        for (std::optional<double> &cost : choice.costs)
          cost = number();
        group.choices.push_back(choice);
      }
      result.groups.push_back(i % 4 == 3 && random() % 2 ? result.groups[i - 1] : group); // twins
      result.groups.back().name = group.name;
      result.groups.back().layers = group.layers;
    }
    for (size_t k = 0; k < limits; ++k) {
      double least = 0, most = 0;
      for (const ChoiceGroup &group : result.groups) {
        auto [low, high] = std::minmax_element(group.choices.begin(), group.choices.end(),
                                               [&](auto &a, auto &b) { return *a.costs[k] < *b.costs[k]; });
        least += *low->costs[k];
        most += *high->costs[k];
      }
      double limit = least + tightness * (most - least);
      result.limits[k] = kind == Numbers::Any ? limit : std::round(limit * 1000) / 1000;
    }
    return result;
  }

  void addPair(AssignmentProblem &problem, size_t a, size_t b) {
    PairTerm pair{a, b, {}};
    for (size_t i = 0; i < problem.groups[a].choices.size(); ++i) {
      pair.perturbation.emplace_back();
      for (size_t j = 0; j < problem.groups[b].choices.size(); ++j)
        pair.perturbation.back().push_back(number(/*mayBeNegative=*/true));
    }
    problem.pairs.push_back(pair);
  }

private:
  std::mt19937_64 random;
  Numbers kind;
};

/// Exact numbers of the problem, by ways of their own: decimals as integers of 10^-30.
struct Sums {
  explicit Sums(const AssignmentProblem &problem) : problem(problem) {
    std::vector<double> numbers = {1e-20};
    auto add = [&](double number) { numbers.push_back(number); };
    for (const ChoiceGroup &group : problem.groups)
      for (const BitChoice &choice : group.choices) {
        add(choice.perturbation);
        for (const std::optional<double> &cost : choice.costs)
          add(*cost);
      }
    for (const std::optional<double> &limit : problem.limits)
      add(limit.value_or(0));
    for (const PairTerm &pair : problem.pairs)
      for (const auto &row : pair.perturbation)
        llvm::for_each(row, add);
    scale.emplace(numbers, 1000);
  }

  llvm::APInt objective(const Choices &plan) const {
    llvm::APInt sum = scale->zero();
    for (auto [group, choice] : llvm::zip(problem.groups, plan))
      sum += scale->toInteger(group.choices[choice].perturbation);
    for (const PairTerm &pair : problem.pairs)
      sum += scale->toInteger(pair.perturbation[plan[pair.a]][plan[pair.b]]);
    return sum;
  }
  bool fits(const Choices &plan, std::optional<size_t> except = std::nullopt) const {
    for (size_t k = 0; k < kNumCosts; ++k)
      if (problem.limits[k] && k != except && cost(plan, k).sgt(scale->toInteger(*problem.limits[k])))
        return false;
    return true;
  }
  llvm::APInt cost(const Choices &plan, size_t k) const {
    llvm::APInt sum = scale->zero();
    for (auto [group, choice] : llvm::zip(problem.groups, plan))
      sum += scale->toInteger(*group.choices[choice].costs[k]);
    return sum;
  }

  const AssignmentProblem &problem;
  std::optional<DecimalScale> scale;
};

/// Calls `visit` for every plan, in order.
void eachPlan(const AssignmentProblem &problem, llvm::function_ref<void(const Choices &)> visit) {
  Choices plan(problem.groups.size(), 0);
  while (true) {
    visit(plan);
    size_t i = plan.size();
    while (i > 0 && ++plan[i - 1] == problem.groups[i - 1].choices.size())
      plan[--i] = 0;
    if (i == 0)
      return;
  }
}

/// The first of the best plans; empty where none meets the limits.
Choices bestPlan(const AssignmentProblem &problem) {
  Sums sums(problem);
  Choices best;
  llvm::APInt least;
  eachPlan(problem, [&](const Choices &plan) {
    if (!sums.fits(plan))
      return;
    llvm::APInt objective = sums.objective(plan);
    if (best.empty() || objective.slt(least)) {
      best = plan;
      least = objective;
    }
  });
  return best;
}

Solution solved(const AssignmentProblem &problem, SolverKind kind) {
  SolveOptions options;
  options.solver = kind;
  options.evolution.generations = 50;
  llvm::Expected<Solution> solution = solve(problem, options);
  if (!solution) {
    ADD_FAILURE() << llvm::toString(solution.takeError());
    return {};
  }
  return *solution;
}

void expectOptimal(const AssignmentProblem &problem, SolverKind kind = SolverKind::BranchAndBound) {
  Choices best = bestPlan(problem);
  Solution solution = solved(problem, kind);
  if (best.empty()) {
    EXPECT_EQ(solution.status, SolveStatus::Infeasible);
    return;
  }
  Sums sums(problem);
  double objective = sums.scale->toDouble(sums.objective(best));
  ASSERT_EQ(solution.status, SolveStatus::Optimal);
  EXPECT_EQ(solution.choices, best);
  EXPECT_EQ(solution.objective, objective);
  ASSERT_TRUE(solution.bound.has_value());
  EXPECT_LE(*solution.bound, objective);
  EXPECT_LE(objective - *solution.bound, 1e-9 * std::fabs(objective));
  for (size_t k = 0; k < kNumCosts; ++k)
    EXPECT_EQ(solution.costs[k], sums.scale->toDouble(sums.cost(best, k)));
}

class SearchTest : public testing::TestWithParam<Numbers> {};

TEST_P(SearchTest, FindsTheFirstBestPlan) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    Maker maker(seed, GetParam());
    expectOptimal(maker.problem(1 + seed % 7, 1 + seed % 4, seed % 4, 0.1 * (1 + seed % 9)));
  }
}

TEST_P(SearchTest, FindsTheFirstBestPlanWithPairTerms) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    Maker maker(seed, GetParam());
    AssignmentProblem problem = maker.problem(6, 3, seed % 4, 0.2 * (1 + seed % 4));
    // A chain, a chain with a connection that passes a group by, a star and a cycle of all.
    for (size_t i = 0; i + 1 < 6; ++i)
      maker.addPair(problem, seed % 4 == 2 ? 5 : i + 1, i);
    if (seed % 4 == 1)
      maker.addPair(problem, 0, 2);
    if (seed % 4 == 3)
      maker.addPair(problem, 0, 5);
    expectOptimal(problem);
  }
}

TEST_P(SearchTest, HeuristicsKeepTheirPromises) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    Maker maker(seed, GetParam());
    AssignmentProblem problem = maker.problem(6, 4, 1, 0.15 * (1 + seed % 6));
    Choices best = bestPlan(problem);
    Sums sums(problem);
    for (SolverKind kind : {SolverKind::Greedy, SolverKind::DynamicProgramming, SolverKind::Evolution}) {
      SCOPED_TRACE(testing::Message() << seed << " " << static_cast<int>(kind));
      Solution solution = solved(problem, kind);
      if (solution.choices.empty())
        continue;
      double objective = sums.scale->toDouble(sums.objective(best));
      EXPECT_TRUE(sums.fits(solution.choices));
      EXPECT_EQ(solution.objective, sums.scale->toDouble(sums.objective(solution.choices)));
      EXPECT_GE(solution.objective, objective);
      ASSERT_TRUE(solution.bound.has_value());
      EXPECT_LE(*solution.bound, objective);
      if (solution.status == SolveStatus::Optimal)
        EXPECT_LE(solution.objective - objective, 1e-9 * objective);
    }
  }
}

/// Two exact solvers that share presolve and the check of plans, and nothing of the search.
TEST_P(SearchTest, HighsAgrees) {
  if (!hasHighs())
    GTEST_SKIP() << "HiGHS is not there";
  for (unsigned seed = 0; seed < 12; ++seed) {
    SCOPED_TRACE(seed);
    Maker maker(seed, GetParam());
    AssignmentProblem problem = maker.problem(15, 5, seed % 4, 0.1 * (1 + seed % 8));
    if (seed % 3 == 0)
      for (size_t i = 0; i + 1 < problem.groups.size(); ++i)
        maker.addPair(problem, i, i + 1);
    Solution own = solved(problem, SolverKind::BranchAndBound), other = solved(problem, SolverKind::Highs);
    ASSERT_EQ(own.status, other.status);
    EXPECT_NEAR(own.objective, other.objective, 1e-9 * std::fabs(own.objective));
  }
}

TEST_P(SearchTest, FrontFallsWithItsLimit) {
  Maker maker(11, GetParam());
  AssignmentProblem problem = maker.problem(6, 4, 2, 0.7);
  llvm::Expected<std::vector<ParetoPoint>> front = paretoFront(problem, 0, 9, SolveOptions());
  ASSERT_TRUE(bool(front));
  ASSERT_GE(front->size(), 2u);
  for (size_t i = 0; i + 1 < front->size(); ++i) { // the last has no limit
    const ParetoPoint &point = (*front)[i];
    AssignmentProblem limited = problem;
    limited.limits[0] = point.limit;
    EXPECT_EQ(point.solution.choices, bestPlan(limited));
    if (i > 0)
      EXPECT_LE(point.solution.objective, (*front)[i - 1].solution.objective);
  }
  // The ends: no lower limit has a plan, no higher one a better plan.
  AssignmentProblem limited = problem;
  limited.limits[0] = std::nextafter(front->front().limit, 0.0);
  EXPECT_TRUE(bestPlan(limited).empty());
  limited.limits[0] = std::nullopt;
  // Of equally good plans the front has the cheapest.
  Sums sums(problem);
  EXPECT_EQ(front->back().solution.objective, sums.scale->toDouble(sums.objective(bestPlan(limited))));
}

TEST_P(SearchTest, NearestLimitsAreTheLeast) {
  for (unsigned seed = 0; seed < 30; ++seed) {
    SCOPED_TRACE(seed);
    Maker maker(seed, GetParam());
    AssignmentProblem problem = maker.problem(5, 3, 1 + seed % 3, 0.0);
    for (std::optional<double> &limit : problem.limits)
      if (limit)
        *limit = std::floor(*limit * 900) / 1000; // below the least
    Sums sums(problem);
    Solution solution = solved(problem, SolverKind::Auto);
    if (solution.status != SolveStatus::Infeasible)
      continue; // the least is 0
    for (size_t k = 0; k < kNumCosts; ++k) {
      std::optional<llvm::APInt> least;
      eachPlan(problem, [&](const Choices &plan) {
        if (problem.limits[k] && sums.fits(plan, k) && (!least || sums.cost(plan, k).slt(*least)))
          least = sums.cost(plan, k);
      });
      ASSERT_EQ(solution.nearest.alone[k].has_value(), least.has_value());
      if (least)
        EXPECT_NEAR(*solution.nearest.alone[k], sums.scale->toDouble(*least), 1e-12);
    }
    if (!solution.nearest.factor)
      continue;
    AssignmentProblem raised = problem;
    raised.limits = solution.nearest.together;
    EXPECT_EQ(solved(raised, SolverKind::Auto).status, SolveStatus::Optimal);
    for (std::optional<double> &limit : raised.limits)
      if (limit)
        *limit *= 1 - 2e-6;
    EXPECT_EQ(solved(raised, SolverKind::Auto).status, SolveStatus::Infeasible);
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, SearchTest, testing::Values(Numbers::Any, Numbers::Decimal, Numbers::Few));

TEST(SearchTest, ALimitThatIsMetExactlyIsMet) {
  AssignmentProblem problem;
  for (const char *name : {"a", "b"})
    problem.groups.push_back({name, {name}, {{"w4", 1, {}}, {"w8", 0, {}}}});
  problem.groups[0].choices[0].costs[0] = problem.groups[1].choices[0].costs[0] = 0.05;
  problem.groups[0].choices[1].costs[0] = 0.1;
  problem.groups[1].choices[1].costs[0] = 0.2;
  problem.limits[0] = 0.3;
  Solution solution = solved(problem, SolverKind::Auto);
  EXPECT_EQ(solution.choices, (Choices{1, 1}));
  EXPECT_EQ(solution.costs[0], 0.3);
  problem.limits[0] = std::nextafter(0.3, 0.0);
  EXPECT_EQ(solved(problem, SolverKind::Auto).choices, (Choices{0, 1}));
}

TEST(SearchTest, ManyEqualGroupsTakeNoTime) {
  AssignmentProblem problem;
  for (int i = 0; i < 60; ++i) {
    std::string name = "g" + std::to_string(i);
    problem.groups.push_back({name, {name}, {{"w2", 5, {1}}, {"w4", 2, {3}}, {"w8", 1, {4}}}});
  }
  problem.limits[0] = 151;
  Solution solution = solved(problem, SolverKind::BranchAndBound);
  EXPECT_EQ(solution.status, SolveStatus::Optimal);
  EXPECT_EQ(solution.objective, 164.0); // 15 groups at 2 bits, 44 at 4, one at 8
  EXPECT_LT(solution.steps, 1000u);
  EXPECT_TRUE(llvm::is_sorted(solution.choices));
}

TEST(SearchTest, StoppedSearchHasABound) {
  Maker maker(7, Numbers::Any);
  AssignmentProblem problem = maker.problem(400, 8, 3, 0.3);
  Solution best = solved(problem, SolverKind::Greedy);
  for (int calls : {1, 3, 10, 100, 1000}) {
    SolveOptions options;
    options.isInterrupted = [&] { return --calls < 0; };
    llvm::Expected<Solution> solution = solve(problem, options);
    ASSERT_TRUE(bool(solution));
    EXPECT_EQ(solution->status, SolveStatus::Feasible);
    ASSERT_TRUE(solution->bound.has_value());
    EXPECT_LT(*solution->bound, solution->objective * (1 - 1e-9));
    EXPECT_LE(*solution->bound, best.objective);
    EXPECT_GT(*solution->bound, 0.9 * solution->objective);
  }
}

TEST(SearchTest, PresolveCanBeStopped) {
  // One choice of each group is the best in every way: presolve decides all, and nothing else asks whether to stop.
  AssignmentProblem problem;
  for (int i = 0; i < 20; ++i) {
    std::string name = "g" + std::to_string(i);
    problem.groups.push_back({name, {name}, {{"w8", 3, {3}}, {"w4", 1, {1}}, {"w2", 2, {2}}}});
  }
  problem.limits[0] = 50;
  for (bool stops : {false, true}) {
    int calls = 0;
    SolveOptions options;
    options.solver = SolverKind::DynamicProgramming;
    options.isInterrupted = [&] {
      ++calls;
      return stops;
    };
    llvm::Expected<Solution> solution = solve(problem, options);
    ASSERT_TRUE(bool(solution));
    EXPECT_GT(calls, 2);
    EXPECT_EQ(solution->status, stops ? SolveStatus::Unknown : SolveStatus::Optimal);
  }
}

TEST(SearchTest, EvolutionFollowsAnyFitness) {
  Maker maker(3, Numbers::Any);
  AssignmentProblem problem = maker.problem(8, 4, 2, 0.6);
  Choices start = solved(problem, SolverKind::Auto).choices, wanted = solved(problem, SolverKind::Greedy).choices;
  auto distance = [&](const Choices &plan) {
    double sum = 0;
    for (auto [a, b] : llvm::zip(plan, wanted))
      sum += a != b;
    return sum;
  };
  EvolutionOptions options;
  Choices plan = evolve(problem, start, distance, options);
  EXPECT_LE(distance(plan), distance(start));
  EXPECT_TRUE(Sums(problem).fits(plan));
  EXPECT_EQ(plan, evolve(problem, start, distance, options));
}

TEST(SearchTest, ProblemFilesComeBack) {
  Maker maker(5, Numbers::Any);
  AssignmentProblem problem = maker.problem(5, 3, 2, 0.5);
  maker.addPair(problem, 1, 4);
  problem.model = std::string(64, 'b');
  std::string text = problemToJson(problem);
  llvm::Expected<AssignmentProblem> again = parseProblem("p.json", text);
  ASSERT_TRUE(bool(again));
  EXPECT_EQ(problemToJson(*again), text);
}

} // namespace
