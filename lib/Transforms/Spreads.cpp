// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Spreads.h"
#include "dyadic/IR/Constants.h"
#include "dyadic/IR/FunctionBody.h"
#include "dyadic/IR/Layers.h"
#include "dyadic/IR/Moments.h"
#include "dyadic/Support/ScalarFunctions.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

Spread unite(ArrayRef<Spread> spreads) {
  Spread all = spreads.front();
  for (const Spread &spread : spreads.drop_front()) {
    all.mean += spread.mean;
    all.low = std::min(all.low, spread.low);
    all.high = std::max(all.high, spread.high);
  }
  all.mean /= static_cast<double>(spreads.size());
  return all;
}

static Spread including(Spread spread, double number) {
  return {spread.mean, std::min(spread.low, number), std::max(spread.high, number)};
}

static int64_t channelsOf(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  return type.getRank() < 2 ? 1 : type.getDimSize(1);
}

/// One for each of `channels`.
static SmallVector<Spread> spreadOut(ArrayRef<Spread> spreads, int64_t channels) {
  if (static_cast<int64_t>(spreads.size()) == channels)
    return SmallVector<Spread>(spreads);
  return SmallVector<Spread>(channels, unite(spreads));
}

/// Those of a constant: by channel where it tells channels apart, aligned at the last dimension of a result of rank
/// `rank`.
static SmallVector<Spread> spreadsOf(const ConstantView &constant, int64_t rank) {
  ArrayRef<int64_t> shape = constant.getType().getShape();
  int64_t axis = static_cast<int64_t>(shape.size()) - rank + 1; // that of channels
  bool hasChannels = rank > 1 && axis >= 0 && shape[axis] > 1;
  int64_t channels = hasChannels ? shape[axis] : 1;
  int64_t inner = hasChannels ? ShapedType::getNumElements(shape.drop_front(axis + 1)) : constant.size();
  SmallVector<SmallVector<Spread>> numbers(channels);
  for (int64_t i = 0; i < constant.size(); ++i) {
    double number = constant.floatAt(i);
    numbers[i / inner % channels].push_back({number, number, number});
  }
  SmallVector<Spread> spreads;
  for (ArrayRef<Spread> channel : numbers)
    spreads.push_back(unite(channel));
  return spreads;
}

/// Of operand `index`, for each of `channels`.
SmallVector<Spread> SpreadMap::operand(Operation *op, unsigned index, int64_t channels) const {
  Value value = op->getOperand(index);
  auto known = spreads.find(value);
  if (known != spreads.end())
    return spreadOut(known->second, channels);
  int64_t rank = cast<RankedTensorType>(op->getResult(0).getType()).getRank();
  return spreadOut(spreadsOf(ConstantView(value), rank), channels);
}

/// What a function makes of normally distributed numbers: its mean and what it reaches, at evenly spaced points.
Spread SpreadMap::through(llvm::function_ref<double(double)> function, const Spread &x) const {
  constexpr int kSteps = 256;
  double deviation = (x.high - x.low) / (2 * sigmas), first = function(x.low);
  if (!(deviation > 0))
    return {first, first, first};
  Spread y{0, first, first};
  double weights = 0;
  for (int i = 0; i <= kSteps; ++i) {
    double at = i == kSteps ? x.high : x.low + (x.high - x.low) * i / kSteps;
    double distance = (at - x.mean) / deviation, weight = HostDouble::exp(-distance * distance / 2);
    double number = function(at);
    y = including(y, number);
    y.mean += weight * number;
    weights += weight;
  }
  y.mean = std::min(std::max(y.mean / weights, y.low), y.high);
  return y;
}

namespace {

/// A sum of independent numbers: means add up, and so do the squares of what reaches beyond them. It reaches no
/// farther than all of them at once.
class Sum {
public:
  explicit Sum(double offset) : mean(offset), low(offset), high(offset) {}

