// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Representative inputs of a model: from files of three kinds, checked against
// the model, and split into those that calibrate and those held back to measure
// the result.

#ifndef DYADIC_CALIBRATION_SAMPLES_H
#define DYADIC_CALIBRATION_SAMPLES_H

#include "dyadic/Support/Tensor.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <string>
#include <vector>

namespace dyadic {

/// An input of the model: static shape, the batch first (1 unless given).
struct InputSpec {
  std::string name;
  ElementType type = ElementType::F32;
  std::vector<int64_t> shape;
};

/// One tensor per input of the model, in its order.
struct Sample {
  std::vector<Tensor> inputs;
};

/// Reads a file with one ONNX TensorProto; a function, because a set of samples keeps it.
using TensorFileReader = llvm::Expected<Tensor> (*)(llvm::StringRef path);

/// Samples by number, read one at a time: there may be more of them than memory holds.
class SampleSet {
public:
  virtual ~SampleSet();
  virtual size_t size() const = 0;
  /// Sample `index`, below size(). Errors are those of what it is read from. Cheap in ascending order: to go back, a
  /// file is read from its start again. Safe on several threads.
  virtual llvm::Expected<Sample> read(size_t index) = 0;
};

/// Samples in memory.
class SampleList : public SampleSet {
public:
  explicit SampleList(std::vector<Sample> samples) : samples(std::move(samples)) {}
  size_t size() const override { return samples.size(); }
  llvm::Expected<Sample> read(size_t index) override { return samples[index]; }

private:
  std::vector<Sample> samples;
};

/// The samples of `path`, which is
///   - an .npz with one array per input, by name (other names are ignored),
///   - an .npy, if the model has one input,
///   - a folder with test_data_set_N/input_M.pb, or one such test_data_set itself; M counts the inputs.
/// An array of the input's rank is a stack of samples along the first axis, cut into pieces of the input's batch
/// size; one of a rank more is a list of whole inputs.
///
/// Elements are converted only where no value can change its meaning: float64 to float32 by rounding, integers to
/// other integer types if every value fits. There is at least one sample, and all floats are finite; everything else
/// is an error that names the file, the array and what was expected: of names, shapes and types here, of values when a
/// sample is read. `readTensorFile` may be null if `path` is no folder.
llvm::Expected<std::unique_ptr<SampleSet>> openSamples(llvm::StringRef path, llvm::ArrayRef<InputSpec> inputs,
                                                       TensorFileReader readTensorFile);

/// All samples of `path` at once.
llvm::Expected<std::vector<Sample>> loadSamples(llvm::StringRef path, llvm::ArrayRef<InputSpec> inputs,
                                                TensorFileReader readTensorFile);

/// The samples in arrays of memory, under the rules of an .npz: `names` are all that there are, `arrays` those of the
/// model's inputs. Messages call the whole `label`.
llvm::Expected<std::vector<Sample>> samplesFromArrays(llvm::StringRef label, llvm::ArrayRef<InputSpec> inputs,
                                                      std::vector<std::string> names, std::vector<NamedTensor> arrays);
/// The samples in one array for the one input of a model, under the rules of an .npy.
llvm::Expected<std::vector<Sample>> samplesFromArray(llvm::StringRef label, llvm::ArrayRef<InputSpec> inputs,
                                                     Tensor array);

/// SHA-256, in hexadecimal, of the raw bytes of all inputs in order.
std::string sampleHash(const Sample &sample);

/// Indices into a set of samples, each ascending.
struct Split {
  std::vector<size_t> calibration, heldBack;
  /// The sampleHash of every sample, by its index.
  std::vector<std::string> hashes;
};

/// Whether the sample with this hash is one to hold back: the first 8 bytes, little-endian, are 0 modulo 5. It is a
/// property of the sample, so that it does not change sides when others come or go.
bool isHeldBack(llvm::StringRef hash);

/// Holds back what isHeldBack says. If that is none, the one with the smallest hash; if it is all, the one with the
/// largest hash calibrates. A single sample is on both sides. Reads every sample once, which checks them all;
/// `progress` may be null.
llvm::Expected<Split> splitSamples(SampleSet &samples,
                                   llvm::function_ref<void(size_t done, size_t total)> progress = nullptr);

} // namespace dyadic

#endif // DYADIC_CALIBRATION_SAMPLES_H
