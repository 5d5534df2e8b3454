// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The float program layer by layer, in parts.

#include "TestModule.h"
#include "dyadic/Pipelines/Compiler.h"
#include "dyadic/Pipelines/FloatProgram.h"
#include "dyadic/Pipelines/LayerwiseProgram.h"

using namespace dyadic;
using namespace dyadic::test;

namespace {

/// Two equal convolutions, whose sum with the input of both goes on; the first value is read again at the end.
constexpr const char *kNetwork = R"(
  func.func @main(%x: tensor<1x2x2x2xf32> {qnn.name = "x"}) -> (tensor<1x2x2x2xf32> {qnn.name = "y"}) {
    %w = arith.constant dense<[[[[0.5]], [[-1.0]]], [[[2.0]], [[0.25]]]]> : tensor<2x2x1x1xf32>
    %v = arith.constant dense<[[[[1.5]], [[1.0]]], [[[-0.5]], [[0.75]]]]> : tensor<2x2x1x1xf32>
    %0 = qnn.conv %x, %w {id = "first"} : (tensor<1x2x2x2xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x2x2xf32>
    %1 = qnn.conv %0, %v {id = "second"} : (tensor<1x2x2x2xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x2x2xf32>
    %2 = qnn.add %1, %x {id = "sum"} : (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
    %3 = qnn.add %2, %0 {id = "y"} : (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
    return %3 : tensor<1x2x2x2xf32>
  })";

struct Network {
  std::unique_ptr<mlir::MLIRContext> context = createContext();
  LayerKernels kernels;
  Sample sample;
  std::unique_ptr<LayerwiseProgram> program = create();

  Network() { sample.inputs.push_back(floatTensor({1, 2, 2, 2}, {1, -2, 3, 0.5, -1, 4, 2, -3})); }

  std::unique_ptr<LayerwiseProgram> create() {
    auto module = mlir::parseSourceString<mlir::ModuleOp>(kNetwork, context.get());
    auto made = LayerwiseProgram::create(*module, kernels);
    EXPECT_TRUE(static_cast<bool>(made)) << llvm::toString(made.takeError());
    return std::move(*made);
  }

  std::unique_ptr<LayerwiseProgram::Run> run() { return llvm::cantFail(LayerwiseProgram::Run::create(*program)); }
};

TEST(Layerwise, GoesOnFromTheValuesAcrossAStage) {
  Network network;
  const LayerwiseProgram &program = *network.program;
  size_t output = program.getOutputs()[0], end = program.stagesUntil(output);
  ASSERT_GE(end, 4u);
  auto whole = network.run();
  ASSERT_FALSE(whole->evaluate(network.sample, {}));
  for (size_t middle = 0; middle <= end; ++middle) {
    auto before = network.run(), after = network.run();
    ASSERT_FALSE(before->setInputs(network.sample));
    ASSERT_FALSE(before->runStages(0, middle));
    for (size_t value : program.valuesAcross(middle))
      after->setValue(value, before->copyOf(value));
    ASSERT_FALSE(after->runStages(middle, end));
    EXPECT_EQ(floatsOf(middle == end ? before->value(output) : after->value(output)), floatsOf(whole->value(output)));
  }
}

TEST(Layerwise, ValuesAreReadUntilTheirLastStage) {
  Network network;
  const LayerwiseProgram &program = *network.program;
  size_t first = *program.valueOf("first"), sum = *program.valueOf("sum");
  EXPECT_EQ(program.stagesUntil(*program.valueOf("x")), 0u);
  EXPECT_TRUE(llvm::is_contained(program.valuesAcross(program.stagesUntil(sum)), first));
  EXPECT_TRUE(llvm::is_contained(program.valuesAcross(program.stagesUntil(sum)), sum));
  EXPECT_TRUE(program.valuesAcross(program.stagesUntil(*program.valueOf("y"))).size() <= 1); // a change of layout
  EXPECT_EQ(program.bytesOf(first), 8 * sizeof(float));
}

TEST(Layerwise, ProgramsShareKernels) {
  Network network;
  size_t known = network.kernels.size();
  EXPECT_LT(known, network.program->stagesUntil(network.program->getOutputs()[0])); // both convolutions are one
  auto other = network.create();
  EXPECT_EQ(network.kernels.size(), known);
  auto run = llvm::cantFail(LayerwiseProgram::Run::create(*other)), same = network.run();
  ASSERT_FALSE(run->evaluate(network.sample, {}));
  ASSERT_FALSE(same->evaluate(network.sample, {}));
  size_t output = other->getOutputs()[0];
  EXPECT_EQ(floatsOf(run->value(output)), floatsOf(same->value(output)));
}

TEST(Layerwise, LeavesChannelsWhereLayersHaveThem) {
  Network network;
  auto module = mlir::parseSourceString<mlir::ModuleOp>(kNetwork, network.context.get());
  auto kept = llvm::cantFail(LayerwiseProgram::create(*module, network.kernels, /*keepsLayouts=*/true));
  ASSERT_TRUE(kept->isChannelsLast(0));
  EXPECT_FALSE(network.program->isChannelsLast(0));
  auto run = llvm::cantFail(LayerwiseProgram::Run::create(*kept)), whole = network.run();
  ASSERT_FALSE(run->evaluate(network.sample, {}));
  ASSERT_FALSE(whole->evaluate(network.sample, {}));
  std::vector<float> last = floatsOf(run->value(kept->getOutputs()[0])),
                     second = floatsOf(whole->value(network.program->getOutputs()[0]));
  for (size_t channel = 0; channel < 2; ++channel)
    for (size_t i = 0; i < 4; ++i)
      EXPECT_EQ(last[i * 2 + channel], second[channel * 4 + i]);
}

TEST(Layerwise, ChangesReachWhatDependsOnThem) {
  Network network;
  const LayerwiseProgram &program = *network.program;
  size_t second = *program.layerOf("second"), output = program.getOutputs()[0];
  std::vector<float> weights = program.getLayers()[second].weights;
  weights[1] += 1;
  Tensor packed = program.packedWeights(second, weights);
  LayerwiseProgram::Change change;
  change.weights[second] = &packed;
  auto run = network.run(), whole = network.run();
  ASSERT_FALSE(run->load(network.sample));
  ASSERT_FALSE(whole->evaluate(network.sample, change));
  std::vector<float> before = floatsOf(run->value(output));
  for (llvm::StringRef kept : {"second", "first", "sum"}) {
    size_t local = *program.valueOf(kept);
    ASSERT_FALSE(run->apply(change, local));
    EXPECT_EQ(floatsOf(run->value(output)), floatsOf(whole->value(output)));
    EXPECT_EQ(floatsOf(run->floatValue(output)), before);
    EXPECT_EQ(floatsOf(run->value(local)) == floatsOf(run->floatValue(local)), kept == "first"); // not reached
  }
}

TEST(Layerwise, ComputesWhatTheWholeProgramDoes) {
  Network network;
  auto module = mlir::parseSourceString<mlir::ModuleOp>(kNetwork, network.context.get());
  std::map<std::string, std::vector<float>> found[2];
  std::vector<float> outputs[2];
  for (size_t i : {0, 1}) {
    auto program = llvm::cantFail(FloatProgram::create(*module, i == 0 ? nullptr : &network.kernels));
    auto computed = llvm::cantFail(program->compute(
        network.sample, [&](llvm::StringRef id, const Tensor &value) { found[i][id.str()] = floatsOf(value); }));
    ASSERT_EQ(computed.size(), 1u);
    outputs[i] = floatsOf(computed[0]);
  }
  EXPECT_EQ(found[0].size(), 5u); // with the input
  EXPECT_EQ(found[0], found[1]);
  EXPECT_EQ(outputs[0], outputs[1]);
}

TEST(Layerwise, RefusesSamplesOfOtherShapes) {
  Network network;
  Sample wide;
  wide.inputs.push_back(floatTensor({1, 2, 1, 4}, std::vector<float>(8)));
  EXPECT_EQ(llvm::toString(network.run()->setInputs(wide)), "a sample is [1, 2, 1, 4], expected [1, 2, 2, 2]");
}

} // namespace
