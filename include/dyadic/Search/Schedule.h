// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How the kernels of layers go about their work on one family of CPUs: what changes their time and
// no result. --tune measures schedules and writes them into the plan.

#ifndef DYADIC_SEARCH_SCHEDULE_H
#define DYADIC_SEARCH_SCHEDULE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <map>
#include <optional>
#include <string>

namespace dyadic {

/// The schedule of one layer's kernel; what it leaves open the compiler chooses by rules.
struct KernelSchedule {
  /// Winograd: only for a convolution that qualifies for the exact one.
  enum class Kernel { Auto, Direct, Winograd };
  /// Which loop is outside: over the lines of the output, or over the panels of 16 channels.
  enum class Order { Auto, Lines, Panels };

  Kernel kernel = Kernel::Auto;
  Order order = Order::Auto;
  /// Positions of a line that are computed together, 1 to 12; 0: the compiler chooses.
  unsigned rows = 0;

  bool operator==(const KernelSchedule &other) const {
    return kernel == other.kernel && order == other.order && rows == other.rows;
  }
  bool operator!=(const KernelSchedule &other) const { return !(*this == other); }
};

// How plans and modules write the enumerations, without Auto: a schedule that leaves them open says nothing.
inline constexpr llvm::StringLiteral kKernelNames[] = {"direct", "winograd"};
inline constexpr llvm::StringLiteral kOrderNames[] = {"lines", "panels"};

/// The name of a value other than Auto.
template <typename Enum> llvm::StringRef scheduleName(llvm::ArrayRef<llvm::StringLiteral> names, Enum value) {
  return names[static_cast<size_t>(value) - 1];
}
/// The value of that name; nothing for another text.
template <typename Enum>
std::optional<Enum> parseScheduleName(llvm::ArrayRef<llvm::StringLiteral> names, llvm::StringRef text) {
  for (size_t i = 0; i < names.size(); ++i)
    if (names[i] == text)
      return static_cast<Enum>(i + 1);
  return std::nullopt;
}

/// The most positions that a kernel computes together.
inline constexpr unsigned kMostScheduledRows = 12;

/// By layer id.
using LayerSchedules = std::map<std::string, KernelSchedule>;
/// By the name of the CPU family, such as avx2.
using Schedules = std::map<std::string, LayerSchedules>;

} // namespace dyadic

#endif // DYADIC_SEARCH_SCHEDULE_H
