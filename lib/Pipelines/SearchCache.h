// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a search has measured of plans, kept in a file: a search that was ended at any moment goes on where it was.

#ifndef DYADIC_LIB_PIPELINES_SEARCHCACHE_H
#define DYADIC_LIB_PIPELINES_SEARCHCACHE_H

#include "dyadic/Pipelines/Report.h"
#include <map>

namespace dyadic {

/// The first digits of the SHA-256 of texts, which a cached file is named by: different lists give different names.
std::string cacheKey(llvm::ArrayRef<std::string> texts);

class SearchCache {
public:
  /// The cache of the model with this SHA-256 in the file, or an empty one where there is no file. An error where the
  /// file is damaged. A cache that was not opened keeps nothing.
  static llvm::Expected<SearchCache> open(std::string path, std::string model);

  /// The numbers that were measured of `what`, any text that says what was measured and how.
  std::optional<std::vector<double>> find(llvm::StringRef what) const;
  /// Adds them, and writes the file: whole, or not at all.
  llvm::Error add(llvm::StringRef what, std::vector<double> numbers);

private:
  std::string path, model;
  std::map<std::string, std::vector<double>> entries; // by the SHA-256 of what was measured
};

/// A measured plan without its name and costs, as numbers and back; nothing where numbers are not those of a plan.
std::vector<double> toNumbers(const MeasuredPlan &plan);
std::optional<MeasuredPlan> measuredFrom(llvm::ArrayRef<double> numbers);

} // namespace dyadic

#endif // DYADIC_LIB_PIPELINES_SEARCHCACHE_H
