// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Support/StridedLayout.h"
#include "dyadic/Support/Strided.h"
#include <functional>
#include <numeric>

namespace dyadic {

int64_t StridedLayout::numElements() const {
  return std::accumulate(sizes.begin(), sizes.end(), int64_t(1), std::multiplies<int64_t>());
}

int64_t StridedLayout::last() const {
  int64_t result = offset;
  for (size_t d = 0; d < sizes.size(); ++d)
    result += (sizes[d] - 1) * strides[d];
  return result;
}

StridedLayout rowMajor(const std::vector<int64_t> &shape) { return {0, shape, rowMajorStrides(shape)}; }

namespace {
/// A dimension of a tensor as a layout sees it: numbers of elements are written with one digit a dimension.
struct Digit {
  int64_t size, step;  // how many values it has; elements from one to the next
  int64_t first = 0;   // of the layout's first element
  int64_t reach = 0;   // how far it grows, without carries
  int64_t spacing = 0; // where the digits are stored elsewhere: elements from one to the next there
};
} // namespace

/// The digit that a stride moves, the outermost of those that divide it.
static std::optional<size_t> digitOf(const std::vector<Digit> &digits, int64_t stride) {
  for (size_t k = 0; k < digits.size(); ++k)
    if (digits[k].size > 1 && digits[k].step <= stride)
      return stride % digits[k].step == 0 ? std::optional<size_t>(k) : std::nullopt;
  return std::nullopt;
}

/// Sets `first` and `reach` for the elements of `layout`; false where a stride moves no single digit.
static bool spread(std::vector<Digit> &digits, const StridedLayout &layout) {
  for (Digit &digit : digits)
    digit.first = layout.offset / digit.step % digit.size;
  for (size_t d = 0; d < layout.sizes.size(); ++d) {
    if (layout.sizes[d] == 1)
      continue;
    std::optional<size_t> k = digitOf(digits, layout.strides[d]);
    if (!k)
      return false;
    digits[*k].reach += (layout.sizes[d] - 1) * (layout.strides[d] / digits[*k].step);
  }
  return true;
}

std::optional<std::vector<Interval>> boundsIn(const std::vector<int64_t> &shape, const StridedLayout &layout) {
  std::vector<Digit> digits;
  std::vector<int64_t> steps = rowMajorStrides(shape);
  for (size_t d = 0; d < shape.size(); ++d)
    digits.push_back({shape[d], steps[d]});
  if (!spread(digits, layout))
    return std::nullopt;
  std::vector<Interval> bounds(shape.size());
  int64_t carry = 0;
  for (size_t d = shape.size(); d-- > 0;) {
    int64_t last = digits[d].first + digits[d].reach + carry;
    bounds[d] = last < shape[d] ? Interval{digits[d].first, last} : Interval{0, shape[d] - 1};
    carry = last / shape[d];
  }
  return carry == 0 ? std::optional(bounds) : std::nullopt;
}

std::optional<StridedLayout> placeIn(const StridedLayout &stored, const StridedLayout &part) {
  std::vector<Digit> digits; // dimensions that follow each other evenly are one; the outermost first
  for (size_t d = 0; d < stored.sizes.size(); ++d) {
    if (stored.sizes[d] == 1)
      continue;
    if (!digits.empty() && digits.back().spacing == stored.sizes[d] * stored.strides[d]) {
      digits.back().size *= stored.sizes[d];
      digits.back().spacing = stored.strides[d];
    } else {
      digits.push_back({stored.sizes[d], 1, 0, 0, stored.strides[d]});
    }
  }
  for (size_t k = digits.size(); k-- > 1;)
    digits[k - 1].step = digits[k].step * digits[k].size;
  if (!spread(digits, part))
    return std::nullopt;
  StridedLayout result{stored.offset, part.sizes, part.strides};
  for (const Digit &digit : digits) {
    if (digit.first + digit.reach >= digit.size)
      return std::nullopt;
    result.offset += digit.first * digit.spacing;
  }
  int64_t inner = 1; // what a dimension of one element is given: it looks contiguous
  for (size_t d = part.sizes.size(); d-- > 0;) {
    result.strides[d] = inner;
    if (part.sizes[d] > 1) {
      const Digit &digit = digits[*digitOf(digits, part.strides[d])];
      result.strides[d] = part.strides[d] / digit.step * digit.spacing;
    }
    inner = result.strides[d] * part.sizes[d];
  }
  return result;
}

} // namespace dyadic
