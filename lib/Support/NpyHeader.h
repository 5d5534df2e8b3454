// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The header of an .npy array: a magic number, a length and the text of a Python
// dictionary. Internal to the reader and writer of NumPy's files.

#ifndef DYADIC_SUPPORT_NPYHEADER_H
#define DYADIC_SUPPORT_NPYHEADER_H

#include "dyadic/Support/Tensor.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace dyadic {

struct NpyHeader {
  ElementType type = ElementType::F32;
  /// The bytes of an element are in the other order than this machine's.
  bool swapped = false;
  /// The first index runs fastest.
  bool fortranOrder = false;
  /// No dimension is negative, and the sizes of all dimensions that are not 0 multiply to less than 2^60.
  std::vector<int64_t> shape;

  /// Bytes of the data; less than 2^63.
  uint64_t dataBytes() const;
};

/// Parses the dictionary, e.g. "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }\n". Exactly these keys, in
/// any order; not an evaluator of Python.
llvm::Expected<NpyHeader> parseNpyHeader(llvm::StringRef text);

/// All bytes before the data of `tensor`: magic number, version, length, dictionary; a multiple of 64.
std::string formatNpyHeader(const Tensor &tensor);

} // namespace dyadic

#endif // DYADIC_SUPPORT_NPYHEADER_H
