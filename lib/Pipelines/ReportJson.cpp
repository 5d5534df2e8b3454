// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The report as JSON: docs/schemas/report.schema.json. What depends on the clock comes last.

#include "ReportFormat.h"
#include "dyadic/Support/Version.h"
#include "llvm/Support/JSON.h"
#include <cmath>

namespace dyadic {
namespace {

class JsonReport {
public:
  explicit JsonReport(const Report &report) : report(report), os(text), json(os, 2) {}

  std::string write() {
    json.object([&] {
      json.attribute("kind", "report");
      json.attribute("version", 2);
      json.attribute("producer", kProducer);
      string("model", report.model);
      json.attribute("model_sha256", report.modelSha);
      string("output", report.output);
      writeOptions();
      writeAccuracy();
      rows("inputs", report.inputs);
      rows("layers", report.layers);
      writeIslands();
      writeAdvice();
      if (report.search)
        writeSearch(*report.search);
      if (report.attribution)
        writeAttribution(*report.attribution);
      writeSizes();
      if (report.times)
        writeTimes();
      else if (!report.timesNote.empty())
        json.attribute("times_note", report.timesNote);
      if (report.tuning)
        writeTuning();
    });
    os << "\n";
    return std::move(text);
  }

private:
  /// JSON is UTF-8; names of files and nodes need not be.
  void string(llvm::StringRef key, llvm::StringRef value) { json.attribute(key, llvm::json::fixUTF8(value)); }
  /// JSON has neither infinity nor NaN.
  static llvm::json::Value finite(double value) {
    return std::isfinite(value) ? llvm::json::Value(value) : llvm::json::Value(nullptr);
  }
  void number(llvm::StringRef key, double value) { json.attribute(key, finite(value)); }
  template <typename T> void optional(llvm::StringRef key, const std::optional<T> &value) {
    if (value)
      json.attribute(key, llvm::json::Value(*value));
  }
  void integer(llvm::StringRef key, size_t value) { json.attribute(key, static_cast<int64_t>(value)); }
  void pair(llvm::StringRef key, double first, double second) {
    json.attributeArray(key, [&] {
      json.value(finite(first));
      json.value(finite(second));
    });
  }

  void writeOptions() {
    json.attributeObject("options", [&] {
      json.attribute("float", report.isFloat);
      string("target", report.target);
      if (report.isFloat)
        return;
      json.attribute("weight_bits", report.weightBits);
      json.attribute("activation_bits", report.activationBits);
      json.attribute("rounding", report.rounding == Rounding::HalfEven ? "half_even" : "half_up");
      json.attribute("io", report.io == BoundaryMode::Integer ? "integer" : "float");
      json.attribute("calibration_method", report.calibrationMethod);
      integer("calibration_samples", report.calibrationSamples);
      writeWeightRounding();
    });
  }

  void writeWeightRounding() {
    const RoundingReport &rounding = report.weightRounding;
    json.attributeObject("weight_rounding", [&] {
      json.attribute("asked", rounding.asked);
      json.attribute("fitted", !rounding.isNearest);
      integer("samples", rounding.samples);
      integer("gptq_layers", rounding.fittedLayers);
      integer("bias_corrected_layers", rounding.correctedLayers);
      integer("equalized_values", rounding.equalizedValues);
      optional("fitted_error", rounding.fittedError);
      optional("nearest_error", rounding.nearestError);
    });
  }

  void writeAgreement(const Agreement &agreement) {
    number("sqnr_db", agreement.sqnr());
    optional("sqnr_standard_error_db", agreement.sqnrStandardError());
    number("cosine", agreement.cosine());
    if (std::optional<double> error = agreement.relativeError())
      number("relative_error", *error);
  }

  void writeAccuracy() {
    integer("held_back_samples", report.heldBackSamples);
    json.attributeArray("outputs", [&] {
      for (const OutputReport &output : report.outputs)
        json.object([&] { writeOutput(output); });
    });
  }

  void writeOutput(const OutputReport &output) {
    string("name", output.name);
    writeAgreement(output.agreement);
    if (std::optional<size_t> worst = output.agreement.worstSample()) {
      integer("worst_sample", report.heldBack[*worst]);
      number("worst_sqnr_db", output.agreement.sqnrOf(*worst));
    }
    writeTopOne(output.topOne);
  }

  void writeTopOne(const std::optional<Proportion> &topOne) {
    if (!topOne)
      return;
    json.attributeObject("top1", [&] {
      integer("agreeing", topOne->successes);
      integer("decisions", topOne->trials);
      number("percent", 100 * topOne->value());
      number("standard_error_percent", 100 * topOne->standardError());
      auto [low, high] = topOne->interval();
      pair("interval_percent", 100 * low, 100 * high);
    });
  }

