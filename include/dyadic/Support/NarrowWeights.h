// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights of 2 and 4 bits in memory. Blocks of bytes are laid one upon the other, several to a byte, so that
// a vector of stored bytes becomes one vector of each block by a shift, a mask and a subtraction.

#ifndef DYADIC_SUPPORT_NARROWWEIGHTS_H
#define DYADIC_SUPPORT_NARROWWEIGHTS_H

#include <cstdint>
#include <vector>

namespace dyadic {

/// The least of 2, 4 and 8 bits that hold every weight as a signed number.
unsigned storedBits(const std::vector<int64_t> &weights);

/// Blocks of weights that share their bytes.
inline int64_t blocksPerByte(unsigned bits) { return 8 / bits; }

/// Byte j of a group of 8 / `bits` blocks of `blockBytes` weights holds weight j of the first block in
/// its lowest bits, then those of the others, each plus 2^(bits - 1). The number of blocks must be a
/// multiple of 8 / `bits`; with 8 bits nothing changes.
std::vector<int64_t> packWeights(const std::vector<int64_t> &weights, unsigned bits, int64_t blockBytes);

/// The weights again.
std::vector<int64_t> unpackWeights(const std::vector<int64_t> &bytes, unsigned bits, int64_t blockBytes);

} // namespace dyadic

#endif // DYADIC_SUPPORT_NARROWWEIGHTS_H
