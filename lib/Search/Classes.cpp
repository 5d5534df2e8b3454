// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Classes.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>

namespace dyadic {

int64_t classesOf(const Tensor &output, int64_t batch) {
  if (output.type != ElementType::F32)
    return 0;
  if (llvm::count_if(output.shape, [](int64_t size) { return size > 1; }) == 1)
    return output.size();
  return output.shape.size() == 2 && output.shape[0] == batch ? output.shape[1] : 0;
}

bool areProbabilities(llvm::ArrayRef<float> row) {
  double sum = 0;
  for (float number : row) {
    if (!(number >= 0))
      return false;
    sum += number;
  }
  return std::fabs(sum - 1) < 1e-3;
}

std::vector<double> logProbabilities(llvm::ArrayRef<float> row, bool areProbabilities) {
  std::vector<double> result(row.begin(), row.end());
  if (areProbabilities) {
    // A probability below every float's resolution still has a logarithm.
    constexpr double kLeast = 1e-30;
    for (double &number : result)
      number = std::log(std::max(number, kLeast));
    return result;
  }
  double largest = *std::max_element(result.begin(), result.end()), sum = 0;
  for (double number : result)
    sum += std::exp(number - largest);
  for (double &number : result)
    number -= largest + std::log(sum);
  return result;
}

double meanOverRows(const Tensor &reference, const Tensor &output, size_t classes,
                    llvm::function_ref<double(llvm::ArrayRef<float>, llvm::ArrayRef<float>)> compare) {
  size_t rows = static_cast<size_t>(reference.size()) / classes;
  llvm::ArrayRef<float> f(reference.as<float>(), rows * classes), q(output.as<float>(), rows * classes);
  double sum = 0;
  for (size_t row = 0; row < rows; ++row)
    sum += compare(f.slice(row * classes, classes), q.slice(row * classes, classes)) / static_cast<double>(rows);
  return sum;
}

} // namespace dyadic