  void rows(llvm::StringRef key, llvm::ArrayRef<LayerReport> rows) {
    json.attributeArray(key, [&] {
      for (const LayerReport &row : rows)
        json.object([&] { writeRow(row); });
    });
  }

  void writeRow(const LayerReport &row) {
    string("id", row.id);
    json.attribute("op", row.op);
    json.attributeArray("shape", [&] {
      for (int64_t size : row.shape)
        json.value(size);
    });
    json.attribute("float", row.isFloat);
    optional("weight_bits", row.weightBits);
    optional("operand_bits", row.operandBits);
    if (row.stored)
      json.attribute("value_bits", row.stored->bits);
    json.attribute("macs", row.macs);
    if (!row.method.empty())
      json.attribute("method", row.method);
    json.attribute("weights", row.weights);
    json.attribute("float_bytes", row.floatBytes);
    optional("bytes", row.bytes);
    if (row.stored)
      writeStored(*row.stored);
    if (row.observed)
      pair("observed", row.observed->first, row.observed->second);
    if (row.chosen)
      pair("range", row.chosen->first, row.chosen->second);
    if (row.histogram)
      json.attributeObject("histogram", [&] {
        number("low", row.histogram->low);
        number("bin_width", row.histogram->binWidth);
        json.attributeArray("counts", [&] {
          for (uint64_t count : row.histogram->counts)
            json.value(static_cast<int64_t>(count));
        });
      });
    if (row.agreement)
      writeAgreement(*row.agreement);
    if (row.own)
      writeOwn(*row.own);
  }

  void writeStored(const StoredValue &stored) {
    json.attributeObject("stored", [&] {
      json.attribute("type", elementName(stored.type));
      if (stored.numScales == 1)
        number("scale", stored.scaleMin);
      else
        pair("channel_scales", stored.scaleMin, stored.scaleMax);
      json.attribute("zero_point", stored.zeroPoint);
      if (!stored.isAccumulator())
        pair("limits", stored.low, stored.high);
    });
  }

  void writeOwn(const OwnError &own) {
    json.attributeObject("own", [&] {
      writeAgreement(own.agreement);
      number("share", own.share);
      double noise = own.agreement.sums().noise;
      number("rounding_share", noise > 0 ? own.rounding / noise : 0);
      number("clipping_share", noise > 0 ? own.clipping / noise : 0);
      integer("clipped", own.clipped);
      integer("elements", own.elements);
    });
  }

  void writeIslands() {
    json.attributeArray("float_islands", [&] {
      for (const IslandReport &island : report.islands)
        json.object([&] {
          string("id", island.id);
          json.attribute("op", island.op);
          string("reason", island.reason);
        });
    });
  }

  void writeAdvice() {
    json.attributeArray("advice", [&] {
      for (const Advice &advice : report.advice)
        json.object([&] {
          string("id", advice.id);
          number("share", advice.share);
          json.attribute("cause", advice.cause);
          json.attribute("remedy", advice.remedy);
          if (!advice.plan.empty())
            string("plan", advice.plan);
        });
    });
  }

  void writeCosts(llvm::StringRef key, const Costs &costs) {
    json.attributeObject(key, [&] {
      for (auto [name, cost] : llvm::zip(kCostNames, costs))
        if (cost)
          number(name, *cost);
    });
  }

  void writeAlternative(llvm::StringRef key, const std::optional<AlternativeChoice> &other) {
    if (!other)
      return;
    json.attributeObject(key, [&] {
      json.attribute("bits", other->bits);
      number("perturbation", other->perturbation);
      writeCosts("costs", other->costs);
    });
  }

  void writeSearch(const SearchReport &search) {
    json.attributeObject("search", [&] {
      json.attribute("budget", search.budget);
      json.attribute("metric", search.metric);
      integer("samples", search.sensitivitySamples);
      json.attribute("status", search.status);
      number("perturbation", search.perturbation);
      if (search.bound)
        number("bound", *search.bound);
      if (search.isTimeLimited)
        json.attribute("time_limited", true);
      integer("refinements", search.refinements);
      writeCosts("limits", search.limits);
      writeCosts("costs", search.costs);
      json.attributeArray("choices", [&] {
        for (const ChoiceReport &choice : search.choices)
          json.object([&] { writeChoice(search, choice); });
      });
      json.attributeArray("measured", [&] {
        for (const MeasuredPlan &plan : search.measured)
          json.object([&] {
            json.attribute("plan", plan.name);
            writeMeasured(plan);
            writeCosts("costs", plan.costs);
          });
      });
    });
  }

  void writeMeasured(const MeasuredPlan &plan) {
    number("divergence", plan.divergence);
    number("error", plan.error);
    if (plan.agreement.count())
      writeAgreement(plan.agreement);
    writeTopOne(plan.topOne);
  }

