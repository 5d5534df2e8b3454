// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From the statistics of a value to the range that quantization represents. A range is
// a function of the statistics, the method and the bits alone: the same on every host.

#ifndef DYADIC_CALIBRATION_RANGES_H
#define DYADIC_CALIBRATION_RANGES_H

#include "dyadic/Calibration/Statistics.h"
#include "llvm/ADT/StringRef.h"
#include <string>
#include <utility>

namespace dyadic {

/// BatchNorm takes ranges from the model, not from statistics (quant-derive-ranges); tables hold them fixed.
enum class CalibrationMethod { MinMax, Percentile, Entropy, MSE, BatchNorm };

struct CalibrationOptions {
  CalibrationMethod method = CalibrationMethod::MSE;
  /// In (0, 100], used to a millionth: what part of the numbers the range is to hold.
  double percentile = 99.99;
  /// Of BatchNorm, in (0, 100], used to a millionth: standard deviations on either side of a channel's mean.
  double sigmas = 8;

  bool operator==(const CalibrationOptions &other) const {
    return method == other.method && (method != CalibrationMethod::Percentile || percentile == other.percentile) &&
           (method != CalibrationMethod::BatchNorm || sigmas == other.sigmas);
  }
  bool operator!=(const CalibrationOptions &other) const { return !(*this == other); }
};

/// Parses "minmax", "percentile", "percentile:99.9" with up to six decimals, "entropy", "mse", "batchnorm" and
/// "batchnorm:6.5" likewise.
llvm::Expected<CalibrationOptions> parseCalibrationMethod(llvm::StringRef text);
/// The inverse of parseCalibrationMethod: "minmax", "percentile:99.99".
std::string toString(const CalibrationOptions &options);

/// The range [low, high] within [min, max] of a value that `bits` bits (2 to 16) store. Quantization widens it to
/// contain 0, so 0 stays exact; only the ends on the far side of 0 are searched for.
///
///   - MinMax: all of [min, max].
///   - Percentile p: at most (100 - p) / 2 percent of the numbers are left out on each side, in whole bins; 100 is the
///     same as MinMax.
///   - BatchNorm: [min, max]; statistics are not what it takes ranges from.
///   - MSE: the smallest expectedError().
///   - Entropy: the smallest divergence().
///
/// MSE and Entropy take their candidates from the edges of bins: a grid of both ends in steps of 2^(1/4), then ever
/// smaller steps around the best, and [min, max] itself, which wins ties.
std::pair<float, float> chooseRange(const ValueStatistics &statistics, const CalibrationOptions &options,
                                    unsigned bits);

/// The expected squared error of quantizing a number of the histogram over [low, high] by chooseAffine and quantize
/// (Support/Dyadic.h), rounding and clipping together: numbers count as spread evenly over their bin, but what the
/// bin of 0 holds more than its fuller neighbour counts as exact zeros, without error. Up to 10 bits the integral is
/// exact; above, where a step is no wider than a few bins, rounding counts step^2 / 12 a number.
double expectedError(const ValueStatistics &statistics, float low, float high, unsigned bits);

/// The Kullback-Leibler divergence sum P ln(P / Q), in nats, of the histogram P clipped to [low, high] (numbers outside
/// count in the outermost bins) from the quantized histogram Q, as S. Migacz describes for TensorRT (8-bit Inference
/// with TensorRT, GTC 2017), here with both ends free and on the grid of chooseAffine. Q spreads the unclipped numbers
/// of the bins whose middles round to one stored integer evenly over those of them that are not empty. Numbers that
/// the grid holds exactly are no loss: what the bin of 0 holds more than its fuller neighbour (the zeros of a ReLU) is
/// left out of both; what the bin of min or max, where that is an end, holds more than its neighbour (the sixes of a
/// ReLU6) stays in its bin. Infinite for fewer than 2^bits bins, where nothing is left to merge, unless the range is
/// all of [min, max], and where clipped numbers meet an empty bin. `low` and `high` are edges of bins, or min and max.
double divergence(const ValueStatistics &statistics, float low, float high, unsigned bits);

} // namespace dyadic

#endif // DYADIC_CALIBRATION_RANGES_H
