// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// NumPy's files: .npy holds one array, .npz is a zip of them. They come from
// outside, so nothing in them is trusted: no pickle is ever loaded, nothing is
// unpacked to disk, and no memory is taken before the file proves that it is needed.

#ifndef DYADIC_SUPPORT_NPZ_H
#define DYADIC_SUPPORT_NPZ_H

#include "dyadic/Support/Tensor.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace dyadic {

/// The arrays of an .npz file in the file's order, named without ".npy". Entries with other names are not
/// arrays and are skipped. Where `wanted` is given, it is asked once for every array, and the arrays that it
/// does not want are neither read nor checked.
///
/// Every array is in row-major order and the host's byte order. Element types: those of `ElementType`; float16,
/// complex numbers, strings, structures and objects are errors, as are files that are damaged, encrypted, or hold
/// a name twice, and arrays of more than 4 GiB.
llvm::Expected<std::vector<NamedTensor>> readNpz(llvm::StringRef path,
                                                 llvm::function_ref<bool(llvm::StringRef name)> wanted = nullptr);

/// The array of an .npy file, under the same rules.
llvm::Expected<Tensor> readNpy(llvm::StringRef path);

/// Writes `tensors` so that numpy.load reads them; `path` is replaced at the end, in one step, or not touched. The same
/// tensors give the same bytes, always. Names must be different from each other and UTF-8 without zero bytes.
/// Errors call the file `name`, where `path` is a temporary one.
llvm::Error writeNpz(llvm::StringRef path, llvm::ArrayRef<NamedTensor> tensors, llvm::StringRef name = {});

/// "[1, 3, 32, 32]": shapes as messages show them.
std::string shapeText(llvm::ArrayRef<int64_t> shape);

} // namespace dyadic

#endif // DYADIC_SUPPORT_NPZ_H
