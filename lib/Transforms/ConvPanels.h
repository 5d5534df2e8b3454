// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How the weights of a convolution are cut into panels of output channels and blocks of inputs.

#ifndef DYADIC_LIB_TRANSFORMS_CONVPANELS_H
#define DYADIC_LIB_TRANSFORMS_CONVPANELS_H

#include "LinearLayers.h"
#include "dyadic/IR/Types.h"
#include "dyadic/Support/AccumulatorPlan.h"

namespace dyadic {

/// What inverting the sign bit adds to inputs that `dot` does not multiply as they are; else 0.
int64_t flippedBy(const StorageRange &range, qnn::Dot dot);

/// The panels of a convolution and their blocks.
class ConvPanels {
public:
  ConvPanels(const LinearLayer &layer, qnn::Dot dot);

  int64_t count() const { return panelsPerGroup * layer.groups; }
  /// The channel at place `i` of panel `p`, -1 where there is none.
  int64_t channelOf(int64_t p, int64_t i) const {
    int64_t inGroup = p % panelsPerGroup * qnn::kPanelChannels + i;
    return inGroup < perGroup ? p / panelsPerGroup * perGroup + inGroup : -1;
  }

  /// Elements behind the input that the last block of the last position may reach.
  int64_t slack() const;

  /// Of `channels` places of panel `p` from `first` on; none where no channel is there. Offsets count the layer's
  /// border where it has it already.
  std::vector<WeightBlock> blocks(int64_t p, int64_t first, int64_t channels) const;

private:
  const LinearLayer &layer;
  qnn::Dot dot;
  int64_t lanes, depth, perGroup, panelsPerGroup;
  bool joined;
  int64_t runs, run;
};

} // namespace dyadic

#endif // DYADIC_LIB_TRANSFORMS_CONVPANELS_H
