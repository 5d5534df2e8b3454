// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The runtime for Python: loads compiled libraries and runs them on NumPy arrays.
// Shapes, types and errors are those of Runtime/Program.h.

#include "Arrays.h"
#include "dyadic/Runtime/Program.h"
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

namespace nb = nanobind;
using namespace dyadic;

namespace {

using python::InputArray;
using OutputArray = nb::ndarray<nb::numpy>;

/// Hands the tensor's memory to NumPy.
OutputArray toArray(Tensor &&tensor) {
  auto *owned = new Tensor(std::move(tensor));
  nb::capsule owner(owned, [](void *p) noexcept { delete static_cast<Tensor *>(p); });
  std::vector<size_t> shape(owned->shape.begin(), owned->shape.end());
  return OutputArray(owned->data.data(), shape.size(), shape.data(), owner, nullptr, python::dtypeOf(owned->type));
}

std::vector<OutputArray> run(const Program &program, const std::vector<InputArray> &arrays, int threads) {
  std::vector<Tensor> tensors;
  for (size_t i = 0; i < arrays.size(); ++i)
    tensors.push_back(python::toTensor(arrays[i], "input " + std::to_string(i)));
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
  m.attr("MOST_THREADS") = ThreadPool::kMostThreads;
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
      .def("run", &run, nb::arg("inputs").noconvert(), nb::arg("threads"),
           nb::sig("def run(self, inputs: collections.abc.Sequence[numpy.typing.NDArray[typing.Any]], threads: int)"
                   " -> list[numpy.typing.NDArray[typing.Any]]"));
  m.def(
      "open_library",
      [](const nb::bytes &path) { // a file's name need not be UTF-8
        std::string error;
        std::unique_ptr<Program> program = openLibrary({path.c_str(), path.size()}, error);
        if (!program)
          throw std::runtime_error(error);
        return program;
      },
      nb::arg("path"));
}
