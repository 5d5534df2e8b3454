// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The calibration table: the ranges of a model's values, with the statistics they
// come from, so that tables can be merged and ranges chosen anew without the data.

#ifndef DYADIC_CALIBRATION_TABLE_H
#define DYADIC_CALIBRATION_TABLE_H

#include "dyadic/Calibration/Statistics.h"
#include "dyadic/Support/FileHeader.h"
#include <map>
#include <string>
#include <vector>

namespace dyadic {

struct CalibratedValue {
  ValueStatistics statistics;
  /// The range that quantization is to represent; finite, low <= high.
  float low = 0, high = 0;
};

struct CalibrationTable {
  static constexpr char kKind[] = "calibration";
  static constexpr int64_t kVersion = 1;

  FileHeader header;
  CalibrationOptions method;
  /// SHA-256 (64 hexadecimal digits) of the samples observed, and of those held back for the report.
  std::vector<std::string> samples, heldBack;
  /// By the id of the value.
  std::map<std::string, CalibratedValue> values;
};

/// The table as JSON: the header, then keys in sorted order. The same table gives the same bytes.
std::string toJson(const CalibrationTable &table);

/// Reads what toJson writes; `path` is for messages. Strict: an error names the file and the place in it.
llvm::Expected<CalibrationTable> parseTable(llvm::StringRef path, llvm::StringRef text);

/// An error that names both models where `table`, read from `path`, does not belong to the model with SHA-256 `sha`.
llvm::Error checkModel(const CalibrationTable &table, llvm::StringRef path, llvm::StringRef sha);

/// Chooses all ranges anew, by `method`.
void chooseRanges(CalibrationTable &table, const CalibrationOptions &method);

/// Adds what `other`, read from `path`, has observed, as if all samples had been given at once, and chooses all ranges
/// anew by the method of `table`. An error, and nothing changes, where the models, the values or kMaxCount do not
/// allow it, or where a sample was observed for both. A sample that one of them observed is no longer held back.
llvm::Error mergeTable(CalibrationTable &table, const CalibrationTable &other, llvm::StringRef path);

} // namespace dyadic

#endif // DYADIC_CALIBRATION_TABLE_H
