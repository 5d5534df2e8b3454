// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights as fitting each layer by itself leaves them: what sensitivities of fitted weights are measured with.

#ifndef DYADIC_LIB_PIPELINES_FITALONE_H
#define DYADIC_LIB_PIPELINES_FITALONE_H

#include "dyadic/Pipelines/Compiler.h"
#include <map>
#include <set>

namespace dyadic {

/// Real numbers in the order of the float layer's weights, by layer and bits.
using AloneWeights = std::map<std::pair<std::string, unsigned>, std::vector<float>>;

/// The weights of the convolutions and matmuls of a program at the float level, rounded by roundByGptq() to each of
/// the widths that `bits` has for their id, from the inputs that the float program, which `evaluator` runs, has on
/// `samples[indices]`. All other
/// layers stay float, so there is no error of theirs to make good for. Layers with more inputs to an output than
/// roundWeights() fits are left out, and so are widths above kFittedBits.
llvm::Expected<AloneWeights> fitAlone(mlir::ModuleOp floatModule, Evaluator &evaluator, SampleSet &samples,
                                      llvm::ArrayRef<size_t> indices,
                                      const std::map<std::string, std::set<unsigned>> &bits,
                                      llvm::function_ref<void(size_t done, size_t total)> progress);

} // namespace dyadic

#endif // DYADIC_LIB_PIPELINES_FITALONE_H
