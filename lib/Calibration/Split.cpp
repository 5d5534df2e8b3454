// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Calibration/Samples.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/SHA256.h"

using namespace llvm;

namespace dyadic {

std::string sampleHash(const Sample &sample) {
  SHA256 hash;
  for (const Tensor &tensor : sample.inputs)
    hash.update(ArrayRef<uint8_t>(tensor.data));
  return toHex(hash.final(), /*LowerCase=*/true);
}

bool isHeldBack(StringRef hash) {
  uint64_t start = 0;
  for (auto [i, byte] : llvm::enumerate(fromHex(hash.take_front(16))))
    start |= static_cast<uint64_t>(static_cast<uint8_t>(byte)) << 8 * i;
  return start % 5 == 0;
}

Expected<Split> splitSamples(SampleSet &samples, function_ref<void(size_t, size_t)> progress) {
  Split split;
  std::vector<std::string> &hashes = split.hashes;
  for (size_t i = 0, n = samples.size(); i < n; ++i) {
    Expected<Sample> sample = samples.read(i);
    if (!sample)
      return sample.takeError();
    hashes.push_back(sampleHash(*sample));
    if (progress)
      progress(i + 1, n);
  }
  if (hashes.size() == 1) {
    split.calibration = split.heldBack = {0};
    return std::move(split);
  }
  std::vector<bool> heldBack;
  for (const std::string &hash : hashes)
    heldBack.push_back(isHeldBack(hash));
  if (!hashes.empty() && !llvm::is_contained(heldBack, true))
    heldBack[std::min_element(hashes.begin(), hashes.end()) - hashes.begin()] = true;
  else if (!hashes.empty() && !llvm::is_contained(heldBack, false))
    heldBack[std::max_element(hashes.begin(), hashes.end()) - hashes.begin()] = false;
  for (size_t i = 0; i < hashes.size(); ++i)
    (heldBack[i] ? split.heldBack : split.calibration).push_back(i);
  return std::move(split);
}

} // namespace dyadic
