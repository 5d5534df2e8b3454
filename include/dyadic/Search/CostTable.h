// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Measured times of layers, by what they compute and with how many bits, not by which model they are of: tables can
// be saved, shared, and used for other models (OHQ, Huang et al. 2023, measures its clock table on the device in the
// same way). Its file form is docs/schemas/cost.schema.json.

#ifndef DYADIC_SEARCH_COSTTABLE_H
#define DYADIC_SEARCH_COSTTABLE_H

#include "dyadic/Search/CostModel.h"
#include "dyadic/Search/Plan.h"
#include <map>

namespace dyadic {

/// One kind of layer.
struct LayerTimes {
  int64_t macs = 0;  // multiply-accumulates of one sample
  int64_t bytes = 0; // numbers that it reads and writes: input, weights, output
  /// Median microseconds on one thread, by widths ("w4a8").
  std::map<std::string, double> microseconds;
};

struct CostTable {
  static constexpr llvm::StringLiteral kKind = "cost";
  static constexpr int64_t kVersion = 1;

  /// The CPU family of the kernels, such as avx2, and LLVM's name of the CPU that they ran on, such as znver4.
  std::string cpu, machine;
  /// By signature: operation, shapes and attributes. What a program takes beyond its layers with weights is the
  /// entry restSignature().
  std::map<std::string, LayerTimes> layers;

  /// The measured time; nothing where there is none.
  std::optional<double> find(const std::string &signature, const std::string &bits) const;
  /// An estimate for a layer that was not measured, or nothing where the table has no layer with such widths: the
  /// roofline through the table (Williams et al. 2009), the larger of its multiply-accumulates at the highest rate of
  /// any layer and its bytes at the highest rate.
  std::optional<double> estimate(int64_t macs, int64_t bytes, const std::string &bits) const;
};

/// The name of the entry for the rest of the model with this SHA-256.
std::string restSignature(llvm::StringRef model);

/// Reads what toJson writes; `path` is for messages. Errors name the file and the place.
llvm::Expected<CostTable> parseCostTable(llvm::StringRef path, llvm::StringRef text);
/// Sorted keys, two spaces of indentation, a final line feed.
std::string toJson(const CostTable &table);

/// `latency_ms` of choices, from a table: the measured times, or where a layer was not measured the roofline.
class LatencyCostModel : public CostModel {
public:
  struct Layer {
    std::string signature;
    int64_t macs = 0, bytes = 0;
  };
  /// By id.
  LatencyCostModel(CostTable table, std::map<std::string, Layer> layers)
      : table(std::move(table)), layers(std::move(layers)) {}
  llvm::Expected<std::vector<Costs>> costs(const ChoiceGroup &group) const override;

private:
  CostTable table;
  std::map<std::string, Layer> layers;
};

} // namespace dyadic

#endif // DYADIC_SEARCH_COSTTABLE_H
