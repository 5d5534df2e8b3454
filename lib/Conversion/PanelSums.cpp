// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PanelSums.h"

using namespace mlir;

namespace dyadic {

void PanelSums::select(Value allWeights, Value allOffsets, Value panels, Value index) {
  int64_t columns = 2 + static_cast<int64_t>(groupSizes.size());
  Value row = b.address(panels, b.times(index, 4 * columns));
  weightBits = storedBits;
  weights = b.address(allWeights, b.times(b.loadIndex(row), weightBytes(1)));
  offsets = b.address(allOffsets, b.times(b.loadIndex(b.address(row, 4)), offsetBytes()));
  counts.clear();
  for (int64_t column = 2; column < columns; ++column)
    counts.push_back(b.loadIndex(b.address(row, 4 * column)));
}

void PanelSums::unpack(Value scratch, int64_t blocks) { unpackPanel(b, weights, scratch, blocks, storedBits); }

void PanelSums::takeUnpacked(Value scratch) {
  weights = scratch;
  weightBits = 8;
}

SmallVector<Value> PanelSums::add(Value input, int64_t rows, SmallVector<Value> sums) {
  Value w = weights, o = offsets;
  for (auto [size, count] : llvm::zip(groupSizes, counts)) {
    sums = b.loop(count, sums, [&, size = size](Value k, ValueRange carried) {
      Value wk = b.address(w, b.times(k, weightBytes(size))), ok = b.address(o, b.times(k, size * offsetBytes()));
      return size > kUnrolledGroup ? longGroup(input, rows, size, wk, ok, carried)
                                   : shortGroup(input, rows, size, wk, ok, carried);
    });
    w = b.address(w, b.times(count, weightBytes(size)));
    o = b.address(o, b.times(count, size * offsetBytes()));
  }
  return sums;
}

Value PanelSums::block(Value weights, int64_t i, int64_t v) {
  int64_t shared = 8 / weightBits;
  VectorType words = b.vector(dots.lanes, 32);
  Value stored = b.load(words, b.address(weights, (vectors * (i / shared) + v) * vectorBytes()));
  return weightBits == 8 ? stored : b.bitcast(narrowWeights(b, stored, weightBits, i % shared), words);
}

SmallVector<Value> PanelSums::shortGroup(Value input, int64_t rows, int64_t size, Value wk, Value ok, ValueRange sums) {
  SmallVector<Value> addresses, result;
  for (int64_t i = 0; i < size; ++i)
    addresses.push_back(address(input, b.address(ok, offsetBytes() * i)));
  // Weights that would push sums out of registers are operands from memory, for every position again.
  bool loadsAgain = weightBits == 8 && vectors * size > keptWeights;
  SmallVector<Value> ws[2];
  for (int64_t r = 0; r < rows; ++r) {
    if (r > 0 && loadsAgain)
      wk = b.opaque(wk);
    if (r == 0 || loadsAgain)
      for (int64_t v = 0; v < vectors; ++v) {
        ws[v].clear();
        for (int64_t i = 0; i < size; ++i)
          ws[v].push_back(block(wk, i, v));
      }
    SmallVector<Value> xs;
    for (Value address : addresses)
      xs.push_back(dots.input(b.address(address, r * pixelBytes)));
    for (int64_t v = 0; v < vectors; ++v)
      result.push_back(dots.accumulate(sums[vectors * r + v], xs, ws[v], factor(v)));
  }
  return result;
}

SmallVector<Value> PanelSums::longGroup(Value input, int64_t rows, int64_t size, Value wk, Value ok, ValueRange sums) {
  SmallVector<Value> groups(sums.size(), dots.emptyGroup());
  groups = b.loop(b.constant(size / kUnrolledGroup), groups, [&](Value k, ValueRange carried) {
    SmallVector<Value> next(carried);
    Value w = b.address(wk, b.times(k, weightBytes(kUnrolledGroup))),
          o = b.address(ok, b.times(k, kUnrolledGroup * offsetBytes()));
    for (int64_t i = 0; i < kUnrolledGroup; ++i) {
      Value from = address(input, b.address(o, offsetBytes() * i));
      SmallVector<Value> ws;
      for (int64_t v = 0; v < vectors; ++v)
        ws.push_back(block(w, i, v));
      for (int64_t r = 0; r < rows; ++r) {
        Value x = dots.input(b.address(from, r * pixelBytes));
        for (int64_t v = 0; v < vectors; ++v)
          next[vectors * r + v] = dots.addToGroup(next[vectors * r + v], x, ws[v]);
      }
    }
    return next;
  });
  for (int64_t i = 0; i < static_cast<int64_t>(groups.size()); ++i)
    groups[i] = dots.addGroup(sums[i], groups[i], factor(i % vectors));
  return groups;
}

} // namespace dyadic
