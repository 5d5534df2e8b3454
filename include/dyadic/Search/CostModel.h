// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What choices of bits cost. A model states those of the costs of Problem.h that it knows; several together state
// all that a budget limits.

#ifndef DYADIC_SEARCH_COSTMODEL_H
#define DYADIC_SEARCH_COSTMODEL_H

#include "dyadic/Search/Problem.h"
#include "llvm/ADT/StringMap.h"

namespace dyadic {

/// A layer whose bits are chosen: a convolution or matrix product with constant weights.
struct SearchLayer {
  std::string id;
  /// The id of the stored value that it reads: of the layer that makes it, or the name of an input.
  std::string value;
  int64_t weights = 0; // how many
  int64_t macs = 0;    // multiply-accumulates of one sample
  /// Whether weights of 4 and 2 bits share their bytes where the inputs have up to 8 bits. Kernels of
  /// depthwise layers keep a byte a weight.
  bool sharesBytes = true;
};

/// Bits of a layer's weights, and of the value that it reads.
struct BitWidths {
  unsigned weights = 8, activations = 8;
};

class CostModel {
public:
  virtual ~CostModel();

  /// The costs of the group's choices, in their order, each the sum over the group's layers. `BitChoice::bits` is
  /// as parseBits (Plan.h) reads it: all layers of the group have the same widths. A cost that the model does not know
  /// is absent, for all choices of all groups. Errors name what cannot be costed, and why; also an id that the model
  /// was not made for.
  virtual llvm::Expected<std::vector<Costs>> costs(const ChoiceGroup &group) const = 0;
};

/// Costs that need no measuring; they are no property of any target:
///   - size_mb: weights as kernels store them. 2 bits, 3 and 4, 5 to 8 bits a weight take 2, 4 and 8, but a whole byte
///     where SearchLayer::sharesBytes is false or the input has more than 8 bits. Biases, multipliers and the filling
///     up of panels are left out: choices do not change them.
///   - bops: multiply-accumulates * bits of weights * bits of the input (HAWQ-V3, Yao et al. 2021, section 3.3).
///   - weight_bits: weights * bits, whatever they take in memory: what papers call the average width, times weights.
class WeightCostModel : public CostModel {
public:
  explicit WeightCostModel(llvm::ArrayRef<SearchLayer> layers);
  llvm::Expected<std::vector<Costs>> costs(const ChoiceGroup &group) const override;

  /// The costs of one layer.
  static Costs layerCosts(const SearchLayer &layer, BitWidths widths);

private:
  llvm::StringMap<SearchLayer> layers;
};

/// Bits that a weight of `widths` takes in memory.
unsigned storedWeightBits(const SearchLayer &layer, BitWidths widths);

/// Adds `term` to `sum`, where both are known; else the sum is not.
void addCosts(Costs &sum, const Costs &term);

/// Gives every choice of the problem the costs that `models` know; of several that know one, the last counts.
llvm::Error addCosts(AssignmentProblem &problem, llvm::ArrayRef<const CostModel *> models);

} // namespace dyadic

#endif // DYADIC_SEARCH_COSTMODEL_H
