// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Integer weights that compute what the float layer computes, from the inputs that the integer program has. Plain
// C++; Eigen stays inside. Results are functions of the arguments alone, and the same on every x86-64 host
// (fixedBlocking() in lib/Rounding/Matrices.h).

#ifndef DYADIC_ROUNDING_ROUNDING_H
#define DYADIC_ROUNDING_ROUNDING_H

#include "dyadic/Rounding/Moments.h"
#include <cstdint>

namespace dyadic {

/// A linear map y = S_x W x + bias of stored integers x (less their zero point) with the scale S_x, and what is known
/// of its data: moments of x, and of the outputs y of the float layer less its bias.
struct LinearMap {
  const Moments *moments = nullptr;
  double inputScale = 1;
  std::vector<double> weights; // outputs x inputs, row-major
};

/// Weights q[o * inputs + i] of a few bits with one scale an output: W is about scales[o] * q.
struct RoundedWeights {
  std::vector<int8_t> weights;
  std::vector<float> scales;
};

/// The real weights that fit the float layer's outputs from the integer program's inputs: the minimum over T of
///
///     sum over rows |y - S_x T x|^2 + ridge mean(diag(sum x x^T)) S_x^2 |T - W|^2,
///
/// that is T = W + (Y X^T / S_x - W X X^T) (X X^T + ridge mean(diag) I)^-1. The target of GPTQ is asymmetric then: the
/// layer makes good for the errors of those before it (GPTAQ, Li et al., 2025). The ridge draws towards W what the
/// data do not determine: directions that few rows have. `ridge` is above 0; the moments have products. The result does
/// not depend on `threads`.
std::vector<double> fitTarget(const LinearMap &map, double ridge, unsigned threads = 1);

/// Of some ridges the one whose fitTarget() has the least squared error, sum of |y - S_x T x|^2, on other rows than it
/// was fitted to: `checked` has their moments. The first of equals; `ridges` must not be empty.
double chooseRidge(const LinearMap &map, const Moments &checked, const std::vector<double> &ridges,
                   unsigned threads = 1);

/// What a map computes of `rows` rows of inputs: S_x T x + offset, one row of outputs each. `target` is outputs x
/// inputs, `offsets` has one number an output. The result does not depend on `threads`.
std::vector<float> mapRows(const LinearMap &map, const std::vector<double> &target, const std::vector<double> &offsets,
                           const float *x, size_t rows, unsigned threads = 1);

/// What is wanted of a number before a clamp to [min, max] that `found` stands for now and `wanted` would be best for:
/// where `wanted` is clamped, all numbers on that side are as good, and the nearest one to `found` is taken. With goals
/// and fits to them in turns the squared error of what is clamped can only fall (the alternation of Zhang et al., 2016,
/// "Accelerating very deep convolutional networks for classification and detection", without its relaxation).
inline float clampedGoal(float wanted, float found, float min, float max) {
  if (wanted <= min)
    return found < min ? found : min;
  if (wanted >= max)
    return found > max ? found : max;
  return wanted;
}

/// GPTQ (Frantar et al., 2023) with its order by activation: inputs are rounded one after the other, the one with the
/// largest second moment first, and those that are left take over the error as far as they can. Computed as rounding
/// by the factorization X X^T + damping mean(diag) I = U D U^T with U unit upper triangular, which is the same (QuIP,
/// Chee et al., 2023, theorem 6) and inverts nothing: q_j = round(t_j + sum_{i<j} (t_i - q_i) U_ij).
///
/// `target` is outputs x inputs, in finite numbers. Weights are symmetric and have `bits` bits (2 to 8). Of each output
/// all of this is done for scales of chooseWeightScale() (Support/Dyadic.h) for parts of the largest magnitude, from 1
/// down to 1/2 in steps of 1/20, and the one with the smallest squared error of the output is taken, the largest of
/// equals. `damping` is above 0; the moments have products. Outputs are shared out over `threads` threads. Where `unit`
/// is above 0, scales are the nearest ones with kShortBits significant bits of their ratio to it, see
/// shortMultiplierUnit().
RoundedWeights roundByGptq(const Moments &moments, const std::vector<double> &target, unsigned bits, double damping,
                           unsigned threads = 1, double unit = 0);
/// The same for several numbers of bits, which share the factorization. The moments need not have outputs.
std::vector<RoundedWeights> roundByGptq(const Moments &moments, const std::vector<double> &target,
                                        const std::vector<unsigned> &bits, double damping, unsigned threads = 1,
                                        double unit = 0);

/// The mean of y - S_x T x over the rows, one number an output; 0 without rows.
std::vector<double> meanErrors(const LinearMap &map, const std::vector<double> &target);

/// By how much the bias must grow so that the map with rounded weights has the mean output of the float layer, one
/// number an output: mean(y) - S_x s_o q_o mean(x). 0 without rows.
std::vector<double> biasCorrection(const LinearMap &map, const RoundedWeights &rounded);

/// Factors that the channels of a value are divided by before it is stored, from the largest magnitude r of each: the
/// square root of r / max r; where depthwise convolutions read it, whose weights have a scale of their own for each
/// channel, (r / max r)^(3/4); at least 0.12. Channels of small numbers get finer steps than one scale gives them. A
/// full match would clip most of what calibration did not see.
std::vector<float> equalizationFactors(const std::vector<float> &magnitudes, bool isDepthwise);

} // namespace dyadic

#endif // DYADIC_ROUNDING_ROUNDING_H
