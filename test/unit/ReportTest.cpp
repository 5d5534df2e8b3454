// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The report's renderers on data made up for them: hostile names, missing parts, widths.

#include "dyadic/Pipelines/Report.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/JSON.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace dyadic;

static OwnError ownError(double noise, double rounding, double clipping, double share) {
  OwnError own;
  SampleSums sums;
  sums.signal = 1000;
  sums.noise = noise;
  own.agreement.add(sums);
  own.rounding = rounding;
  own.clipping = clipping;
  own.elements = 100;
  own.share = share;
  return own;
}

/// A layer that stores 8 unsigned bits.
static LayerReport layer(std::string id) {
  LayerReport row;
  row.id = std::move(id);
  row.op = "conv+relu";
  row.shape = {16, 8, 8};
  row.weightBits = 8;
  row.bytes = 336;
  StoredValue stored;
  stored.type = ElementType::U8;
  stored.bits = 8;
  stored.scaleMin = stored.scaleMax = 0.5f;
  stored.high = 127.5;
  row.stored = stored;
  row.observed = row.chosen = {0.0f, 127.5f};
  row.histogram = ReportHistogram{0, 64, {5, 0, 7}};
  return row;
}

static Report report(const std::string &name) {
  Report result;
  result.model = name + ".onnx";
  result.output = name + ".so";
  result.modelSha = std::string(64, 'a');
  result.target = "generic";
  result.calibrationMethod = "minmax";
  result.heldBackSamples = 1;
  result.heldBack = {4};
  result.layers = {layer(name)};
  result.layers[0].own = ownError(1, 1, 0, 1);
  result.layers[0].agreement = result.layers[0].own->agreement;
  OutputReport output{name, result.layers[0].own->agreement, Proportion{1, 1}};
  result.outputs = {output};
  result.islands = {{name, "softmax", "because of " + name}};
  result.advice = advise(result);
  result.times.emplace();
  result.times->countedWith = {name};
  result.times->integer = ProgramTimes{10, 11, 9, 1, 3, {std::nullopt}};
  return result;
}

TEST(Report, HostileNamesHaveNoMeaningInHtml) {
  std::string page = toHtml(report("<script>alert('x')</script>&\"\n\x01"));
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_EQ(page.find("alert('x')"), std::string::npos);
  EXPECT_EQ(page.find('\x01'), std::string::npos);
  EXPECT_NE(page.find("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot;\\n\\x01"), std::string::npos);
  // Nor can one end the style or an attribute.
  EXPECT_EQ(toHtml(report("</style><b>")).find("</style><b>"), std::string::npos);
  EXPECT_EQ(toHtml(report("\" onload=\"x")).find("\" onload"), std::string::npos);
}

TEST(Report, HostileNamesInJsonAndText) {
  std::string name = "a\"\\\n\x1b[31m\xff";
  auto parsed = llvm::json::parse(toJson(report(name)));
  ASSERT_TRUE(static_cast<bool>(parsed)) << llvm::toString(parsed.takeError());
  EXPECT_EQ(parsed->getAsObject()->getString("model"), llvm::json::fixUTF8(name + ".onnx"));
  std::string text = toText(report(name), /*colours=*/false);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find('\xff'), std::string::npos);
}

TEST(Report, ThePageNeedsNothingElse) {
  std::string page = toHtml(report("net"));
  for (const char *outside : {"http:", "https:", "//", "src=", "href=", "url(", "@import", "<script", "<link"})
    EXPECT_EQ(page.find(outside), std::string::npos) << outside;
  EXPECT_NE(page.find("prefers-color-scheme: dark"), std::string::npos);
  EXPECT_EQ(page, toHtml(report("net")));
}

TEST(Report, TheTableFitsHundredColumns) {
  Report wide = report("net");
  wide.layers[0].id = std::string(200, 'x') + "end";
  wide.layers[0].shape = {1, 1024, 1024, 1024};
  wide.times->integer->layers = {4.0};
  std::string text = toText(wide, /*colours=*/false);
  llvm::SmallVector<llvm::StringRef> lines;
  llvm::StringRef(text).split(lines, '\n');
  for (llvm::StringRef line : llvm::ArrayRef(lines).take_front(3))
    EXPECT_LE(line.size(), 100u) << line.str();
  EXPECT_TRUE(lines[1].starts_with("..x")) << lines[1].str();
  EXPECT_NE(lines[1].find("xend  conv+relu"), llvm::StringRef::npos) << lines[1].str();
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_NE(toText(wide, /*colours=*/true).find("\x1b[1m"), std::string::npos);
}

TEST(Report, TimeOfAFusedLayerIsWhereItsKernelIs) {
  Report fused = report("first");
  fused.layers.push_back(layer("second"));
  fused.times->integer->layers = {std::nullopt, 9.0};
  fused.times->countedWith = {"second", ""};
  EXPECT_NE(toHtml(fused).find("in <span class=\"id\">second</span>"), std::string::npos);
  EXPECT_NE(toJson(fused).find("\"counted_with\": \"second\""), std::string::npos);
}

