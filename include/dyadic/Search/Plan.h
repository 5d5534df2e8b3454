// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A plan holds every numeric decision of a compilation: widths, float or integer,
// what is rounded where. The same plan gives the same bits on every target. What a
// plan does not name takes the default; `complete` plans name everything. Beside them
// it can hold schedules, which change the time of kernels and no bit.

#ifndef DYADIC_SEARCH_PLAN_H
#define DYADIC_SEARCH_PLAN_H

#include "dyadic/Search/Schedule.h"
#include "dyadic/Support/Dyadic.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"
#include <map>
#include <optional>
#include <string>

namespace dyadic {

/// Element types of the program's inputs and outputs.
enum class BoundaryMode { Float, Integer };

/// What stands for a layer whose weights are constant. Bits: weights 2 to 8, activations 2 to 16.
struct LayerPlan {
  std::optional<unsigned> weights;
  /// Width of the value that the layer reads.
  std::optional<unsigned> activations;
  std::optional<bool> isFloat;
};

/// How a value between layers is stored. Bits: 2 to 16 signed, 2 to 15 unsigned.
struct ValuePlan {
  std::optional<unsigned> bits;
  std::optional<bool> isSigned;
  /// Convolutions and matmuls read a copy of so many bits.
  std::optional<unsigned> operandBits;
};

/// Whether a residual addition reads its later operand as the stored value or as
/// the accumulator of the layer that produced it.
enum class AddOperand { Value, Accumulator };

struct Plan {
  /// SHA-256 of the model the plan is for; empty: any.
  std::string model;
  Rounding rounding = Rounding::HalfUp;
  BoundaryMode io = BoundaryMode::Float;
  /// Defaults, for what no entry below names.
  unsigned weightBits = 8;
  unsigned activationBits = 8;
  /// Tails and operands of tables get no more than activationBits, although that costs next to nothing.
  bool isUniform = false;

  std::map<std::string, LayerPlan> layers;    // by layer id
  std::map<std::string, ValuePlan> values;    // by layer id or input name
  std::map<std::string, AddOperand> adds;     // by layer id
  std::map<std::string, unsigned> outputBits; // by output name, with io = integer
  Schedules schedules;                        // what --tune found
};

/// "8" (= "w8a8") or "wXaY", X in [2, 8], Y in [2, 16]; nothing for other text.
std::optional<std::pair<unsigned, unsigned>> parseBits(llvm::StringRef text);

/// The plan in the file's `text`. Unknown keys, wrong types and widths out of range
/// are errors that name `path` and the place. Rounding and io, where the file does
/// not state them, are those of `defaults`; stated ones must not contradict the
/// options that the caller marks as given.
llvm::Expected<Plan> parsePlan(llvm::StringRef path, llvm::StringRef text, const Plan &defaults);

/// The plan as JSON: sorted keys, two spaces of indentation, a final line feed. A complete plan needs no defaults; one
/// that leaves something open has to state them.
std::string planToJson(const Plan &plan, bool statesDefaults = false);

/// The schedule's entries in an object that `json` has open.
void writeSchedule(llvm::json::OStream &json, const KernelSchedule &schedule);

} // namespace dyadic

#endif // DYADIC_SEARCH_PLAN_H
