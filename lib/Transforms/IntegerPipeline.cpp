// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"

namespace dyadic {

void buildIntegerPipeline(mlir::OpPassManager &manager, const IntegerPipelineOptions &options) {
  RewriteDyadicOptions rewrite;
  rewrite.rounding = options.rounding;
  manager.addPass(createRewriteDyadic(rewrite));
  manager.addPass(createProveAccumulators());
  if (options.integerOnly)
    manager.addPass(createVerifyIntegerOnly());
}

void registerIntegerPipeline() {
  mlir::PassPipelineRegistration<IntegerPipelineOptions>(
      "quant-lower-to-integer", "From the quantized to the integer level, proven", buildIntegerPipeline);
}

} // namespace dyadic
