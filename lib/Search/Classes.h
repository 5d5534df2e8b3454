// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Outputs that are sets of classes, and their probabilities.

#ifndef DYADIC_LIB_SEARCH_CLASSES_H
#define DYADIC_LIB_SEARCH_CLASSES_H

#include "dyadic/Support/Tensor.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace dyadic {

/// How many classes a row of the output has: the whole output where exactly one of its dimensions is larger than 1,
/// each row of a matrix with as many rows as the batch; 0 for another output.
int64_t classesOf(const Tensor &output, int64_t batch);

/// Whether a row is one of probabilities already; another one has logits.
bool areProbabilities(llvm::ArrayRef<float> row);

/// Logarithms of the probabilities of a row: its own numbers, or their softmax.
std::vector<double> logProbabilities(llvm::ArrayRef<float> row, bool areProbabilities);

/// The mean of `compare` over rows of `classes` of two tensors.
double meanOverRows(const Tensor &reference, const Tensor &output, size_t classes,
                    llvm::function_ref<double(llvm::ArrayRef<float> reference, llvm::ArrayRef<float> row)> compare);

} // namespace dyadic

#endif // DYADIC_LIB_SEARCH_CLASSES_H