  /// Adds `weights` times numbers of `spread`, such as the window of a channel: these may all be equal, or independent;
  /// what reaches farther counts.
  void add(ArrayRef<double> weights, const Spread &spread) {
    double up = spread.high - spread.mean, down = spread.mean - spread.low;
    double total = 0, upward = 0, downward = 0;
    for (double w : weights) {
      total += w;
      upward += square(w * (w > 0 ? up : down));
      downward += square(w * (w > 0 ? down : up));
      low += w * (w > 0 ? spread.low : spread.high);
      high += w * (w > 0 ? spread.high : spread.low);
    }
    mean += total * spread.mean;
    above += std::max(upward, square(total * (total > 0 ? up : down)));
    below += std::max(downward, square(total * (total > 0 ? down : up)));
  }

  Spread spread() const {
    return {mean, std::max(low, mean - std::sqrt(below)), std::min(high, mean + std::sqrt(above))};
  }

private:
  static double square(double x) { return x * x; }

  double mean, low, high, above = 0, below = 0;
};

} // namespace

/// A convolution or matmul that no batch normalization follows.
SmallVector<Spread> SpreadMap::linear(Operation *op) const {
  ConstantView weights(op->getOperand(1));
  auto conv = dyn_cast<ConvOp>(op);
  ArrayRef<int64_t> shape = weights.getType().getShape();
  int64_t outputs = conv ? shape[0] : shape[1], inputs = conv ? shape[1] : shape[0];
  int64_t groups = conv ? conv.getGroup() : 1, window = weights.size() / (outputs * inputs);
  bool tellsChannels = conv || cast<RankedTensorType>(op->getResult(0).getType()).getRank() == 2;
  SmallVector<Spread> x = spreadOut(spreads.find(op->getOperand(0))->second, tellsChannels ? inputs * groups : 1);
  bool isPadded = conv && llvm::any_of(conv.getPads(), [](int64_t pad) { return pad > 0; });
  SmallVector<Spread> results;
  SmallVector<double> taps(window);
  for (int64_t m = 0; m < outputs; ++m) {
    Sum sum(op->getNumOperands() == 3 ? ConstantView(op->getOperand(2)).floatAt(m) : 0.0);
    for (int64_t c = 0; c < inputs; ++c) {
      for (int64_t k = 0; k < window; ++k)
        taps[k] = weights.floatAt(conv ? (m * inputs + c) * window + k : c * outputs + m);
      const Spread &from = x[tellsChannels ? m / (outputs / groups) * inputs + c : 0];
      sum.add(taps, isPadded ? including(from, 0) : from);
    }
    results.push_back(sum.spread());
  }
  return tellsChannels ? results : SmallVector<Spread>{unite(results)};
}

std::optional<SmallVector<Spread>> SpreadMap::layer(Operation *op) const {
  ValueMoments moments = readMoments(op);
  if (moments.means.empty())
    return ConstantView(op->getOperand(1)) ? std::optional(linear(op)) : std::nullopt;
  Spreads result;
  for (auto [mean, deviation] : llvm::zip(moments.means, moments.deviations))
    result.push_back({mean, mean - sigmas * deviation, mean + sigmas * deviation});
  return result;
}

static Spread product(const Spread &a, const Spread &b) {
  Spread y = including({a.mean * b.mean, a.low * b.low, a.low * b.low}, a.low * b.high);
  return including(including(y, a.high * b.low), a.high * b.high);
}

std::optional<SmallVector<Spread>> SpreadMap::elementwise(Operation *op, int64_t channels) const {
  Spreads x = operand(op, 0, channels), second;
  if (op->getNumOperands() == 2)
    second = operand(op, 1, channels);
  HostDouble host;
  Spreads y;
  for (int64_t c = 0; c < channels; ++c) {
    auto result =
        llvm::TypeSwitch<Operation *, std::optional<Spread>>(op)
            .Case<AddOp, SubOp>([&](Operation *) {
              Sum sum(0);
              sum.add(1.0, x[c]);
              sum.add(isa<SubOp>(op) ? -1.0 : 1.0, second[c]);
              return sum.spread();
            })
            .Case([&](MulOp) { return product(x[c], second[c]); })
            .Case([&](MapOp map) { return through([&](double at) { return evaluate(map, host, at); }, x[c]); })
            .Case([&](PReluOp) {
              auto with = [&](double slope) {
                return through([&](double at) { return at < 0 ? at * slope : at; }, x[c]);
              };
              return unite({with(second[c].low), with(second[c].high)});
            })
            .Default([&](Operation *) -> std::optional<Spread> {
              std::optional<ActivationBounds> bounds = boundsOf(op);
              if (!bounds)
                return std::nullopt;
              return through(
                  [&](double at) { return std::min<double>(std::max<double>(at, bounds->min), bounds->max); }, x[c]);
            });
    if (!result)
      return std::nullopt;
    y.push_back(*result);
  }
  return y;
}

