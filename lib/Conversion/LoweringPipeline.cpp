// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Conversion/Passes.h"
#include "dyadic/Transforms/Passes.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace dyadic {

void buildLoweringPipeline(OpPassManager &manager, const LoweringOptions &options) {
  manager.addPass(createAssignLayout());
  OrderChannelsOptions order;
  order.byteDot = options.byteDot;
  manager.addPass(createOrderChannels(order));
  PackLayersOptions pack;
  pack.byteDot = options.byteDot;
  pack.wordDot = options.wordDot;
  pack.rows = options.rows;
  manager.addPass(createPackLayers(pack));
  PackFloatLayersOptions packFloat;
  packFloat.lanes = options.floatLanes;
  packFloat.rows = options.floatRows;
  packFloat.depthwiseRows = options.floatDepthwiseRows;
  manager.addPass(createPackFloatLayers(packFloat));

  // No CSE before bufferization: it would make one tensor.empty of all, and the
  // analysis of its aliases quadratic.
  manager.addPass(createLowerToLinalg());

  // Results become arguments: the caller owns every buffer.
  bufferization::OneShotBufferizePassOptions bufferize;
  bufferize.bufferizeFunctionBoundaries = true;
  bufferize.functionBoundaryTypeConversion = bufferization::LayoutMapOption::IdentityLayoutMap;
  manager.addPass(bufferization::createEmptyTensorEliminationPass());
  manager.addPass(bufferization::createOneShotBufferizePass(bufferize));
  bufferization::BufferResultsToOutParamsPassOptions outParams;
  outParams.hoistStaticAllocs = true;
  outParams.modifyPublicFunctions = true;
  manager.addPass(bufferization::createBufferResultsToOutParamsPass(outParams));
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  manager.addPass(createTrimFills());
  manager.addPass(createElideCopies());
  manager.addPass(createCSEPass()); // one view of a part for all operands of an operation
  manager.addPass(createExpandCopies());
  manager.addPass(createShareBuffers());
  manager.addPass(createPlanMemory());
  // While the buffers are still known to be parts of one workspace.
  if (!options.byteDot.empty()) // the target has vectors
    manager.addPass(createLowerTransposes());
  manager.addPass(createOutlineKernels());
  LowerPackedLayersOptions lowerPacked;
  lowerPacked.dotLanes = options.dotLanes;
  manager.addPass(createLowerPackedLayers(lowerPacked));
  if (options.emulateDots)
    manager.addPass(createExpandDots());

  manager.addNestedPass<func::FuncOp>(createConvertLinalgToLoopsPass());
  manager.addPass(memref::createExpandStridedMetadataPass());
  manager.addPass(createLowerAffinePass());
  manager.addPass(createSCFToControlFlowPass());
  manager.addPass(createConvertMathToLLVMPass()); // absolute values, square roots, multiply-adds
  manager.addPass(createArithToLLVMConversionPass());
  manager.addPass(createFinalizeMemRefToLLVMConversionPass());
  manager.addPass(createConvertControlFlowToLLVMPass());
  ConvertFuncToLLVMPassOptions function;
  function.useBarePtrCallConv = true;
  manager.addPass(createConvertFuncToLLVMPass(function));
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createReconcileUnrealizedCastsPass());
  if (options.expandMultiplyAdds)
    manager.addPass(createExpandMultiplyAdds());
  manager.addPass(createForkKernels());
}

void registerLoweringPipeline() {
  PassPipelineRegistration<LoweringOptions>(
      "quant-lower-to-llvm", "From the float or integer level to the LLVM dialect", buildLoweringPipeline);
}

} // namespace dyadic
