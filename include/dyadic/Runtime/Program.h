// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A compiled model behind the C interface, with tensors that know their shapes.
// Plain C++: neither LLVM nor exceptions, so that Python and tools share it.

#ifndef DYADIC_RUNTIME_PROGRAM_H
#define DYADIC_RUNTIME_PROGRAM_H

#include "dyadic/Runtime/ThreadPool.h"
#include "dyadic/Runtime/dyadic.h"
#include "dyadic/Support/Tensor.h"
#include <memory>
#include <string>
#include <vector>

namespace dyadic {

/// An input, output or value, as the descriptor states it.
struct TensorInfo {
  std::string name;
  ElementType type = ElementType::F32;
  std::vector<int64_t> shape; // -1: the batch
  int axis = -1;
  std::vector<float> scales; // empty: not quantized
  int64_t zeroPoint = 0, min = 0, max = 0;
};

class Program {
public:
  /// `owner` keeps the code of `model` in memory.
  Program(const dyadic_model *model, std::shared_ptr<void> owner);

  const std::vector<TensorInfo> &inputs() const { return inputInfos; }
  /// The model's outputs, then `numValues()` values of layers.
  const std::vector<TensorInfo> &outputs() const { return outputInfos; }
  size_t numValues() const { return static_cast<size_t>(model->num_values); }
  std::string fingerprint() const { return model->fingerprint; }
  std::string target() const { return model->target; }

  /// Buffers of a call: checked inputs, outputs and workspace of the right sizes.
  class Call {
  public:
    /// Runs once more on the same buffers; false with a non-zero status.
    bool run();
    int32_t status = DYADIC_OK;
    std::vector<Tensor> outputs;
    /// Reads input `index` from another tensor from now on, of the same type and shape, which must outlive the call.
    void setInput(size_t index, const Tensor &tensor) { inputPointers[index] = tensor.data.data(); }

  private:
    friend class Program;
    const dyadic_model *model = nullptr;
    std::vector<const void *> inputPointers;
    std::vector<void *> outputPointers;
    std::unique_ptr<uint8_t[]> workspace;
    void *alignedWorkspace = nullptr;
    int64_t batch = 1;
    int threads = 1;
    std::shared_ptr<ThreadPools> pools;
  };

  /// Prepares a call on `inputs`, one an input in order, which must outlive it. All
  /// batched inputs have the same first dimension. Nothing, with `error` set, where a
  /// shape or type does not fit, or `threads` is refused by ThreadPool; it says what was found and expected.
  std::unique_ptr<Call> prepare(const std::vector<const Tensor *> &inputs, int threads, std::string &error) const;

  /// Runs on buffers of the caller, of the sizes that inputs(), outputs() and workspaceBytes() say for a batch of 1, on
  /// one thread; the workspace starts at a multiple of DYADIC_ALIGNMENT. Returns a status.
  int32_t run(const void *const *inputs, void *const *outputs, void *workspace) const;
  uint64_t workspaceBytes() const;

  /// About how many bytes the outputs and the workspace of a call take.
  uint64_t callBytes(int64_t batch, int threads) const;

private:
  const dyadic_model *model;
  std::shared_ptr<void> owner;
  std::vector<TensorInfo> inputInfos, outputInfos;
  std::shared_ptr<ThreadPools> pools = std::make_shared<ThreadPools>();
};

/// Loads a compiled library; nothing, with `error` set, where it cannot be loaded, is
/// no compiled model, or needs instructions that this CPU lacks.
std::unique_ptr<Program> openLibrary(const std::string &path, std::string &error);

/// The numbers that the integers of a quantized tensor stand for, scale * (stored - zero point) rounded once to f32;
/// any other tensor as it is.
Tensor realNumbers(const Tensor &tensor, const TensorInfo &info);

/// `[1, 3, -1]`.
std::string shapeText(const std::vector<int64_t> &shape);

} // namespace dyadic

#endif // DYADIC_RUNTIME_PROGRAM_H
