// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "DotBuilder.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

static bool hasWideForm(Dot dot) { return dot == Dot::Dpbusd || dot == Dot::Dpwssd; }

DotBuilder::DotBuilder(VectorBuilder &b, Dot dot, bool flip, int64_t lanes)
    : lanes(hasWideForm(dot) ? lanes : kSumLanes), b(b), dot(dot), flip(flip) {
  if (dot == Dot::Maddubs)
    ones = b.splat(16, 16, 1);
}

Value DotBuilder::input(Value pointer) {
  Value x = b.broadcast(b.load(b.builder.getI32Type(), pointer), lanes);
  if (flip)
    x = LLVM::XOrOp::create(b.builder, b.location, x, b.splat(lanes, 32, 0x80808080));
  return x;
}

Value DotBuilder::accumulate(Value sum, ArrayRef<Value> xs, ArrayRef<Value> ws, Value factors) {
  VectorType words = b.vector(lanes, 32), pairs = b.vector(2 * lanes, 16), bytes = b.vector(4 * lanes, 8);
  auto fused = [&](StringRef name, VectorType type) {
    std::string sized = (name + "." + Twine(32 * lanes)).str();
    for (auto [x, w] : llvm::zip(xs, ws))
      sum = b.intrinsic(sized, words, {sum, b.bitcast(x, type), b.bitcast(w, type)});
    return sum;
  };
  // Registers of 128 bits: half of the channels each.
  auto inHalves = [&](StringRef name) {
    VectorType halfWords = b.vector(4, 32), halfBytes = b.vector(16, 8);
    Value halves[] = {b.half(sum, 0), b.half(sum, 1)};
    for (auto [x, w] : llvm::zip(xs, ws))
      for (int64_t i : {0, 1})
        halves[i] = b.intrinsic(name, halfWords,
                                {halves[i], b.bitcast(b.half(x, 0), halfBytes), b.bitcast(b.half(w, i), halfBytes)});
    return b.joined(halves[0], halves[1]);
  };
  switch (dot) {
  case Dot::Maddubs:
    return addGroup(sum, addToGroup({}, xs, ws), factors);
  case Dot::Maddwd:
    for (auto [x, w] : llvm::zip(xs, ws))
      sum = b.add(sum, b.intrinsic("llvm.x86.avx2.pmadd.wd", words, {b.bitcast(x, pairs), b.bitcast(w, pairs)}));
    return sum;
  case Dot::Dpbusd:
    return fused("llvm.x86.avx512.vpdpbusd", bytes);
  case Dot::Dpwssd:
    return fused("llvm.x86.avx512.vpdpwssd", pairs);
  case Dot::Sdot:
    return inHalves("llvm.aarch64.neon.sdot.v4i32.v16i8");
  case Dot::Usdot:
    return inHalves("llvm.aarch64.neon.usdot.v4i32.v16i8");
  case Dot::Mlal:
    for (auto [x, w] : llvm::zip(xs, ws))
      for (int64_t i : {0, 1})
        sum = b.add(sum, b.multiply(b.extend(b.lane(b.bitcast(x, pairs), i, kSumLanes), false, 32),
                                    b.extend(b.half(b.bitcast(w, pairs), i), false, 32)));
    return sum;
  }
  return sum;
}

Value DotBuilder::emptyGroup() { return b.splat(16, 16, 0); }

Value DotBuilder::addToGroup(Value group, ArrayRef<Value> xs, ArrayRef<Value> ws) {
  VectorType pairs = b.vector(16, 16), bytes = b.vector(32, 8);
  for (auto [x, w] : llvm::zip(xs, ws)) {
    Value products = b.intrinsic("llvm.x86.avx2.pmadd.ub.sw", pairs, {b.bitcast(x, bytes), b.bitcast(w, bytes)});
    group = group ? b.add(group, products) : products;
  }
  return group;
}

Value DotBuilder::addGroup(Value sum, Value group, Value factors) {
  return b.add(sum, b.intrinsic("llvm.x86.avx2.pmadd.wd", b.vector(8, 32), {group, factors ? factors : ones}));
}

} // namespace dyadic
