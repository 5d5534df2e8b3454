// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The float program as one compiled function a layer, whose weights are arguments: a change of some weights or stored
// values needs no compilation, and runs no layer that it does not reach. Sensitivity and the refinement of plans
// evaluate thousands of such changes.

#ifndef DYADIC_PIPELINES_LAYERWISEPROGRAM_H
#define DYADIC_PIPELINES_LAYERWISEPROGRAM_H

#include "dyadic/Calibration/Samples.h"
#include "dyadic/Pipelines/CopyModule.h"
#include "dyadic/Pipelines/LayerWeights.h"
#include "dyadic/Runtime/Program.h"
#include "dyadic/Support/Dyadic.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringMap.h"
#include <mutex>

namespace dyadic {

/// How a value is rounded to what is stored of it.
struct StorageGrid {
  float scale = 1;
  int64_t zeroPoint = 0;
  StorageRange range;

  /// Replaces every number by the one that is stored.
  void round(llvm::MutableArrayRef<float> numbers) const;
};

/// Compiled layers, by what they compute: programs whose layers differ in weights alone share them, also on several
/// threads.
class LayerKernels {
public:
  struct Wanted {
    std::string fingerprint;
    ModuleBytes module;
  };
  /// In the order of `wanted`; compiles those that are not known.
  llvm::Expected<std::vector<std::shared_ptr<Program>>> get(llvm::ArrayRef<Wanted> wanted);
  size_t size() const { return known.size(); }

private:
  std::mutex mutex;
  llvm::StringMap<std::shared_ptr<Program>> known;
};

class LayerwiseProgram {
public:
  /// Compiles the layers of a program at the float level for this machine; those that `kernels` has are not compiled
  /// again. With `keepsLayouts` outputs are as layers compute them, see isChannelsLast().
  static llvm::Expected<std::unique_ptr<LayerwiseProgram>> create(mlir::ModuleOp floatModule, LayerKernels &kernels,
                                                                  bool keepsLayouts = false);

  /// A layer whose weights can be exchanged.
  struct Layer : LayerWeights {
    size_t value = 0; // its own
  };
  const std::vector<Layer> &getLayers() const { return layers; }
  std::optional<size_t> layerOf(llvm::StringRef id) const;
  /// The value of a layer or an input of the program.
  std::optional<size_t> valueOf(llvm::StringRef id) const;
  size_t numValues() const { return valueInfos.size(); }
  uint64_t bytesOf(size_t value) const { return valueInfos[value].bytes(); }
  /// What the buffers of a run take.
  uint64_t bytesPerRun() const;
  /// The program's outputs, as values.
  const std::vector<size_t> &getOutputs() const { return outputs; }
  /// Whether channels are the last dimension of output `index` rather than its second.
  bool isChannelsLast(size_t index) const { return areChannelsLast[index]; }
  /// How many stages, one a layer, have to run until a value is known; 0 for inputs.
  size_t stagesUntil(size_t value) const;
  /// The values that are known after so many stages and that others read.
  std::vector<size_t> valuesAcross(size_t numStages) const;

  /// `weights` (as Layer has them) in the order of the layer's kernel.
  Tensor packedWeights(size_t layer, llvm::ArrayRef<float> weights) const;

  /// What differs from the float program.
  struct Change {
    std::map<size_t, const Tensor *> weights;     // by layer: packed; they outlive the runs, and do not change
    std::map<size_t, const StorageGrid *> values; // by value
  };

  /// The buffers of one thread. Values that nobody asks for share memory, which stays in a cache so.
  class Run {
  public:
    /// The program must outlive it.
    static llvm::Expected<std::unique_ptr<Run>> create(const LayerwiseProgram &program);
    /// Computes every value in float.
    llvm::Error load(const Sample &sample);
    /// Computes the values that the change reaches; of them `local` is kept, and the program's outputs.
    llvm::Error apply(const Change &change, size_t local);
    /// Computes every value of a sample with a change, without those of the float program; load() has to come before
    /// the next apply().
    llvm::Error evaluate(const Sample &sample, const Change &change);
    /// Runs stages `begin` to `end` - 1 in float on the inputs, and on values across `begin`, that were set.
    llvm::Error runStages(size_t begin, size_t end);
    llvm::Error setInputs(const Sample &sample);
    void setValue(size_t value, const Tensor &numbers);
    /// Of the float program, on the sample that was loaded.
    const Tensor &floatValue(size_t value) const { return base[value]; }
    /// An output, an input or the value that was kept, with the change that was applied last.
    const Tensor &value(size_t value) const { return isReached[value] ? kept[value] : base[value]; }
    /// A value across the stage that ran last.
    Tensor copyOf(size_t value) const;

  private:
    explicit Run(const LayerwiseProgram &program);
    llvm::Error runStage(size_t stage, const Change &change);
    void store(size_t value, const Change &change);
    uint8_t *numbers(size_t value) const;

    const LayerwiseProgram &program;
    std::vector<Tensor> base; // by value: in float
    std::vector<Tensor> kept; // by value, where it is reached: inputs, outputs and `local`
    std::optional<size_t> local;
    std::vector<bool> isReached; // by value: its numbers are not those of `base`
    std::vector<uint8_t> memory; // the workspace of a stage, then the other values that are reached
    uint8_t *workspace = nullptr, *arena = nullptr;
  };

private:
  /// A layer, or another operation, as a function of its own.
  struct Stage {
    std::shared_ptr<Program> program;
    std::vector<size_t> inputs; // values, each once
    size_t output = 0;
    std::optional<size_t> layer; // then weights, and a bias if it has one, follow the inputs
  };
  struct ValueInfo {
    ElementType type;
    std::vector<int64_t> shape;
    uint64_t bytes() const { return sizeInBytes(type, shape); }
    bool isKept = false; // an input or an output
    int64_t offset = 0;  // else in the arena
  };
  friend class LayerwiseBuilder;
  void planMemory();

  size_t numInputs = 0; // the first values
  std::vector<Stage> stages;
  std::vector<Layer> layers;
  /// By layer, for every weight that its kernel reads, 1 + its place in the model's tensor; 0: a zero.
  std::vector<std::vector<uint32_t>> order;
  std::vector<Tensor> packed, packedBiases; // by layer, as its kernel reads them
  llvm::StringMap<size_t> values, layerIndices;
  std::vector<size_t> outputs;
  std::vector<bool> areChannelsLast; // by output
  std::vector<ValueInfo> valueInfos;
  uint64_t workspaceBytes = 0, arenaBytes = 0;
};

/// Runs of one program that threads take and give back, made where none is idle.
class LayerwiseRuns {
public:
  using Pointer = std::unique_ptr<LayerwiseProgram::Run>;
  llvm::Expected<Pointer> take(const LayerwiseProgram &program);
  void giveBack(Pointer run);
  void clear() { idle.clear(); }

private:
  std::mutex mutex;
  std::vector<Pointer> idle;
};

} // namespace dyadic

#endif // DYADIC_PIPELINES_LAYERWISEPROGRAM_H
