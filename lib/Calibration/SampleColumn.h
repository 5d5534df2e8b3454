// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One array of samples, checked against the model's input that it is for and cut into
// pieces of its shape. Internal to the reader of samples.

#ifndef DYADIC_LIB_CALIBRATION_SAMPLECOLUMN_H
#define DYADIC_LIB_CALIBRATION_SAMPLECOLUMN_H

#include "dyadic/Calibration/Samples.h"
#include "dyadic/Support/ArrayReader.h"

namespace dyadic {

class SampleColumn {
public:
  /// `array` of the file `path`, which is called `label` in messages and may be empty.
  static llvm::Expected<SampleColumn> open(llvm::StringRef path, llvm::StringRef label,
                                           std::unique_ptr<ArrayReader> array, const InputSpec &spec);
  size_t size() const { return count; }
  /// The number of the piece that next() gives; below size().
  size_t nextIndex() const { return position; }
  llvm::Expected<Tensor> next();
  llvm::Error rewind();

private:
  SampleColumn() = default;
  llvm::Error fail(const llvm::Twine &what) const;
  llvm::Error wrongType() const;

  std::string path, label;
  InputSpec spec;
  std::unique_ptr<ArrayReader> array;
  size_t count = 0, position = 0;
};

} // namespace dyadic

#endif // DYADIC_LIB_CALIBRATION_SAMPLECOLUMN_H
