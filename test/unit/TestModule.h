// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What tests need to run small programs given as text.

#ifndef DYADIC_TEST_UNIT_TESTMODULE_H
#define DYADIC_TEST_UNIT_TESTMODULE_H

#include "dyadic/IR/QnnDialect.h"
#include "dyadic/Reference/Interpreter.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

namespace dyadic::test {

/// One context for all tests.
inline mlir::MLIRContext *context() {
  static mlir::MLIRContext *instance = [] {
    mlir::DialectRegistry registry;
    registry.insert<qnn::QNNDialect, mlir::arith::ArithDialect, mlir::func::FuncDialect, mlir::quant::QuantDialect>();
    auto *created = new mlir::MLIRContext(registry, mlir::MLIRContext::Threading::DISABLED);
    created->loadAllAvailableDialects();
    return created;
  }();
  return instance;
}

/// The verified module, or null.
inline mlir::OwningOpRef<mlir::ModuleOp> parse(llvm::StringRef text) {
  return mlir::parseSourceString<mlir::ModuleOp>(text, context());
}

inline Tensor floatTensor(std::vector<int64_t> shape, const std::vector<float> &values) {
  Tensor tensor(ElementType::F32, std::move(shape));
  EXPECT_EQ(tensor.size(), static_cast<int64_t>(values.size()));
  std::copy(values.begin(), values.end(), tensor.as<float>());
  return tensor;
}

inline Tensor intTensor(ElementType type, std::vector<int64_t> shape, const std::vector<int64_t> &values) {
  Tensor tensor(type, std::move(shape));
  EXPECT_EQ(tensor.size(), static_cast<int64_t>(values.size()));
  for (size_t i = 0; i < values.size(); ++i)
    tensor.setInt(i, values[i]);
  return tensor;
}

inline std::vector<float> floatsOf(const Tensor &tensor) {
  EXPECT_EQ(tensor.type, ElementType::F32);
  return std::vector<float>(tensor.as<float>(), tensor.as<float>() + tensor.size());
}

inline std::vector<int64_t> intsOf(const Tensor &tensor) {
  EXPECT_NE(tensor.type, ElementType::F32);
  std::vector<int64_t> values;
  for (int64_t i = 0; i < tensor.size(); ++i)
    values.push_back(tensor.intAt(i));
  return values;
}

/// The only result of `text`, a module, on `inputs`; an empty f32 tensor after a failure.
inline Tensor runText(llvm::StringRef text, llvm::ArrayRef<Tensor> inputs) {
  mlir::OwningOpRef<mlir::ModuleOp> module = parse(text);
  EXPECT_TRUE(module) << text.str();
  if (!module)
    return Tensor();
  llvm::Expected<std::vector<Tensor>> results = interpret(*module, inputs);
  if (!results) {
    ADD_FAILURE() << llvm::toString(results.takeError());
    return Tensor();
  }
  EXPECT_EQ(results->size(), 1u);
  return results->front();
}

/// The error of `text` on `inputs`; empty where it runs.
inline std::string errorOf(llvm::StringRef text, llvm::ArrayRef<Tensor> inputs) {
  mlir::OwningOpRef<mlir::ModuleOp> module = parse(text);
  EXPECT_TRUE(module) << text.str();
  if (!module)
    return "does not parse";
  llvm::Expected<std::vector<Tensor>> results = interpret(*module, inputs);
  return results ? "" : llvm::toString(results.takeError());
}

/// `func.func @main(%x: FROM) -> TO` around one operation, named %y.
inline std::string unary(const std::string &from, const std::string &operation, const std::string &to) {
  return "func.func @main(%x: " + from + ") -> " + to + " {\n  %y = " + operation + "\n  return %y : " + to + "\n}\n";
}

} // namespace dyadic::test

#endif // DYADIC_TEST_UNIT_TESTMODULE_H
