// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The runtime for Python: loads compiled libraries and runs them on NumPy arrays.
// Shapes, types and errors are those of Runtime/Program.h.

#include "dyadic/Runtime/Program.h"
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>
#include <optional>

namespace nb = nanobind;
using namespace dyadic;

namespace {

using InputArray = nb::ndarray<nb::ro, nb::c_contig, nb::device::cpu>;
using OutputArray = nb::ndarray<nb::numpy>;

std::optional<ElementType> elementTypeOf(nb::dlpack::dtype type) {
  for (auto [candidate, element] :
       {std::pair(nb::dtype<float>(), ElementType::F32), std::pair(nb::dtype<uint8_t>(), ElementType::U8),
        std::pair(nb::dtype<int8_t>(), ElementType::S8), std::pair(nb::dtype<uint16_t>(), ElementType::U16),
        std::pair(nb::dtype<int16_t>(), ElementType::S16), std::pair(nb::dtype<int32_t>(), ElementType::S32),
        std::pair(nb::dtype<int64_t>(), ElementType::S64)})
    if (candidate == type)
      return element;
  return std::nullopt;
}

nb::dlpack::dtype dtypeOf(ElementType type) {
  switch (type) {
  case ElementType::U8:
    return nb::dtype<uint8_t>();
  case ElementType::S8:
    return nb::dtype<int8_t>();
  case ElementType::U16:
    return nb::dtype<uint16_t>();
  case ElementType::S16:
    return nb::dtype<int16_t>();
  case ElementType::S32:
    return nb::dtype<int32_t>();
  case ElementType::S64:
    return nb::dtype<int64_t>();
  default:
    return nb::dtype<float>();
  }
}

/// Hands the tensor's memory to NumPy.
OutputArray toArray(Tensor &&tensor) {
  auto *owned = new Tensor(std::move(tensor));
  nb::capsule owner(owned, [](void *p) noexcept { delete static_cast<Tensor *>(p); });
  std::vector<size_t> shape(owned->shape.begin(), owned->shape.end());
  return OutputArray(owned->data.data(), shape.size(), shape.data(), owner, nullptr, dtypeOf(owned->type));
}

std::vector<OutputArray> run(const Program &program, const std::vector<InputArray> &arrays, int threads) {
  std::vector<Tensor> tensors;
  for (size_t i = 0; i < arrays.size(); ++i) {
    std::optional<ElementType> type = elementTypeOf(arrays[i].dtype());
    if (!type)
      throw nb::value_error(("input " + std::to_string(i) + " has an element type that no program takes").c_str());
    std::vector<int64_t> shape;
    for (size_t d = 0; d < arrays[i].ndim(); ++d)
      shape.push_back(static_cast<int64_t>(arrays[i].shape(d)));
    Tensor tensor(*type, shape);
    std::memcpy(tensor.data.data(), arrays[i].data(), tensor.data.size());
    tensors.push_back(std::move(tensor));
  }
  std::vector<const Tensor *> inputs;
  for (const Tensor &tensor : tensors)
    inputs.push_back(&tensor);
  std::string error;
  std::unique_ptr<Program::Call> call = program.prepare(inputs, threads, error);
  if (!call)
    throw nb::value_error(error.c_str());
  {
    nb::gil_scoped_release release;
    call->run();
  }
  if (call->status != DYADIC_OK)
    throw std::runtime_error("run returned status " + std::to_string(call->status));
  std::vector<OutputArray> outputs;
  for (Tensor &output : call->outputs)
    outputs.push_back(toArray(std::move(output)));
  return outputs;
}

} // namespace

NB_MODULE(_runtime, m) {
  nb::class_<TensorInfo>(m, "TensorInfo")
      .def_ro("name", &TensorInfo::name)
      .def_prop_ro("dtype", [](const TensorInfo &info) { return elementName(info.type); })
      .def_ro("shape", &TensorInfo::shape)
      .def_ro("axis", &TensorInfo::axis)
      .def_ro("scales", &TensorInfo::scales)
      .def_ro("zero_point", &TensorInfo::zeroPoint)
      .def_ro("min", &TensorInfo::min)
      .def_ro("max", &TensorInfo::max)
      .def("__repr__", [](const TensorInfo &info) {
        return "TensorInfo(" + info.name + ": " + elementName(info.type) + " " + shapeText(info.shape) + ")";
      });
  nb::class_<Program>(m, "Program")
      .def_prop_ro("inputs", &Program::inputs)
      .def_prop_ro("outputs", &Program::outputs)
      .def_prop_ro("num_values", &Program::numValues)
      .def_prop_ro("fingerprint", &Program::fingerprint)
      .def_prop_ro("target", &Program::target)
      .def("run", &run, nb::arg("inputs").noconvert(), nb::arg("threads"));
  m.def("open_library", [](const std::string &path) {
    std::string error;
    std::unique_ptr<Program> program = openLibrary(path, error);
    if (!program)
      throw std::runtime_error(error);
    return program;
  });
}
