// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a kernel walks over the positions of its output: images, lines, and tiles of
// neighbouring positions that are computed together.

#ifndef DYADIC_LIB_CONVERSION_POSITIONLOOPS_H
#define DYADIC_LIB_CONVERSION_POSITIONLOOPS_H

#include "VectorBuilder.h"
#include "mlir/IR/BuiltinTypes.h"

namespace dyadic {

/// Bytes from one position to the next of each dimension of a buffer; a position has `size` lines and columns.
struct ByteStrides {
  ByteStrides(mlir::MemRefType type, int64_t size) {
    int64_t offset;
    llvm::SmallVector<int64_t> strides;
    if (type && mlir::succeeded(type.getStridesAndOffset(strides, offset)))
      for (int64_t stride : strides)
        bytes.push_back(stride * type.getElementTypeBitWidth() / 8);
    if (bytes.size() == 4) {
      bytes[1] *= size;
      bytes[2] *= size;
    }
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

/// Positions that the schedule of `op` computes together, `usual` where it does not say.
template <typename Op> int64_t rowsOf(Op op, int64_t usual) {
  auto rows = static_cast<int64_t>(op.getRows());
  return rows == 0 ? usual : rows;
}

/// The addresses of one position of the output, and where it lies: its line, its place in the line.
struct Place {
  mlir::Value input, residual, dest;
  mlir::Value line = {}, position = {};
};

/// Lines of all images of the output of `op`, where a position has `size` lines.
template <typename Op> int64_t countLines(Op op, int64_t size = 1) {
  auto output = mlir::cast<mlir::MemRefType>(op.getDest().getType());
  return output.getDimSize(0) * ((output.getDimSize(1) + size - 1) / size);
}

/// Positions of all images of the output of `op`, `size` x `size` elements each.
template <typename Op> int64_t countPositions(Op op, int64_t size = 1) {
  auto output = mlir::cast<mlir::MemRefType>(op.getDest().getType());
  return countLines(op, size) * ((output.getDimSize(2) + size - 1) / size);
}

/// Of kernel arguments, which are in the order of the operation's operands.
inline Place firstPlace(mlir::ValueRange arguments, bool hasResidual) {
  return {arguments.front(), hasResidual ? arguments[arguments.size() - 2] : mlir::Value(), arguments.back()};
}

/// Walks over images, lines and tiles of positions.
class PositionLoops {
public:
  template <typename Op>
  PositionLoops(VectorBuilder &b, Op op, int64_t mostRows)
      : PositionLoops(b, op, mostRows, static_cast<int64_t>(op.getLine()), static_cast<int64_t>(op.getPixel())) {}

  /// A position is `size` x `size` elements of the output; the input of the next one lies `pixel`, that of the next
  /// line `line` elements further.
  template <typename Op>
  PositionLoops(VectorBuilder &b, Op op, int64_t mostRows, int64_t line, int64_t pixel, int64_t size = 1)
      : b(b), mostRows(mostRows), output(mlir::cast<mlir::MemRefType>(op.getDest().getType())),
        input(mlir::cast<mlir::MemRefType>(op.getInput().getType())), dest(output, size),
        residual(op.getResidual() ? mlir::cast<mlir::MemRefType>(op.getResidual().getType()) : mlir::MemRefType(),
                 size),
        high((output.getDimSize(1) + size - 1) / size), wide((output.getDimSize(2) + size - 1) / size) {
    element = input.getElementTypeBitWidth() / 8;
    image = ByteStrides(input, 1)[0];
    this->line = line * element;
    this->pixel = pixel * element;
  }

  /// The lines `range` of all images of the output; `start` is the address of the first position.
  void lines(Place start, const Range &range, llvm::function_ref<void(Place)> body) {
    bool isOne = output.getDimSize(0) == 1;
    b.loop(output.getDimSize(0), [&](mlir::Value n) {
      Place first = move(start, n, image, 0);
      b.loop(isOne ? range : b.clip(range, b.times(n, high), high), [&](mlir::Value oh) {
        Place row = move(first, oh, line, 1);
        row.line = oh;
        body(row);
      });
    });
  }

  /// Every tile of a line.
  void tiles(Place row, llvm::function_ref<void(Place, int64_t)> body) {
    Tiles tiles(wide, mostRows);
    auto each = [&](int64_t count, int64_t rows, int64_t before) {
      b.loop(count, [&](mlir::Value t) { body(skip(row, b.add(b.times(t, rows), b.constant(before))), rows); });
    };
    each(tiles.large, tiles.rows, 0);
    each(tiles.small, tiles.rows - 1, tiles.large * tiles.rows);
  }

  /// The same place, `channel` channels of the output further.
  Place shiftOutput(Place place, mlir::Value channel) { return move(place, channel, 0, 3); }
  /// The same place, `channel` channels further where input and output have the same ones.
  Place shiftBoth(Place place, mlir::Value channel) { return move(place, channel, element, 3); }

  /// `positions` further along the line.
  Place skip(Place place, int64_t positions) { return skip(place, b.constant(positions)); }
  Place skip(Place place, mlir::Value positions) {
    Place moved = move(place, positions, pixel, 2);
    moved.position = place.position ? b.add(place.position, positions) : positions;
    return moved;
  }
  int64_t pixelBytes() const { return pixel; }
  /// Whole lines and columns of positions.
  int64_t height() const { return high; }
  int64_t width() const { return wide; }

private:
  Place move(Place place, mlir::Value index, int64_t inputBytes, size_t dimension) {
    auto moved = [&](mlir::Value from, int64_t bytes) { return b.address(from, b.times(index, bytes)); };
    place.input = moved(place.input, inputBytes);
    if (place.residual)
      place.residual = moved(place.residual, residual[dimension]);
    place.dest = moved(place.dest, dest[dimension]);
    return place;
  }

  VectorBuilder &b;
  int64_t mostRows;
  mlir::MemRefType output, input;
  ByteStrides dest, residual;
  int64_t high, wide;
  int64_t element, image, line, pixel; // bytes of the input
};

} // namespace dyadic

#endif // DYADIC_LIB_CONVERSION_POSITIONLOOPS_H
