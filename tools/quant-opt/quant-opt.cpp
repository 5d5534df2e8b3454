// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs passes and pipelines over textual IR: Dyadic's own and all of upstream's.

#include "dyadic/Conversion/Passes.h"
#include "dyadic/IR/QnnDialect.h"
#include "dyadic/Transforms/Passes.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::registerAllPasses();
  dyadic::registerDyadicTransformsPasses();
  dyadic::registerDyadicConversionPasses();
  dyadic::registerIntegerPipeline();
  dyadic::registerLoweringPipeline();

  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  registry.insert<dyadic::qnn::QNNDialect>();
  dyadic::registerPackedBufferization(registry);
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "Dyadic optimizer driver\n", registry));
}
