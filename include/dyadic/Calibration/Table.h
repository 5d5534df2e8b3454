// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The calibration table: the statistics of a model's values, so that ranges can be
// chosen by any method for any width, and tables merged, without the data.

#ifndef DYADIC_CALIBRATION_TABLE_H
#define DYADIC_CALIBRATION_TABLE_H

#include "dyadic/Calibration/Ranges.h"
#include "dyadic/Support/FileHeader.h"
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace dyadic {

struct CalibratedValue {
  ValueStatistics statistics;
  /// A range that somebody wrote into the table; it holds with every method and width. Finite, low <= high.
  std::optional<std::pair<float, float>> fixed;
};

struct CalibrationTable {
  static constexpr char kKind[] = "calibration";
  /// Version 1 had coarser histograms.
  static constexpr int64_t kVersion = 2;

  FileHeader header;
  CalibrationOptions method;
  /// SHA-256 (64 hexadecimal digits) of the samples observed, and of those held back for the report; sorted.
  std::vector<std::string> samples, heldBack;
  /// By the id of the value.
  std::map<std::string, CalibratedValue> values;
};

/// The range of a value that `bits` bits store: what the table fixes, or else what its method chooses.
std::pair<float, float> rangeOf(const CalibratedValue &value, const CalibrationOptions &method, unsigned bits);

/// The table as JSON: the header, then keys in sorted order. The same table gives the same bytes.
std::string toJson(const CalibrationTable &table);

/// Reads what toJson writes; `path` is for messages. Strict: an error names the file and the place in it.
llvm::Expected<CalibrationTable> parseTable(llvm::StringRef path, llvm::StringRef text);

/// An error that names both models where `table`, read from `path`, does not belong to the model with SHA-256 `sha`.
llvm::Error checkModel(const CalibrationTable &table, llvm::StringRef path, llvm::StringRef sha);

/// A table and the file that it is of, for messages.
struct NamedTable {
  std::string path;
  CalibrationTable table;
};

/// One table as if all samples had been given at once, whatever the order of `tables` (at least one): statistics are
/// added, sorted lists joined; a sample that one of them observed is no longer held back. `method`, where it is given,
/// becomes that of the table. Errors, which name two files: the models or the ids of the values differ; a sample was
/// observed twice; a range is fixed in two ways; the methods differ and none is given; more than kMaxCount numbers.
llvm::Expected<CalibrationTable> mergeTables(std::vector<NamedTable> tables, std::optional<CalibrationOptions> method);

} // namespace dyadic

#endif // DYADIC_CALIBRATION_TABLE_H
