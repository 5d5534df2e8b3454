// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PairNetwork.h"
#include "llvm/ADT/IntEqClasses.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>

namespace dyadic {

PairNetwork::PairNetwork(const Core &core) : core(core), isPaired(core.size(), false) {
  if (core.pairs.empty())
    return;
  // Components one after the other, so that their tables do not multiply.
  llvm::IntEqClasses component(core.size());
  for (const CorePair &pair : core.pairs) {
    isPaired[pair.a] = isPaired[pair.b] = true;
    component.join(pair.a, pair.b);
  }
  std::vector<size_t> order;
  for (size_t g = 0; g < core.size(); ++g)
    if (isPaired[g])
      order.push_back(g);
  llvm::sort(order, [&](size_t a, size_t b) {
    return std::make_pair(component.findLeader(a), a) < std::make_pair(component.findLeader(b), b);
  });
  std::vector<size_t> rank(core.size(), 0), last(core.size(), 0);
  for (auto [i, g] : llvm::enumerate(order))
    rank[g] = i;
  for (const CorePair &pair : core.pairs) {
    size_t end = std::max(rank[pair.a], rank[pair.b]);
    last[pair.a] = std::max(last[pair.a], end);
    last[pair.b] = std::max(last[pair.b], end);
  }
  std::vector<std::vector<size_t>> pairsOf(core.size());
  for (const auto &[p, pair] : llvm::enumerate(core.pairs)) {
    pairsOf[pair.a].push_back(p);
    pairsOf[pair.b].push_back(p);
  }
  std::vector<size_t> open;
  for (size_t i = 0; i < order.size(); ++i) {
    size_t g = order[i];
    Step step;
    step.group = g;
    step.before = open;
    for (size_t p : pairsOf[g]) {
      size_t partner = core.pairs[p].a == g ? core.pairs[p].b : core.pairs[p].a;
      if (auto found = llvm::find(open, partner); found != open.end())
        step.links.emplace_back(found - open.begin(), p);
    }
    open.push_back(g);
    for (size_t other : open)
      step.stays.push_back(last[other] > i);
    llvm::erase_if(open, [&](size_t other) { return last[other] <= i; });
    steps.push_back(std::move(step));
  }
}

bool PairNetwork::fits() const {
  constexpr double kLargestTable = 1 << 22, kAllTables = 1 << 24;
  double largest = 0, all = 0;
  for (const Step &step : steps) {
    double entries = core.count[step.group];
    for (size_t g : step.before)
      entries *= core.count[g];
    largest = std::max(largest, entries);
    all += entries;
  }
  return largest <= kLargestTable && all <= kAllTables;
}

template <typename Visit> void PairNetwork::each(const Step &step, Visit visit) const {
  size_t n = step.before.size() + 1;
  llvm::SmallVector<size_t, 8> at(n, 0), sizes, strides(n, 0);
  for (size_t g : step.before)
    sizes.push_back(core.count[g]);
  sizes.push_back(core.count[step.group]);
  size_t stride = 1;
  for (size_t i = n; i-- > 0;)
    if (step.stays[i]) {
      strides[i] = stride;
      stride *= sizes[i];
    }
  size_t out = 0;
  for (size_t joint = 0;; ++joint) {
    visit(joint, joint / sizes[n - 1], out, llvm::ArrayRef<size_t>(at));
    size_t i = n;
    while (i > 0 && ++at[i - 1] == sizes[i - 1]) {
      out -= strides[i - 1] * (sizes[i - 1] - 1);
      at[--i] = 0;
    }
    if (i == 0)
      return;
    out += strides[i - 1];
  }
}

/// The group's own term and those with groups before it.
double PairNetwork::local(const Step &step, llvm::ArrayRef<size_t> at, llvm::ArrayRef<double> unary) const {
  size_t position = core.first[step.group] + at.back();
  double sum = unary[position];
  for (auto [i, p] : step.links) {
    const CorePair &pair = core.pairs[p];
    size_t mine = core.items[position].local, other = core.items[core.first[step.before[i]] + at[i]].local;
    sum += pair.a == step.group ? core.pairTerm(pair, mine, other) : core.pairTerm(pair, other, mine);
  }
  return sum;
}

double PairNetwork::minimise(llvm::ArrayRef<double> unary, CoreChoices &choices) {
  std::vector<double> in = {0};
  for (Step &step : steps) {
    size_t joint = core.count[step.group], out = 1;
    for (size_t g : step.before)
      joint *= core.count[g];
    for (auto [g, stays] : llvm::zip(step.before, step.stays))
      out *= stays ? core.count[g] : 1;
    out *= step.stays.back() ? core.count[step.group] : 1;
    step.joint.resize(joint);
    step.out.assign(out, HUGE_VAL);
    step.from.assign(out, 0);
    each(step, [&](size_t joint, size_t before, size_t out, llvm::ArrayRef<size_t> at) {
      double sum = step.joint[joint] = in[before] + local(step, at, unary);
      if (sum < step.out[out]) {
        step.out[out] = sum;
        step.from[out] = joint;
      }
    });
    in = step.out;
  }
  size_t entry = 0;
  for (Step &step : llvm::reverse(steps)) {
    size_t joint = step.from[entry], size = core.count[step.group];
    choices[step.group] = core.items[core.first[step.group] + joint % size].local;
    entry = joint / size;
  }
  return in[0];
}

void PairNetwork::marginals(llvm::ArrayRef<double> unary, std::vector<double> &reduced) {
  double least = steps.empty() ? 0 : steps.back().out[0];
  std::vector<double> after = {0}, before;
  for (Step &step : llvm::reverse(steps)) {
    size_t size = core.count[step.group];
    double *own = &reduced[core.first[step.group]];
    std::fill_n(own, size, HUGE_VAL);
    before.assign(step.joint.size() / size, HUGE_VAL);
    each(step, [&](size_t joint, size_t in, size_t out, llvm::ArrayRef<size_t> at) {
      own[at.back()] = std::min(own[at.back()], step.joint[joint] + after[out] - least);
      before[in] = std::min(before[in], local(step, at, unary) + after[out]);
    });
    after.swap(before);
  }
}

} // namespace dyadic