  void writeAttribution(const AttributionReport &attribution) {
    json.attributeObject("attribution", [&] {
      json.attribute("metric", attribution.metric);
      json.attributeObject("plan", [&] { writeMeasured(attribution.plan); });
      if (attribution.all)
        json.attributeObject("all", [&] { writeMeasured(*attribution.all); });
      if (attribution.repaired)
        json.attributeObject("repaired", [&] { writeMeasured(*attribution.repaired); });
      integer("overrides", attribution.overrides);
      json.attributeArray("costs", [&] {
        for (const AttributedCost &cost : attribution.costs)
          json.object([&] { writeAttributed(cost); });
      });
    });
  }

  void writeAttributed(const AttributedCost &cost) {
    json.attributeArray(cost.isValue ? "values" : "layers", [&] {
      for (const std::string &id : cost.ids)
        json.value(llvm::json::fixUTF8(id));
    });
    json.attribute("bits", cost.bits);
    if (cost.instead)
      json.attribute("instead", *cost.instead);
    else
      json.attribute("instead", "float");
    number("alone", cost.alone);
    optional("override", cost.overridden);
    if (!cost.isValue)
      number("bytes", cost.bytes);
    if (!cost.measured)
      return;
    number("share", cost.share);
    json.attributeObject("measured", [&] { writeMeasured(*cost.measured); });
  }

  void writeChoice(const SearchReport &search, const ChoiceReport &choice) {
    json.attributeArray("layers", [&] {
      for (const std::string &id : choice.layers)
        json.value(llvm::json::fixUTF8(id));
    });
    json.attribute("bits", choice.bits);
    number("perturbation", choice.perturbation);
    number("share", choice.share);
    writeAlternative("better", choice.better);
    writeAlternative("cheaper", choice.cheaper);
    string("remark", remarkText(search, choice));
  }

  void writeSizes() {
    auto sizes = [&](llvm::StringRef key, const ProgramSizes &program) {
      json.attributeObject(key, [&] {
        json.attribute("constants", program.constants);
        optional("code", program.code);
        optional("workspace", program.workspace);
        optional("live_set", program.liveSet);
      });
    };
    json.attributeObject("sizes", [&] {
      if (!report.isFloat)
        sizes("integer", report.integerSizes);
      sizes("float", report.floatSizes);
      json.attribute("output", report.outputBytes);
    });
  }

  void writeTimes() {
    const Times &times = *report.times;
    std::vector<const LayerReport *> all = report.rows();
    auto program = [&](llvm::StringRef key, const std::optional<ProgramTimes> &measured) {
      if (!measured)
        return;
      json.attributeObject(key, [&] {
        number("total_us", measured->total);
        number("instrumented_us", measured->instrumented);
        number("kernels_us", measured->kernels);
        number("other_us", measured->other);
        integer("runs", measured->runs);
      });
    };
    json.attributeObject("times", [&] {
      if (times.sample)
        integer("sample", *times.sample);
      program("integer", times.integer);
      program("float", times.floating);
      json.attributeArray("layers", [&] {
        for (size_t i = 0; i < all.size(); ++i)
          json.object([&] {
            string("id", all[i]->id);
            writeLayerTime("integer", times.integer, i);
            writeLayerTime("float", times.floating, i);
            if (!times.countedWith[i].empty())
              string("counted_with", times.countedWith[i]);
          });
      });
    });
  }

  void writeTuning() {
    json.attributeObject("tuning", [&] {
      string("cpu", report.tuning->cpu);
      number("before_us", report.tuning->before);
      number("after_us", report.tuning->after);
      json.attributeArray("layers", [&] {
        for (const TunedLayer &layer : report.tuning->layers)
          json.object([&] {
            string("id", layer.id);
            if (layer.isFloat)
              json.attribute("float", true);
            json.attributeObject("schedule", [&] { writeSchedule(json, layer.schedule); });
            number("before_us", layer.before);
            if (!layer.isFloat)
              number("after_us", layer.after);
          });
      });
    });
  }

  void writeLayerTime(llvm::StringRef name, const std::optional<ProgramTimes> &program, size_t index) {
    if (!program || !program->layers[index])
      return;
    number((name + "_us").str(), *program->layers[index]);
    number((name + "_share").str(), *program->layers[index] / program->kernels);
    if (std::optional<double> part = program->ofLimit(index))
      number((name + "_of_limit").str(), *part);
  }

  const Report &report;
  std::string text;
  llvm::raw_string_ostream os;
  llvm::json::OStream json;
};

} // namespace

std::string toJson(const Report &report) { return JsonReport(report).write(); }

} // namespace dyadic