TEST(Report, NumbersThatAreNone) {
  Report odd = report("net");
  SampleSums sums;
  sums.signal = sums.noise = NAN;
  odd.outputs[0].agreement = Agreement();
  odd.outputs[0].agreement.add(sums);
  odd.layers[0].agreement = odd.outputs[0].agreement;
  auto parsed = llvm::json::parse(toJson(odd));
  ASSERT_TRUE(static_cast<bool>(parsed)) << llvm::toString(parsed.takeError());
  EXPECT_NE(toText(odd, false).find("SQNR nan dB"), std::string::npos);
  EXPECT_EQ(toHtml(odd).find("width=\"nan\""), std::string::npos);
}

//===----------------------------------------------------------------------===//
// Advice
//===----------------------------------------------------------------------===//

static Advice adviceFor(LayerReport row, std::string method = "minmax") {
  Report one;
  one.calibrationMethod = std::move(method);
  one.layers = {std::move(row)};
  return advise(one).at(0);
}

TEST(Advice, FollowsTheCause) {
  LayerReport row = layer("a\"b");
  row.own = ownError(10, 9, 0, 1);
  EXPECT_EQ(adviceFor(row).plan, "\"values\": {\"a\\\"b\":{\"bits\":10}}");
  row.own = ownError(10, 9, 8, 1);
  EXPECT_EQ(adviceFor(row).plan, "");
  EXPECT_NE(adviceFor(row).remedy.find("more samples"), std::string::npos);
  EXPECT_NE(adviceFor(row, "percentile:99").remedy.find("minmax"), std::string::npos);
  row.id = "a";
  row.weightBits = 4;
  row.own = ownError(10, 1, 0, 1);
  EXPECT_EQ(adviceFor(row).plan, "\"layers\": {\"a\":{\"weights\":8}}");
  row.weightBits = 8;
  EXPECT_EQ(adviceFor(row).plan, "\"layers\": {\"a\":{\"float\":true}}");
  // No wider value than the widest.
  row.own = ownError(10, 9, 0, 1);
  row.stored->bits = 14;
  EXPECT_EQ(adviceFor(row).plan, "\"values\": {\"a\":{\"bits\":15}}");
  row.stored->bits = 15;
  EXPECT_EQ(adviceFor(row).plan, "\"layers\": {\"a\":{\"float\":true}}");
  row.stored->type = ElementType::S16;
  EXPECT_EQ(adviceFor(row).plan, "\"values\": {\"a\":{\"bits\":16}}");
}

TEST(Advice, NamesTheThreeWorstAndNoExactLayer) {
  Report many;
  for (double share : {0.1, 0.0, 0.3, 0.3, 0.2}) {
    many.layers.push_back(layer("l" + std::to_string(many.layers.size())));
    many.layers.back().own = ownError(share, share, 0, share);
  }
  std::vector<std::string> ids;
  for (const Advice &advice : advise(many))
    ids.push_back(advice.id);
  EXPECT_EQ(ids, (std::vector<std::string>{"l2", "l3", "l4"}));
}

/// Measured on four samples.
static MeasuredPlan measuredPlan(std::vector<double> divergences, double error) {
  MeasuredPlan plan;
  for (double divergence : divergences)
    plan.divergence += divergence / static_cast<double>(divergences.size());
  plan.divergences = std::move(divergences);
  plan.error = error;
  return plan;
}

TEST(MeasuredPlan, TheErrorDecidesWhereSamplesDoNotTellPlansApart) {
  MeasuredPlan plan = measuredPlan({0.1, 0.4, 0.2, 0.3}, 0.05);
  // Each sample a little better: a mean difference of 0.01 whose standard error is none.
  MeasuredPlan better = measuredPlan({0.09, 0.39, 0.19, 0.29}, 0.06);
  EXPECT_TRUE(better.isBetterThan(plan, /*byError=*/false));
  EXPECT_FALSE(plan.isBetterThan(better, /*byError=*/false));
  EXPECT_FALSE(better.isBetterThan(plan, /*byError=*/true));
  // Better by 0.01 in the mean, with a standard error of sqrt(4 * 0.1^2 / 12) = 0.058.
  MeasuredPlan noisy = measuredPlan({0.19, 0.29, 0.29, 0.19}, 0.06);
  EXPECT_LT(noisy.divergence, plan.divergence);
  EXPECT_FALSE(noisy.isBetterThan(plan, /*byError=*/false));
  EXPECT_TRUE(plan.isBetterThan(noisy, /*byError=*/false));
  // One sample tells nothing apart.
  EXPECT_TRUE(measuredPlan({0.3}, 0.01).isBetterThan(measuredPlan({0.2}, 0.02), /*byError=*/false));
}