SmallVector<Spread> SpreadMap::joined(ConcatOp concat) const {
  Spreads result;
  for (unsigned i = 0; i < concat->getNumOperands(); ++i) {
    Spreads next = operand(concat, i, channelsOf(concat->getOperand(i)));
    if (concat.getAxis() == 1 || i == 0)
      result.append(next);
    else
      for (auto [all, one] : llvm::zip(result, next))
        all = unite({all, one});
  }
  return spreadOut(result, channelsOf(concat.getOutput()));
}

/// Of an operation that takes numbers elsewhere, a border beside them or means of them.
std::optional<SmallVector<Spread>> SpreadMap::moved(Operation *op) const {
  auto known = spreads.find(op->getOperand(0));
  if (known == spreads.end())
    return std::nullopt;
  Value result = op->getResult(0);
  int64_t from = channelsOf(op->getOperand(0)), to = channelsOf(result);
  Spreads x = spreadOut(known->second, from);
  auto pick = [&](llvm::function_ref<int64_t(int64_t)> source) {
    Spreads y;
    for (int64_t c = 0; c < to; ++c)
      y.push_back(x[source(c)]);
    return y;
  };
  Spreads all{unite(x)};
  auto shapeOf = [](Value value) { return cast<RankedTensorType>(value.getType()).getShape(); };
  if (std::min(shapeOf(op->getOperand(0)).size(), shapeOf(result).size()) < 2)
    return all;
  return llvm::TypeSwitch<Operation *, std::optional<Spreads>>(op)
      .Case([&](ReshapeOp) -> Spreads {
        if (shapeOf(op->getOperand(0))[0] != shapeOf(result)[0])
          return all;
        if (to % from == 0)
          return pick([&](int64_t c) { return c / (to / from); });
        if (from % to != 0)
          return all;
        Spreads y;
        for (int64_t c = 0; c < to; ++c)
          y.push_back(unite(ArrayRef(x).slice(c * (from / to), from / to)));
        return y;
      })
      .Case([&](TransposeOp transpose) { return transpose.getPermutation()[1] == 1 ? x : all; })
      .Case([&](SliceOp slice) {
        return pick([&](int64_t c) { return slice.getOffsets()[1] + c * slice.getSteps()[1]; });
      })
      .Case([&](GatherOp gather) {
        return gather.getAxis() == 1 ? pick([&](int64_t c) { return gather.getIndices()[c]; }) : x;
      })
      .Case([&](PadOp pad) {
        double value = pad.getValue().convertToFloat();
        Spreads y(to, Spread{value, value, value});
        bool isElsewhere = false;
        for (size_t d = 0; d < pad.getLow().size(); ++d)
          isElsewhere |= d != 1 && (pad.getLow()[d] > 0 || pad.getHigh()[d] > 0);
        for (int64_t c = 0; c < from; ++c)
          y[pad.getLow()[1] + c] = isElsewhere ? including(x[c], value) : x[c];
        return y;
      })
      .Case<MaxPoolOp, AvgPoolOp, InterpolateOp>([&](Operation *) { return x; })
      .Default([](Operation *) { return std::nullopt; });
}

bool SpreadMap::add(Operation *op) {
  Value result = op->getResult(0);
  std::optional<Spreads> found;
  if (isa<ConvOp, MatmulOp>(op))
    found = layer(op);
  else if (isa<AddOp, SubOp, MulOp, MapOp, PReluOp>(op) || boundsOf(op))
    found = elementwise(op, channelsOf(result));
  else if (auto concat = dyn_cast<ConcatOp>(op))
    found = joined(concat);
  else if (isa<SoftmaxOp>(op))
    found = Spreads{{0.5, 0, 1}};
  else
    found = moved(op);
  if (!found)
    return false;
  spreads[result] = std::move(*found);
  return true;
}

} // namespace dyadic
