// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef DYADIC_TRANSFORMS_PASSES_H
#define DYADIC_TRANSFORMS_PASSES_H

#include "dyadic/IR/QnnDialect.h"
#include "dyadic/Search/CostModel.h"
#include "dyadic/Search/Plan.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassOptions.h"
#include <map>

namespace dyadic {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "dyadic/Transforms/Passes.h.inc"

/// From the quantized to the integer level: the dyadic rewrite, its proof and, where
/// asked for, the check that nothing is left in float.
struct IntegerPipelineOptions : mlir::PassPipelineOptions<IntegerPipelineOptions> {
  Option<qnn::Rounding> rounding{
      *this, "rounding", llvm::cl::desc("how quotients are rounded"), llvm::cl::init(qnn::Rounding::HalfUp),
      llvm::cl::values(clEnumValN(qnn::Rounding::HalfUp, "half_up", "ties towards plus infinity"),
                       clEnumValN(qnn::Rounding::HalfEven, "half_even", "ties to even"))};
  Option<bool> integerOnly{*this, "integer-only", llvm::cl::desc("a float island is an error"), llvm::cl::init(false)};
};
void buildIntegerPipeline(mlir::OpPassManager &manager, const IntegerPipelineOptions &options);
/// Registers it as `quant-lower-to-integer`.
void registerIntegerPipeline();

/// The operations that compute in float between entry and exit, and of conversions those that belong to no other.
llvm::SmallVector<mlir::Operation *> floatIslands(mlir::ModuleOp module);

/// The range of a value's numbers, and that of a narrower copy that convolutions and matmuls read.
struct StoredRange {
  float min = 0, max = 0;
  std::optional<std::pair<float, float>> operands = std::nullopt;
};
/// Ranges by layer id or input name.
using RangeMap = std::map<std::string, StoredRange>;

/// The bits that a value's ranges are for.
struct RangeWidths {
  unsigned stored = 8;
  std::optional<unsigned> operands = std::nullopt;
};
/// By layer id or input name, the bits that the plan stores each value with, for choosing ranges: of the float level
/// or any later one. Values that share another's storage are missing. Errors are diagnostics.
mlir::LogicalResult rangeWidths(mlir::ModuleOp module, const Plan &plan, std::map<std::string, RangeWidths> &widths);

/// Multiply-accumulates of one sample; 0 for what is no convolution or matrix product.
int64_t macsOf(mlir::Operation *op);

/// Whether packed kernels keep several weights of up to 4 bits in a byte: not those of depthwise convolutions, nor
/// loops over more than two dimensions. `op` is a convolution or matrix product of the float or the integer level.
bool sharesBytes(mlir::Operation *op);

/// The layers of the float level whose bits a search may choose: those with constant weights that read a stored value,
/// but for those that `plan` leaves in float; in program order. Layers with one `value` read it with one width.
/// Errors are diagnostics.
mlir::LogicalResult searchLayers(mlir::ModuleOp module, const Plan &plan, std::vector<SearchLayer> &layers);

/// A value between layers whose channels may be scaled, so that no other function is computed: of a convolution or
/// matmul with constants, with a ReLU or nothing, which only layers of the same kind read, as their input.
struct EqualizableValue {
  std::string id;
  int64_t channelDimension = 1;
  bool isDepthwise = true;          // depthwise convolutions alone read it
  std::vector<std::string> readers; // ids of layers
};
/// Those of a program at the float level, in program order.
std::vector<EqualizableValue> equalizableValues(mlir::ModuleOp module);

/// By the id of a value, one factor above 0 a channel.
using ChannelFactors = std::map<std::string, std::vector<float>>;

/// Divides values by their factors: the weights and the bias that make them are divided, the weights that read them
/// multiplied (cross-layer equalization, Nagel et al., 2019, section 4.1). `factors` name equalizableValues().
void equalizeLayers(mlir::ModuleOp module, const ChannelFactors &factors);
/// Of an integer program made from an equalized one: values that are exposed get scales that give the numbers back that
/// the layers had before.
void restoreScales(mlir::ModuleOp module, const ChannelFactors &factors);

/// The ids of the float level's values that have storage of their own, inputs first, then in program order; those that
/// a concatenation joins, and its result, share one and are a group. Errors are diagnostics.
mlir::LogicalResult storedValues(mlir::ModuleOp module, const Plan &plan,
                                 std::vector<std::vector<std::string>> &groups);

// The passes that take structured arguments, as functions. Errors are diagnostics.
mlir::LogicalResult applyRanges(mlir::ModuleOp module, const RangeMap &ranges);
/// Reads entries ID=MIN:MAX, as options of passes have them.
mlir::LogicalResult parseRanges(mlir::ModuleOp module, llvm::ArrayRef<std::string> entries, RangeMap &ranges);
/// The ranges of quant-derive-ranges, of every value of a layer and every input; `sigmas` > 0. Those of the inputs, by
/// name, are given. The module loses its `qnn.moments`.
mlir::LogicalResult deriveRanges(mlir::ModuleOp module, double sigmas, const RangeMap &inputs, RangeMap &ranges);
/// quant-shorten-multipliers, of a module and of one convolution or matmul.
void shortenMultipliers(mlir::ModuleOp module);
void shortenMultiplierOf(mlir::Operation *layer);
/// Sy / Sx of a convolution or matmul whose scales that pass moves: its multipliers are scales of weights over this; 0
/// for others.
double shortMultiplierUnit(mlir::Operation *layer);
/// `plan` comes back complete: it then names every layer, value, addition and output.
mlir::LogicalResult quantizeGraph(mlir::ModuleOp module, Plan &plan);

} // namespace dyadic

#endif // DYADIC_TRANSFORMS_PASSES_H
