// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which layers add most to the error, why, and what to try.

#include "dyadic/Pipelines/Report.h"
#include "dyadic/Support/Error.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

namespace dyadic {

/// `{"SECTION": {"ID": {"KEY": VALUE}}}`, on one line.
static std::string planEntry(llvm::StringRef section, llvm::StringRef id, llvm::StringRef key,
                             llvm::json::Value value) {
  llvm::json::Object entry;
  entry[key] = std::move(value);
  llvm::json::Object layer;
  layer[llvm::json::fixUTF8(id)] = std::move(entry);
  return llvm::formatv("\"{0}\": {1}", section, llvm::json::Value(std::move(layer))).str();
}

static void leaveInFloat(Advice &advice) {
  advice.remedy = "leaving the layer in float; the program is then not integer-only";
  advice.plan = planEntry("layers", advice.id, "float", true);
}

/// Numbers outside the range weigh most.
static void adviseRange(Advice &advice, const LayerReport &row, llvm::StringRef method) {
  advice.cause = llvm::formatv("{0} of {1} numbers lie outside of what can be stored, {2:F4} to {3:F4}",
                               row.own->clipped, row.own->elements, row.stored->low, row.stored->high)
                     .str();
  advice.remedy = method == "minmax" ? "calibrating with more samples: the held-back ones exceed what it saw"
                                     : "--calibration-method=minmax, or a larger percentile";
}

/// The stored width weighs most.
static void adviseWidth(Advice &advice, const LayerReport &row) {
  bool isSigned = row.stored->type == ElementType::S8 || row.stored->type == ElementType::S16;
  unsigned widest = isSigned ? 16 : 15, bits = row.stored->bits;
  advice.cause = llvm::formatv("rounding of the stored value to {0} bits", bits).str();
  if (bits >= widest)
    return leaveInFloat(advice);
  unsigned wider = std::min(widest, bits + 2);
  advice.remedy = llvm::formatv("{0}-bit activations for this value", wider).str();
  advice.plan = planEntry("values", advice.id, "bits", wider);
}

static Advice adviseLayer(const LayerReport &row, llvm::StringRef method) {
  const OwnError &own = *row.own;
  Advice advice;
  advice.id = row.id;
  advice.share = own.share;
  double noise = own.agreement.sums().noise;
  if (row.stored && own.clipping >= noise / 2)
    adviseRange(advice, row, method);
  else if (row.stored && !row.stored->isAccumulator() && (own.rounding >= noise / 2 || !row.weightBits))
    adviseWidth(advice, row);
  else if (row.weightBits && *row.weightBits < 8) {
    advice.cause = llvm::formatv("rounding of the weights to {0} bits", *row.weightBits).str();
    advice.remedy = "8-bit weights";
    if (row.operandBits) {
      advice.cause += llvm::formatv(", and of what they multiply to {0}", *row.operandBits).str();
      advice.remedy += ", or \"operands\" of more bits for the value that it reads";
    }
    advice.plan = planEntry("layers", row.id, "weights", 8);
  } else {
    advice.cause = row.weightBits ? "rounding of the weights to 8 bits" : "its integer arithmetic";
    leaveInFloat(advice);
  }
  return advice;
}

std::vector<Advice> advise(const Report &report) {
  std::vector<const LayerReport *> rows = report.rows();
  llvm::erase_if(rows, [](const LayerReport *row) { return !row->own || !(row->own->share > 0); });
  std::vector<Advice> advice;
  while (advice.size() < 3 && !rows.empty()) {
    // Of equals the first in the program.
    auto worst = llvm::max_element(
        rows, [](const LayerReport *a, const LayerReport *b) { return a->own->share < b->own->share; });
    advice.push_back(adviseLayer(**worst, report.calibrationMethod));
    rows.erase(worst);
  }
  return advice;
}

} // namespace dyadic
