// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Between NumPy's arrays and tensors, for both extension modules.

#ifndef DYADIC_PYTHON_ARRAYS_H
#define DYADIC_PYTHON_ARRAYS_H

#include "dyadic/Support/Tensor.h"
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <optional>
#include <string>
#include <utility>

namespace dyadic::python {

/// In row-major order and the host's byte order.
using InputArray = nanobind::ndarray<nanobind::ro, nanobind::c_contig, nanobind::device::cpu>;

inline constexpr std::pair<nanobind::dlpack::dtype, ElementType> kElementTypes[] = {
    {nanobind::dtype<float>(), ElementType::F32},    {nanobind::dtype<double>(), ElementType::F64},
    {nanobind::dtype<uint8_t>(), ElementType::U8},   {nanobind::dtype<int8_t>(), ElementType::S8},
    {nanobind::dtype<uint16_t>(), ElementType::U16}, {nanobind::dtype<int16_t>(), ElementType::S16},
    {nanobind::dtype<uint32_t>(), ElementType::U32}, {nanobind::dtype<int32_t>(), ElementType::S32},
    {nanobind::dtype<uint64_t>(), ElementType::U64}, {nanobind::dtype<int64_t>(), ElementType::S64},
    {nanobind::dtype<bool>(), ElementType::Bool},
};

inline nanobind::dlpack::dtype dtypeOf(ElementType type) {
  for (auto [dtype, element] : kElementTypes)
    if (element == type)
      return dtype;
  return nanobind::dtype<float>();
}

/// A copy of the array; a ValueError that starts with `what` for other element types.
inline Tensor toTensor(const InputArray &array, const std::string &what) {
  std::optional<ElementType> type;
  for (auto [dtype, element] : kElementTypes)
    if (dtype == array.dtype())
      type = element;
  if (!type)
    throw nanobind::value_error((what + " has an element type without support").c_str());
  std::vector<int64_t> shape;
  for (size_t d = 0; d < array.ndim(); ++d)
    shape.push_back(static_cast<int64_t>(array.shape(d)));
  Tensor tensor(*type, std::move(shape));
  if (!tensor.data.empty())
    std::memcpy(tensor.data.data(), array.data(), tensor.data.size());
  return tensor;
}

} // namespace dyadic::python

#endif // DYADIC_PYTHON_ARRAYS_H
