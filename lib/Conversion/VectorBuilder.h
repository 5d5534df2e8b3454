// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Vectors and addresses in the LLVM dialect, short enough to read kernels by.

#ifndef DYADIC_LIB_CONVERSION_VECTORBUILDER_H
#define DYADIC_LIB_CONVERSION_VECTORBUILDER_H

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace dyadic {

/// The passes of a loop that a kernel makes: of `count`, those from `first` (i64) on up to `end`; without these all.
struct Range {
  int64_t count;
  mlir::Value first = {}, end = {};
};

class VectorBuilder {
public:
  using Value = mlir::Value;

  VectorBuilder(mlir::OpBuilder &builder, mlir::Location location) : builder(builder), location(location) {}

  mlir::VectorType vector(int64_t count, unsigned width);
  Value constant(int64_t value);                             // i64
  Value splat(int64_t count, unsigned width, int64_t value); // the same number in every lane

  Value add(Value a, Value b);
  Value subtract(Value a, Value b);
  Value multiply(Value a, Value b);
  /// `a * factor` of i64 numbers.
  Value times(Value a, int64_t factor) { return factor == 1 ? a : multiply(a, constant(factor)); }

  /// The address `bytes` behind `pointer`.
  Value address(Value pointer, int64_t bytes);
  Value address(Value pointer, Value bytes);
  /// Loads and stores promise no alignment.
  Value load(mlir::Type type, Value pointer);
  void store(Value value, Value pointer);
  /// The same address, for all that the compiler knows another one: what lies there is loaded again.
  Value opaque(Value pointer);
  /// The number of `width` bits at `pointer`, which is not negative, as i64.
  Value loadIndex(Value pointer, unsigned width = 32);
  /// Elements [0, count) of what lies at `pointer`, 0 in the other lanes of `type`: no byte more is read.
  Value loadPart(mlir::VectorType type, int64_t count, Value pointer);
  /// Stores elements [0, count) of `value`: no byte more is written.
  void storePart(Value value, int64_t count, Value pointer);

  Value bitAnd(Value a, Value b);
  /// Every lane without its lowest `bits` bits, as an unsigned number.
  Value shiftRight(Value value, int64_t bits);
  Value bitcast(Value value, mlir::Type type);
  Value extend(Value value, bool isUnsigned, unsigned width);
  Value truncate(Value value, unsigned width);
  Value shuffle(Value a, Value b, llvm::ArrayRef<int32_t> lanes);
  /// The first (0) or second (1) half of the lanes.
  Value half(Value value, int64_t index);
  /// The lanes of `a`, then those of `b`.
  Value joined(Value a, Value b);
  /// `count` times lane `index` of `value`.
  Value lane(Value value, int32_t index, int64_t count);
  /// Every lane of the result is the scalar `value`.
  Value broadcast(Value value, int64_t count);
  Value intrinsic(llvm::StringRef name, mlir::Type result, mlir::ValueRange arguments);
  /// min(max(value, low), high), signed.
  Value clamp(Value value, int64_t low, int64_t high);

  /// Counts i64 numbers from 0 to `count`; `body` gets the number and the carried values and
  /// returns the next ones. A constant count of 1 makes no loop.
  llvm::SmallVector<Value> loop(Value count, mlir::ValueRange carried,
                                llvm::function_ref<llvm::SmallVector<Value>(Value, mlir::ValueRange)> body);
  void loop(int64_t count, llvm::function_ref<void(Value)> body);
  void loop(const Range &range, llvm::function_ref<void(Value)> body);
  /// Those of the passes of `range` that lie in [start, start + count), counted from `start` on.
  Range clip(const Range &range, Value start, int64_t count);
  /// Does `body` where `range` has a pass.
  void ifAny(const Range &range, llvm::function_ref<void()> body);

  mlir::OpBuilder &builder;
  mlir::Location location;
};

} // namespace dyadic

#endif // DYADIC_LIB_CONVERSION_VECTORBUILDER_H
