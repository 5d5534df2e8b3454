// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From 16 sums to 16 stored numbers, as Support/Dyadic.h rounds them.

#ifndef DYADIC_LIB_CONVERSION_PACKEDEPILOGUE_H
#define DYADIC_LIB_CONVERSION_PACKEDEPILOGUE_H

#include "VectorBuilder.h"
#include "dyadic/IR/QnnDialect.h"

namespace dyadic {

using qnn::kPanelChannels;
/// Channels of one vector of sums.
inline constexpr int64_t kSumLanes = 8;

/// The attributes of a packed operation that its epilogue needs.
struct EpilogueInfo {
  template <typename Op>
  explicit EpilogueInfo(Op op)
      : kind(op.getEpilogue()), rounding(op.getRounding()),
        zeroPoint(op.getShortProducts() ? 0 : static_cast<int64_t>(op.getZeroPoint())), clamp(op.getClamp()),
        residualZeroPoint(static_cast<int64_t>(op.getResidualZp())), isResidualUnsigned(op.getResidualUnsigned()),
        highHalves(op.getHighHalves()), shortProducts(op.getShortProducts()), scaledSums(qnn::hasScaledSums(op)),
        sumShift(static_cast<int64_t>(op.getSumShift())), residualShift(static_cast<int64_t>(op.getResidualShift())),
        isOfNeon(qnn::isOfNeon(op.getDot())), type(mlir::cast<mlir::MemRefType>(op.getDest().getType())),
        residualType(op.getResidual() ? mlir::cast<mlir::MemRefType>(op.getResidual().getType()) : nullptr),
        stride(mlir::cast<mlir::ShapedType>(op.getChannels().getType()).getDimSize(1)) {}

  qnn::Epilogue kind;
  qnn::Rounding rounding;
  int64_t zeroPoint; // that the epilogue adds; short products have it in what they add
  llvm::ArrayRef<int64_t> clamp;
  int64_t residualZeroPoint;
  bool isResidualUnsigned;
  bool highHalves;    // no exponent is below 33: the high halves of the products are enough
  bool shortProducts; // products and their sum have 32 bits
  bool scaledSums;    // and sums come multiplied
  int64_t sumShift, residualShift;
  bool isOfNeon; // which lanes the target widens at once
  mlir::MemRefType type, residualType;
  int64_t stride; // numbers from one row of `channels` to the next
};

class Epilogue {
public:
  Epilogue(VectorBuilder &b, const EpilogueInfo &info) : b(b), info(info) {}

  /// Two vectors of sums, and the addresses of the other operand of an addition and of the results.
  struct Position {
    mlir::Value sums[2], residual, dest;
  };
  /// Stores `count` of the 16 sums of every position. `channels` is the address of the panel's first column.
  void store(llvm::ArrayRef<Position> positions, mlir::Value channels, int64_t count);

  /// Stores `count` of the 32 sums of a position, which are in the order of `byteDepthwiseChannel`, as bytes.
  void storeBytes(llvm::ArrayRef<mlir::Value> sums, mlir::Value channels, mlir::Value dest, int64_t count);

  /// Row `row` of `channels` for the panel's sums of vector `half`.
  mlir::Value row(mlir::Value channels, int64_t row, int64_t half);

private:
  using Value = mlir::Value;
  /// Results of 8 sums without their zero point; `other` are residuals or null.
  Value finish(Value sums, Value other, Value channels, int64_t half);
  Value rounder(Value total, Value e);
  /// finish() by products of 32 bits.
  Value finishShort(Value sums, Value other, Value channels, int64_t half);
  Value shifted(Value numbers, int64_t shift);
  /// Results of the sums of a position, without their zero point.
  void finish(const Position &position, Value channels, int64_t count, Value results[2]);
  Value stored(Value results);
  /// Of 8 and 8 results, or of 16 and 16 words: as they are stored, in turns of 4 (8) of the first and of the second.
  Value words(Value first, Value second);
  Value bytes(Value first, Value second);
  void storeOne(const Position &position, Value channels, int64_t count);
  void storePair(llvm::ArrayRef<Position> pair, Value channels);
  /// Half of the lanes as 64-bit numbers: the even (0) or odd (1) ones, of NEON the first or second half.
  Value widened(Value value, int64_t part, bool isUnsigned = false);
  /// The low or high 32 bits of two such halves, in the order of the lanes.
  Value narrowed(mlir::Value parts[2], bool high);

  VectorBuilder &b;
  const EpilogueInfo &info;
};

} // namespace dyadic

#endif // DYADIC_LIB_CONVERSION_PACKEDEPILOGUE_H
