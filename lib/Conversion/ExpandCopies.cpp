// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Conversion/Passes.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"

using namespace mlir;

namespace dyadic {
#define GEN_PASS_DEF_EXPANDCOPIES
#include "dyadic/Conversion/Passes.h.inc"

namespace {
struct ExpandCopies : impl::ExpandCopiesBase<ExpandCopies> {
  void runOnOperation() override {
    getOperation().walk([](memref::CopyOp copy) {
      OpBuilder builder(copy);
      linalg::makeMemRefCopyOp(builder, copy.getLoc(), copy.getSource(), copy.getTarget());
      copy.erase();
    });
  }
};
} // namespace
} // namespace dyadic
