// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "DualMaster.h"
#include <climits>
#include <cmath>

namespace dyadic {

/// Pivots of one solve; degenerate programs may cycle, and any multipliers give a bound.
static constexpr int kMaxPivots = 100;

void DualMaster::add(PlanColumn column) { columns.push_back(std::move(column)); }

DualMaster::Row DualMaster::columnOf(int variable) const {
  Row row{};
  if (variable >= 0) {
    for (size_t k = 0; k < kNumCosts; ++k)
      row[k] = columns[variable].weights[k] * scale[k];
    row[kNumCosts] = 1;
  } else if (variable > kExcess) {
    row[kSlack - variable] = 1;
  } else {
    row[kExcess - variable] = -1;
  }
  return row;
}

double DualMaster::costOf(int variable) const {
  if (variable >= 0)
    return columns[variable].perturbation;
  if (variable > kExcess)
    return 0;
  return ceilings[kExcess - variable] / scale[kExcess - variable];
}

/// The first column alone, with what it leaves of each limit or exceeds it by.
void DualMaster::start() {
  const PlanColumn &column = columns[0];
  for (size_t k = 0; k < kNumCosts; ++k) {
    double size = std::max(limits[k], column.weights[k]);
    scale[k] = size > 0 ? 1 / size : 1;
    bool fits = column.weights[k] <= limits[k];
    basis[k] = (fits ? kSlack : kExcess) - static_cast<int>(k);
  }
  basis[kNumCosts] = 0;
  isStarted = true;
}

/// The inverse of the basis by Gauss-Jordan elimination; false where it is singular.
bool DualMaster::factor() {
  std::array<Row, kRows> matrix{};
  for (size_t j = 0; j < kRows; ++j) {
    Row column = columnOf(basis[j]);
    for (size_t i = 0; i < kRows; ++i)
      matrix[i][j] = column[i];
  }
  inverse = {};
  for (size_t i = 0; i < kRows; ++i)
    inverse[i][i] = 1;
  for (size_t j = 0; j < kRows; ++j) {
    size_t pivot = j;
    for (size_t i = j + 1; i < kRows; ++i)
      if (std::fabs(matrix[i][j]) > std::fabs(matrix[pivot][j]))
        pivot = i;
    if (std::fabs(matrix[pivot][j]) < 1e-13)
      return false;
    std::swap(matrix[pivot], matrix[j]);
    std::swap(inverse[pivot], inverse[j]);
    double head = 1 / matrix[j][j];
    for (size_t i = 0; i < kRows; ++i) {
      matrix[j][i] *= head;
      inverse[j][i] *= head;
    }
    for (size_t i = 0; i < kRows; ++i) {
      double part = matrix[i][j];
      if (i == j || part == 0)
        continue;
      for (size_t l = 0; l < kRows; ++l) {
        matrix[i][l] -= part * matrix[j][l];
        inverse[i][l] -= part * inverse[j][l];
      }
    }
  }
  return true;
}

/// The variable with the most negative reduced cost; INT_MIN where there is none.
int DualMaster::entering(const Row &duals) const {
  int best = INT_MIN;
  double least = 0;
  auto consider = [&](int variable, double size) {
    Row column = columnOf(variable);
    double reduced = costOf(variable);
    for (size_t i = 0; i < kRows; ++i)
      reduced -= duals[i] * column[i];
    if (reduced < -1e-11 * size && reduced / size < least) {
      least = reduced / size;
      best = variable;
    }
  };
  double size = 1e-300;
  for (const PlanColumn &column : columns)
    size = std::max(size, column.perturbation);
  for (int j = 0, n = static_cast<int>(columns.size()); j < n; ++j)
    consider(j, size);
  for (int k = 0; k < static_cast<int>(kNumCosts); ++k) {
    consider(kSlack - k, size);
    consider(kExcess - k, std::max(size, costOf(kExcess - k)));
  }
  return best;
}

void DualMaster::solve() {
  if (!isStarted)
    start();
  Row duals{};
  for (int pivots = 0; pivots < kMaxPivots; ++pivots) {
    if (!factor()) {
      start();
      factor();
    }
    for (size_t i = 0; i < kRows; ++i) {
      values[i] = inverse[i][kNumCosts];
      duals[i] = 0;
      for (size_t k = 0; k < kNumCosts; ++k)
        values[i] += inverse[i][k] * limits[k] * scale[k];
      for (size_t j = 0; j < kRows; ++j)
        duals[i] += costOf(basis[j]) * inverse[j][i];
    }
    int next = entering(duals);
    if (next == INT_MIN)
      break;
    Row column = columnOf(next), direction{};
    for (size_t i = 0; i < kRows; ++i)
      for (size_t j = 0; j < kRows; ++j)
        direction[i] += inverse[i][j] * column[j];
    size_t leaving = kRows;
    double ratio = HUGE_VAL;
    for (size_t i = 0; i < kRows; ++i)
      if (direction[i] > 1e-11 && std::max(values[i], 0.0) / direction[i] < ratio) {
        ratio = std::max(values[i], 0.0) / direction[i];
        leaving = i;
      }
    if (leaving == kRows)
      break;
    basis[leaving] = next;
  }
  objective = 0;
  exceeded = {};
  for (size_t i = 0; i < kRows; ++i) {
    objective += costOf(basis[i]) * values[i];
    if (basis[i] <= kExcess && values[i] > 1e-12)
      exceeded[kExcess - basis[i]] = true;
  }
  for (size_t k = 0; k < kNumCosts; ++k)
    prices[k] = std::min(std::max(0.0, -duals[k] * scale[k]), ceilings[k]);
}

std::vector<std::pair<const PlanColumn *, double>> DualMaster::combination() const {
  std::vector<std::pair<const PlanColumn *, double>> result;
  for (size_t i = 0; i < kRows; ++i)
    if (basis[i] >= 0 && values[i] > 1e-12)
      result.emplace_back(&columns[basis[i]], values[i]);
  return result;
}

} // namespace dyadic
