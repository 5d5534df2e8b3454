// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a kernel walks over the positions of its output: images, lines, and tiles of
// neighbouring positions that are computed together.

#ifndef DYADIC_LIB_CONVERSION_POSITIONLOOPS_H
#define DYADIC_LIB_CONVERSION_POSITIONLOOPS_H

#include "VectorBuilder.h"
#include "mlir/IR/BuiltinTypes.h"

namespace dyadic {

/// Bytes from one element to the next of each dimension of a buffer.
struct ByteStrides {
  explicit ByteStrides(mlir::MemRefType type) {
    int64_t offset;
    llvm::SmallVector<int64_t> strides;
    if (type && mlir::succeeded(type.getStridesAndOffset(strides, offset)))
      for (int64_t stride : strides)
        bytes.push_back(stride * type.getElementTypeBitWidth() / 8);
  }
  int64_t operator[](size_t d) const { return bytes.empty() ? 0 : bytes[d]; }
  llvm::SmallVector<int64_t> bytes;
};

/// Neighbouring positions that a kernel computes together: first `large` tiles of `rows`
/// positions, then `small` ones of `rows - 1`, so that all are about as large.
struct Tiles {
  Tiles(int64_t positions, int64_t most) {
    int64_t count = (positions + most - 1) / most;
    rows = (positions + count - 1) / count;
    small = rows * count - positions;
    large = count - small;
  }
  int64_t rows, large, small;
};

/// The addresses of one position of the output.
struct Place {
  mlir::Value input, residual, dest;
};

/// Of kernel arguments, which are in the order of the operation's operands.
inline Place firstPlace(mlir::ValueRange arguments, bool hasResidual) {
  return {arguments.front(), hasResidual ? arguments[arguments.size() - 2] : mlir::Value(), arguments.back()};
}

/// Walks over images, lines and tiles of positions.
class PositionLoops {
public:
  template <typename Op>
  PositionLoops(VectorBuilder &b, Op op, int64_t mostRows)
      : b(b), mostRows(mostRows), output(mlir::cast<mlir::MemRefType>(op.getDest().getType())),
        input(mlir::cast<mlir::MemRefType>(op.getInput().getType())), dest(output),
        residual(op.getResidual() ? mlir::cast<mlir::MemRefType>(op.getResidual().getType()) : mlir::MemRefType()) {
    element = input.getElementTypeBitWidth() / 8;
    image = input.getDimSize(1) * input.getDimSize(2) * input.getDimSize(3) * element;
    line = static_cast<int64_t>(op.getLine()) * element;
    pixel = static_cast<int64_t>(op.getPixel()) * element;
  }

  /// Every line of the output; `start` is the address of the first position.
  void lines(Place start, llvm::function_ref<void(Place)> body) {
    b.loop(output.getDimSize(0), [&](mlir::Value n) {
      Place first = move(start, n, image, 0);
      b.loop(output.getDimSize(1), [&](mlir::Value oh) { body(move(first, oh, line, 1)); });
    });
  }

  /// Every tile of a line.
  void tiles(Place row, llvm::function_ref<void(Place, int64_t)> body) {
    Tiles tiles(output.getDimSize(2), mostRows);
    b.loop(tiles.large, [&](mlir::Value t) { body(move(row, t, pixel, 2, tiles.rows), tiles.rows); });
    if (tiles.small == 0)
      return;
    row = skip(row, tiles.large * tiles.rows);
    b.loop(tiles.small, [&](mlir::Value t) { body(move(row, t, pixel, 2, tiles.rows - 1), tiles.rows - 1); });
  }

  /// The same place, `channel` channels of the output further.
  Place shiftOutput(Place place, mlir::Value channel) { return move(place, channel, 0, 3); }
  /// The same place, `channel` channels further where input and output have the same ones.
  Place shiftBoth(Place place, mlir::Value channel) { return move(place, channel, element, 3); }

  /// `positions` further along the line.
  Place skip(Place place, int64_t positions) {
    return {b.address(place.input, positions * pixel),
            place.residual ? b.address(place.residual, positions * residual[2]) : mlir::Value(),
            b.address(place.dest, positions * dest[2])};
  }
  int64_t pixelBytes() const { return pixel; }

private:
  Place move(Place place, mlir::Value index, int64_t inputBytes, size_t dimension, int64_t positions = 1) {
    return {b.address(place.input, b.times(index, inputBytes * positions)),
            place.residual ? b.address(place.residual, b.times(index, residual[dimension] * positions)) : mlir::Value(),
            b.address(place.dest, b.times(index, dest[dimension] * positions))};
  }

  VectorBuilder &b;
  int64_t mostRows;
  mlir::MemRefType output, input;
  ByteStrides dest, residual;
  int64_t element, image, line, pixel; // bytes of the input
};

} // namespace dyadic

#endif // DYADIC_LIB_CONVERSION_POSITIONLOOPS_H
