// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Element-wise operations. What an attribute says for one channel is first spread
// over the result's shape; then Support/Dyadic.h computes element by element.

#include "Indexing.h"
#include "Operations.h"
#include "dyadic/IR/Constants.h"
#include "dyadic/IR/FunctionBody.h"
#include "dyadic/Support/Dyadic.h"
#include "dyadic/Support/Error.h"
#include "dyadic/Support/ScalarFunctions.h"

using namespace llvm;

namespace dyadic::reference {

/// The position in an attribute of shape `from` of every element of a result of shape
/// `to`, by NumPy's rule: aligned at the last dimension, size 1 repeats.
static std::vector<int64_t> broadcastPositions(ArrayRef<int64_t> from, ArrayRef<int64_t> to) {
  std::vector<int64_t> positions(volumeOf(to));
  const size_t skipped = to.size() - from.size();
  forEachIndex(to, [&](ArrayRef<int64_t> index, int64_t i) {
    Index source(index.drop_front(skipped));
    for (size_t d = 0; d < from.size(); ++d)
      if (from[d] == 1)
        source[d] = 0;
    positions[i] = offsetOf(source, from);
  });
  return positions;
}

static std::vector<int64_t> spreadInts(mlir::Attribute attribute, ArrayRef<int64_t> shape) {
  ConstantView view(attribute);
  std::vector<int64_t> result = broadcastPositions(view.getType().getShape(), shape);
  for (int64_t &element : result)
    element = view.intAt(element);
  return result;
}

static std::vector<float> spreadFloats(mlir::Attribute attribute, ArrayRef<int64_t> shape) {
  ConstantView view(attribute);
  std::vector<float> result;
  for (int64_t position : broadcastPositions(view.getType().getShape(), shape))
    result.push_back(view.floatAt(position));
  return result;
}

static Rounding roundingOf(qnn::Rounding rounding) {
  switch (rounding) {
  case qnn::Rounding::HalfUp:
    return Rounding::HalfUp;
  case qnn::Rounding::HalfEven:
    return Rounding::HalfEven;
  case qnn::Rounding::Double:
    return Rounding::Double;
  }
  return Rounding::HalfUp;
}

static int64_t asSigned(uint64_t x) { return static_cast<int64_t>(x); }

float maximum(float a, float b) { return HostFloat::maximum(a, b); }
float minimum(float a, float b) { return HostFloat::minimum(a, b); }

Error run(qnn::ReluOp op, Operands in, Tensor &out) {
  for (auto [i, x] : enumerate(floats(*in[0])))
    out.as<float>()[i] = maximum(x, 0.0f);
  return Error::success();
}

Error run(qnn::ClipOp op, Operands in, Tensor &out) {
  const float min = op.getMin().convertToFloat(), max = op.getMax().convertToFloat();
  for (auto [i, x] : enumerate(floats(*in[0])))
    out.as<float>()[i] = minimum(maximum(x, min), max);
  return Error::success();
}

Error run(qnn::RangeOp, Operands in, Tensor &out) {
  out.data = in[0]->data;
  return Error::success();
}

/// requantizeSum's domain: |a| * m1 + |b| * m2 + 2^(e-1) < 2^63.
static bool sumFits(int64_t a, int64_t b, MultiplierPair f) {
  auto term = [](int64_t x, int32_t m) {
    return static_cast<unsigned __int128>(x < 0 ? -x : x) * static_cast<uint32_t>(std::abs(m));
  };
  return term(a, f.m1) + term(b, f.m2) + (uint64_t(1) << (f.e - 1)) < (uint64_t(1) << 63);
}

static Error runIntegerAdd(qnn::AddOp op, Operands in, Tensor &out) {
  const std::vector<int64_t> m1 = spreadInts(*op.getAMultiplier(), out.shape);
  const std::vector<int64_t> m2 = spreadInts(*op.getBMultiplier(), out.shape);
  const std::vector<int64_t> e = spreadInts(*op.getExponent(), out.shape);
  const std::vector<int64_t> p = broadcastPositions(in[0]->shape, out.shape);
  const std::vector<int64_t> q = broadcastPositions(in[1]->shape, out.shape);
  const ArrayRef<int64_t> clamp = *op.getClamp();
  for (int64_t i = 0, end = out.size(); i < end; ++i) {
    const int64_t a = in[0]->intAt(p[i]) - asSigned(*op.getAZp()), b = in[1]->intAt(q[i]) - asSigned(*op.getBZp());
    const MultiplierPair factors{static_cast<int32_t>(m1[i]), static_cast<int32_t>(m2[i]), static_cast<int32_t>(e[i])};
    if (!sumFits(a, b, factors))
      return operationError(op, "sum of " + Twine(a) + " * " + Twine(m1[i]) + " and " + Twine(b) + " * " +
                                    Twine(m2[i]) + " at element " + Twine(i) + " leaves 63 bits");
    out.setInt(i, requantizeSum(a, b, factors, asSigned(*op.getZeroPoint()), clamp[0], clamp[1],
                                roundingOf(*op.getRounding())));
  }
  return Error::success();
}

/// `function` of the elements of two f32 tensors, NumPy's way.
template <typename Function> static Error runFloatBinary(Operands in, Tensor &out, Function function) {
  const std::vector<int64_t> p = broadcastPositions(in[0]->shape, out.shape);
  const std::vector<int64_t> q = broadcastPositions(in[1]->shape, out.shape);
  ArrayRef<float> a = floats(*in[0]), b = floats(*in[1]);
  for (size_t i = 0; i < p.size(); ++i)
    out.as<float>()[i] = function(a[p[i]], b[q[i]]);
  return Error::success();
}

Error run(qnn::AddOp op, Operands in, Tensor &out) {
  if (!isFloat(out))
    return runIntegerAdd(op, in, out);
  return runFloatBinary(in, out, [](float a, float b) { return a + b; });
}

Error run(qnn::SubOp, Operands in, Tensor &out) {
  return runFloatBinary(in, out, [](float a, float b) { return a - b; });
}

static Error runIntegerMul(qnn::MulOp op, Operands in, Tensor &out) {
  const std::vector<int64_t> p = broadcastPositions(in[0]->shape, out.shape);
  const std::vector<int64_t> q = broadcastPositions(in[1]->shape, out.shape);
  const Multiplier factor{static_cast<int32_t>(*op.getMultiplier()), static_cast<int32_t>(*op.getExponent())};
  const ArrayRef<int64_t> clamp = *op.getClamp();
  for (int64_t i = 0, end = out.size(); i < end; ++i) {
    const int64_t a = in[0]->intAt(p[i]) - asSigned(*op.getAZp()), b = in[1]->intAt(q[i]) - asSigned(*op.getBZp());
    if (!sumFits(a * b, 0, {factor.m, 0, factor.e}))
      return operationError(op, "product of " + Twine(a) + ", " + Twine(b) + " and " + Twine(factor.m) +
                                    " at element " + Twine(i) + " leaves 63 bits");
    out.setInt(i, requantizeProduct(a, b, factor, asSigned(*op.getZeroPoint()), clamp[0], clamp[1],
                                    roundingOf(*op.getRounding())));
  }
  return Error::success();
}

Error run(qnn::MulOp op, Operands in, Tensor &out) {
  if (!isFloat(out))
    return runIntegerMul(op, in, out);
  return runFloatBinary(in, out, [](float a, float b) { return a * b; });
}

Error run(qnn::MapOp op, Operands in, Tensor &out) {
  HostFloat algebra;
  for (auto [i, x] : enumerate(floats(*in[0])))
    out.as<float>()[i] = qnn::evaluate(op, algebra, x);
  return Error::success();
}

Error run(qnn::TableOp op, Operands in, Tensor &out) {
  const std::vector<int32_t> entries(op.getEntries().getValues<int32_t>().begin(),
                                     op.getEntries().getValues<int32_t>().end());
  const int32_t shift = static_cast<int32_t>(op.getShift());
  const int64_t low = asSigned(op.getLow()), last = op.lastIndex();
  for (int64_t i = 0, end = out.size(); i < end; ++i)
    out.setInt(
        i, lookUp(entries.data(), clampTo(in[0]->intAt(i) - low, 0, last), shift, op.getClamp()[0], op.getClamp()[1]));
  return Error::success();
}

static Error runIntegerPRelu(qnn::PReluOp op, Operands in, Tensor &out) {
  const std::vector<int64_t> m = spreadInts(*op.getMultiplier(), out.shape);
  const std::vector<int64_t> e = spreadInts(*op.getExponent(), out.shape);
  const std::vector<int64_t> negativeM = spreadInts(*op.getNegativeMultiplier(), out.shape);
  const std::vector<int64_t> negativeE = spreadInts(*op.getNegativeExponent(), out.shape);
  const ArrayRef<int64_t> clamp = *op.getClamp();
  for (int64_t i = 0, end = out.size(); i < end; ++i) {
    const int64_t x = in[0]->intAt(i) - asSigned(*op.getXZp());
    const Multiplier factor{static_cast<int32_t>(x < 0 ? negativeM[i] : m[i]),
                            static_cast<int32_t>(x < 0 ? negativeE[i] : e[i])};
    out.setInt(i,
               requantize(x, factor, asSigned(*op.getZeroPoint()), clamp[0], clamp[1], roundingOf(*op.getRounding())));
  }
  return Error::success();
}

Error run(qnn::PReluOp op, Operands in, Tensor &out) {
  if (!isFloat(out))
    return runIntegerPRelu(op, in, out);
  return runFloatBinary(in, out, [](float x, float slope) { return x < 0 ? x * slope : x; });
}

Error run(qnn::RequantizeOp op, Operands in, Tensor &out) {
  const std::vector<int64_t> m = spreadInts(*op.getMultiplier(), out.shape);
  const std::vector<int64_t> e = spreadInts(*op.getExponent(), out.shape);
  const ArrayRef<int64_t> clamp = *op.getClamp();
  for (int64_t i = 0, end = out.size(); i < end; ++i) {
    const int64_t x = in[0]->intAt(i) - asSigned(op.getXZp());
    const Multiplier factor{static_cast<int32_t>(m[i]), static_cast<int32_t>(e[i])};
    out.setInt(i,
               requantize(x, factor, asSigned(*op.getZeroPoint()), clamp[0], clamp[1], roundingOf(*op.getRounding())));
  }
  return Error::success();
}

Error run(qnn::QuantizeOp op, Operands in, Tensor &out) {
  const float scale = op.getScale().convertToFloat();
  const ArrayRef<int64_t> clamp = op.getClamp();
  for (auto [i, x] : enumerate(floats(*in[0])))
    out.setInt(i, quantize(x, scale, asSigned(op.getZeroPoint()), clamp[0], clamp[1]));
  return Error::success();
}

Error run(qnn::DequantizeOp op, Operands in, Tensor &out) {
  const std::vector<float> scale = spreadFloats(op.getScale(), out.shape);
  const int64_t zeroPoint = asSigned(op.getZeroPoint());
  for (int64_t i = 0, end = out.size(); i < end; ++i)
    out.as<float>()[i] = dequantize(in[0]->intAt(i), scale[i], zeroPoint);
  return Error::success();
}

} // namespace dyadic::reference
