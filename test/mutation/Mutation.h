// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Damaged copies of a model, each a function of the model and a number.

#ifndef DYADIC_TEST_MUTATION_MUTATION_H
#define DYADIC_TEST_MUTATION_MUTATION_H

#include "Fields.h"

namespace dyadic::mutation {

/// What mutations need to know of a model.
struct Places {
  explicit Places(llvm::StringRef model);

  llvm::StringRef model;
  std::vector<Field> fields;
  /// Bytes that are not weights, which most of a model is, and any weight will do.
  std::vector<size_t> structure;
  /// Those of them that are numbers and texts: with others in their place the fields still have their lengths.
  std::vector<size_t> values;
};

/// The model cut off, with a run of bytes removed, repeated or overwritten, with bytes changed, or with fields removed,
/// repeated, replaced by another of their kind or given an extreme value. The same on every machine.
std::string mutate(const Places &places, uint64_t seed);

} // namespace dyadic::mutation

#endif // DYADIC_TEST_MUTATION_MUTATION_H
