// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Pipelines/FloatProgram.h"
#include "dyadic/Pipelines/Compiler.h"
#include "dyadic/Pipelines/LayerwiseProgram.h"
#include "dyadic/Support/Error.h"
#include "dyadic/Target/Signature.h"
#ifdef __GLIBC__
#include <malloc.h>
#endif

using llvm::Expected;

namespace dyadic {

using Observe = llvm::function_ref<void(llvm::StringRef id, const Tensor &value)>;

/// Gives freed memory back to the system where the C library would keep it: what compilation took is not on top of what
/// calibration takes.
static void trimMemory() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

namespace {

class WholeProgram : public FloatProgram {
public:
  explicit WholeProgram(std::unique_ptr<Program> program) : program(std::move(program)) {}

  Expected<std::vector<Tensor>> compute(const Sample &sample, Observe observe) override {
    Expected<Run> run = takeRun(sample);
    if (!run)
      return run.takeError();
    if (!run->call->run())
      return makeError("run returned status " + llvm::Twine(run->call->status));
    for (auto [info, tensor] : llvm::zip(program->inputs(), sample.inputs))
      observe(info.name, tensor);
    const std::vector<Tensor> &all = run->call->outputs;
    size_t count = all.size() - program->numValues();
    for (size_t i = count; i < all.size(); ++i)
      observe(program->outputs()[i].name, all[i]);
    std::vector<Tensor> outputs(all.begin(), all.begin() + static_cast<ptrdiff_t>(count));
    std::lock_guard<std::mutex> lock(mutex);
    idle.push_back(std::move(*run));
    return outputs;
  }

  uint64_t bytesPerRun() const override { return program->callBytes(/*batch=*/1, /*threads=*/1); }

  void release() override {
    idle.clear();
    trimMemory();
  }

private:
  /// A call on inputs of its own.
  struct Run {
    Sample inputs;
    std::unique_ptr<Program::Call> call;
  };

  /// An idle run with the sample's numbers, or a new one.
  Expected<Run> takeRun(const Sample &sample) {
    Run run;
    {
      std::lock_guard<std::mutex> lock(mutex);
      if (!idle.empty()) {
        run = std::move(idle.back());
        idle.pop_back();
      }
    }
    bool fits = run.call && llvm::equal(run.inputs.inputs, sample.inputs, [](const Tensor &a, const Tensor &b) {
                  return a.type == b.type && a.shape == b.shape;
                });
    if (fits) {
      for (auto [to, from] : llvm::zip(run.inputs.inputs, sample.inputs))
        llvm::copy(from.data, to.data.begin());
      return std::move(run);
    }
    run.inputs = sample;
    std::vector<const Tensor *> inputs;
    for (const Tensor &input : run.inputs.inputs)
      inputs.push_back(&input);
    std::string error;
    run.call = program->prepare(inputs, 1, error);
    if (!run.call)
      return makeError(error);
    return std::move(run);
  }

  std::unique_ptr<Program> program;
  std::mutex mutex;
  std::vector<Run> idle;
};

class ProgramInLayers : public FloatProgram {
public:
  ProgramInLayers(std::unique_ptr<LayerwiseProgram> program, const Signature &signature)
      : program(std::move(program)), numOutputs(signature.outputs.size() - signature.numValues) {
    for (const BoundaryTensor &input : signature.inputs)
      inputs.push_back(input.name);
    for (const BoundaryTensor &value : llvm::drop_begin(signature.outputs, numOutputs))
      values.push_back(value.name);
  }

  Expected<std::vector<Tensor>> compute(const Sample &sample, Observe observe) override {
    auto run = runs.take(*program);
    if (!run)
      return run.takeError();
    if (llvm::Error error = (*run)->evaluate(sample, {}))
      return std::move(error);
    for (auto [name, tensor] : llvm::zip(inputs, sample.inputs))
      observe(name, tensor);
    llvm::ArrayRef<size_t> all = program->getOutputs();
    for (auto [name, value] : llvm::zip_equal(values, all.drop_front(numOutputs)))
      observe(name, (*run)->value(value));
    std::vector<Tensor> outputs;
    for (size_t output : all.take_front(numOutputs))
      outputs.push_back((*run)->value(output));
    runs.giveBack(std::move(*run));
    return outputs;
  }

  uint64_t bytesPerRun() const override { return program->bytesPerRun(); }

  void release() override {
    runs.clear();
    trimMemory();
  }

private:
  std::unique_ptr<LayerwiseProgram> program;
  LayerwiseRuns runs;
  size_t numOutputs;
  std::vector<std::string> inputs, values;
};

} // namespace

Expected<std::unique_ptr<FloatProgram>> FloatProgram::create(mlir::ModuleOp floatModule, LayerKernels *kernels) {
  std::unique_ptr<FloatProgram> result;
  if (kernels) {
    mlir::OwningOpRef<mlir::ModuleOp> exposed = floatModule.clone();
    if (llvm::Error error = exposeValues(*exposed, "program"))
      return std::move(error);
    auto signature = readSignature(*exposed);
    if (!signature)
      return signature.takeError();
    auto program = LayerwiseProgram::create(*exposed, *kernels);
    if (!program)
      return program.takeError();
    if ((*program)->getOutputs().size() == signature->outputs.size()) // none is a constant
      result = std::make_unique<ProgramInLayers>(std::move(*program), *signature);
  }
  if (!result) {
    auto program = jitModule(floatModule, /*exposeValues=*/true);
    if (!program)
      return program.takeError();
    result = std::make_unique<WholeProgram>(std::move(*program));
  }
  trimMemory();
  return result;
}

} // namespace dyadic
