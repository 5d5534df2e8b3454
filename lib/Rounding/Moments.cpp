// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Rounding/Moments.h"
#include "Kernels.h"
#include "Share.h"
#include <algorithm>

namespace dyadic {

Moments::Moments(size_t inputs, size_t outputs, bool hasProducts)
    : sumX(inputs), sumY(outputs), sumXX(hasProducts ? inputs * inputs : 0), sumYX(hasProducts ? outputs * inputs : 0) {
}

/// Adds up each column, one number after the other.
static void addColumns(const float *numbers, size_t rows, std::vector<double> &sums) {
  for (size_t i = 0; i < rows; ++i, numbers += sums.size())
    for (size_t j = 0; j < sums.size(); ++j)
      sums[j] += numbers[j];
}

void Moments::add(const float *x, const float *y, size_t rows, unsigned threads) {
  addRows(x, y, rows, threads, /*onlyOutputs=*/false);
  count += rows;
}

void Moments::addOutputs(const float *x, const float *y, size_t rows, unsigned threads) {
  addRows(x, y, rows, threads, /*onlyOutputs=*/true);
}

void Moments::addRows(const float *x, const float *y, size_t rows, unsigned threads, bool onlyOutputs) {
  if (!onlyOutputs)
    addColumns(x, rows, sumX);
  addColumns(y, rows, sumY);
  if (!hasProducts())
    return;
  // The lower triangle in lines of blocks: those of more columns come first. Few columns are not worth packing.
  constexpr size_t kBlock = IntegerColumns::kBlock, kFewColumns = 32;
  std::optional<IntegerColumns> integers;
  if (!onlyOutputs && inputs() > kFewColumns)
    integers = IntegerColumns::pack(x, rows, inputs());
  size_t columns = inputs(), lines = outputs(), blocks = onlyOutputs ? 0 : (columns + kBlock - 1) / kBlock,
         blocksY = (lines + kBlock - 1) / kBlock;
  share(blocks + blocksY, threads, [&](size_t task) {
    size_t first = (task < blocksY ? task : blocks + blocksY - 1 - task) * kBlock;
    if (task < blocksY) {
      addProduct(std::min(kBlock, lines - first), columns, rows, {y + first, 1, lines}, {x, columns, 1},
                 sumYX.data() + first * columns, columns);
      return;
    }
    size_t height = std::min(kBlock, columns - first);
    if (integers)
      integers->addProducts(first, height, sumXX.data() + first * columns, columns);
    else
      addProduct(height, first + height, rows, {x + first, 1, columns}, {x, columns, 1}, sumXX.data() + first * columns,
                 columns);
  });
}

static void addTo(std::vector<double> &sums, const std::vector<double> &others) {
  for (size_t i = 0; i < sums.size(); ++i)
    sums[i] += others[i];
}

void Moments::add(const Moments &other) {
  addTo(sumX, other.sumX);
  addTo(sumY, other.sumY);
  addTo(sumXX, other.sumXX);
  addTo(sumYX, other.sumYX);
  count += other.count;
}

void Moments::clearOutputs() {
  std::fill(sumY.begin(), sumY.end(), 0.0);
  std::fill(sumYX.begin(), sumYX.end(), 0.0);
}

} // namespace dyadic
