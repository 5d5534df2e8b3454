// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The report as one page of HTML: no script, no network, its style inside. Every name goes
// through htmlText(), which leaves no character with a meaning in HTML.

#include "ReportFormat.h"
#include "ReportHistogram.h"
#include "dyadic/Support/Error.h"
#include "dyadic/Support/Version.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

namespace dyadic {

static const char kStyle[] = {
#include "dyadic/Pipelines/ReportStyle.inc"
};

static std::string idText(llvm::StringRef id) { return "<span class=\"id\">" + htmlText(id) + "</span>"; }

static std::string cell(llvm::StringRef html) { return ("<td class=\"number\">" + html + "</td>").str(); }

/// A number with a bar below it that is `part` of the column's width.
static std::string barCell(llvm::StringRef number, double part, llvm::StringRef kind) {
  return llvm::formatv(
             "<td class=\"bar\">{0}<svg viewBox=\"0 0 100 5\" preserveAspectRatio=\"none\" aria-hidden=\"true\">"
             "<rect width=\"100\" height=\"5\"/><rect class=\"{1}\" width=\"{2:F2}\" height=\"5\"/></svg></td>",
             number.empty() ? "&nbsp;" : number, kind, part > 0 ? 100 * std::min(part, 1.0) : 0.0)
      .str();
}

//===----------------------------------------------------------------------===//
// The page
//===----------------------------------------------------------------------===//

namespace {
class HtmlReport {
public:
  explicit HtmlReport(const Report &report) : report(report), rows(report.rows()), os(page) {}

  std::string write() {
    os << "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
       << "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
       << "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
       << "<title>" << htmlText(fileName(report.model)) << " - " << kProducer << "</title>\n<style>\n"
       << llvm::StringRef(kStyle, sizeof(kStyle)) << "</style>\n</head>\n<body>\n";
    writeHeading();
    writeNotes();
    os << "<div class=\"boxes\">\n";
    writeAccuracy();
    writeSizes();
    writeTimes();
    os << "</div>\n";
    writeAdvice();
    writeSearch();
    writeAttribution();
    writeNetwork();
    writeIslands();
    writeValues();
    writeMaking();
    os << "</body>\n</html>\n";
    return std::move(page);
  }

private:
  static llvm::StringRef fileName(llvm::StringRef path) { return path.substr(path.rfind('/') + 1); }

  void writeHeading() {
    os << "<header>\n<h1>" << htmlText(fileName(report.model)) << "</h1>\n<p class=\"muted\">";
    if (report.isFloat)
      os << "float program";
    else
      os << "W" << report.weightBits << "A" << report.activationBits
         << (report.islands.empty() ? ", integer-only" : ", with layers in float");
    int64_t macs = 0;
    for (const LayerReport *row : rows)
      macs += row->macs;
    os << " &middot; " << report.layers.size() << " layers &middot; " << countText(static_cast<double>(macs))
       << " multiply-accumulates a sample";
    if (std::string methods = methodsText(report); !methods.empty())
      os << " (" << htmlText(methods) << ")";
    os << " &middot; target " << htmlText(report.target) << "</p>\n</header>\n";
  }

  void writeNotes() {
    for (const std::string &note : notesOf(report))
      os << "<p class=\"note\">" << htmlText(note) << "</p>\n";
  }

  void tableRow(llvm::StringRef name, llvm::StringRef value) {
    os << "<tr><th scope=\"row\">" << name << "</th>" << cell(value) << "</tr>\n";
  }

  //===--- Boxes ---------------------------------------------------------===//

  void writeAccuracy() {
    for (const OutputReport &output : report.outputs) {
      os << "<section class=\"box\">\n<h2>Accuracy of " << idText(output.name) << "</h2>\n<strong>"
         << decibelsWithError(output.agreement, "&plusmn;") << " dB</strong>\n<table>\n";
      if (output.topOne) {
        auto [low, high] = output.topOne->interval();
        std::string agreement = llvm::formatv("{0:F1}%", 100 * output.topOne->value()).str();
        if (double error = output.topOne->standardError(); error > 0)
          agreement += llvm::formatv(" &plusmn; {0:F1}%", 100 * error).str();
        tableRow("top-1 agreement with float", agreement);
        tableRow("95% interval", llvm::formatv("{0:F1}% to {1:F1}%", 100 * low, 100 * high).str());
        tableRow("decisions that agree",
                 llvm::formatv("{0} of {1}", output.topOne->successes, output.topOne->trials).str());
      }
      tableRow("cosine", llvm::formatv("{0:F6}", output.agreement.cosine()).str());
      if (std::optional<size_t> worst = output.agreement.worstSample())
        tableRow(
            "worst sample",
            llvm::formatv("no. {0}: {1} dB", report.heldBack[*worst], decibels(output.agreement.sqnrOf(*worst))).str());
      tableRow("held-back samples", std::to_string(report.heldBackSamples));
      os << "</table>\n</section>\n";
    }
  }

  void writeSizes() {
    const ProgramSizes &program = report.isFloat ? report.floatSizes : report.integerSizes;
    os << "<section class=\"box\">\n<h2>Size</h2>\n<strong>"
       << bytesText(report.outputBytes ? report.outputBytes : program.constants + program.code.value_or(0))
       << "</strong>\n<table>\n";
    auto part = [&](llvm::StringRef name, std::optional<int64_t> bytes, std::optional<int64_t> inFloat) {
      if (!bytes)
        return;
      std::string value = bytesText(*bytes);
      if (!report.isFloat && inFloat)
        value += " <span class=\"muted\">(float " + bytesText(*inFloat) + ")</span>";
      tableRow(name, value);
    };
    part("weights and other constants", program.constants, report.floatSizes.constants);
    part("code", program.code, report.floatSizes.code);
    part("workspace of one sample", program.workspace, report.floatSizes.workspace);
    part("of it in use at one moment at most", program.liveSet, report.floatSizes.liveSet);
    os << "</table>\n</section>\n";
  }

  const ProgramTimes *times() const {
    if (!report.times)
      return nullptr;
    const auto &chosen = report.isFloat ? report.times->floating : report.times->integer;
    return chosen ? &*chosen : nullptr;
  }

  void writeTimes() {
    const ProgramTimes *measured = times();
    if (!measured)
      return;
    os << "<section class=\"box\">\n<h2>Time of one sample, one thread</h2>\n<strong>" << timeText(measured->total)
       << "</strong>\n<table>\n";
    if (!report.isFloat && report.times->floating) {
      tableRow("float program", timeText(report.times->floating->total));
      tableRow("speed over float",
               llvm::formatv("{0:F2} times", report.times->floating->total / measured->total).str());
    }
    tableRow("with a clock around every kernel", timeText(measured->instrumented));
    tableRow("in kernels", timeText(measured->kernels));
    tableRow("in kernels of no layer", timeText(measured->other));
    tableRow("median of", std::to_string(measured->runs) + " runs");
    if (report.tuning)
      tableRow("tuned for " + report.tuning->cpu,
               timeText(report.tuning->before) + " before, " + timeText(report.tuning->after) + " after");
    tableRow("sample", report.times->sample ? "no. " + std::to_string(*report.times->sample) : "zeros");
    os << "</table>\n</section>\n";
  }

  //===--- Sections ------------------------------------------------------===//

  void writeAdvice() {
    if (report.advice.empty())
      return;
    os << "<section>\n<h2>What adds most to the error, and what to try</h2>\n<ol class=\"advice\">\n";
    for (const Advice &advice : report.advice) {
      os << "<li>" << idText(advice.id) << " adds " << percentText(advice.share) << ": " << htmlText(advice.cause)
         << ".<br>Try " << htmlText(advice.remedy);
      if (!advice.plan.empty())
        os << ". In a plan:<pre>" << htmlText(advice.plan) << "</pre>";
      os << "</li>\n";
    }
    os << "</ol>\n</section>\n";
  }

  /// The largest of a column, for its bars.
  template <typename Get> double largest(Get get) const {
    double result = 0;
    for (auto [i, row] : llvm::enumerate(rows))
      result = std::max(result, get(i));
    return result > 0 ? result : 1;
  }

  int64_t bytesOf(const LayerReport &row) const { return row.bytes.value_or(row.floatBytes); }
  double errorOf(size_t i) const { return rows[i]->agreement ? rows[i]->agreement->relativeError().value_or(0) : 0; }
  double shareOf(size_t i) const { return rows[i]->own ? rows[i]->own->share : 0; }
  static double timeOf(const std::optional<ProgramTimes> &program, size_t i) {
    return program ? program->layers[i].value_or(0) / program->kernels : 0;
  }

  bool hasErrors() const {
    return llvm::any_of(rows, [](const LayerReport *row) { return row->agreement.has_value(); });
  }
  bool hasOwn() const {
    return llvm::any_of(rows, [](const LayerReport *row) { return row->own.has_value(); });
  }

  void writeSearch() {
    if (!report.search)
      return;
    os << "<section>\n<h2>The search for bits</h2>\n<ul>\n";
    for (const std::string &line : searchLines(*report.search))
      os << "<li>" << htmlText(line) << "</li>\n";
    os << "</ul>\n<div class=\"scroll\"><table>\n<thead><tr><th scope=\"col\">Layers</th><th "
          "scope=\"col\">Remark</th></tr></thead>\n<tbody>\n";
    for (const ChoiceReport &choice : report.search->choices) {
      os << "<tr><th scope=\"row\">";
      for (const std::string &id : choice.layers)
        os << (id == choice.layers.front() ? "" : "<br>") << idText(id);
      os << "</th><td>" << htmlText(remarkText(*report.search, choice)) << "</td></tr>\n";
    }
    os << "</tbody>\n</table></div>\n</section>\n";
  }

  void writeAttribution() {
    if (!report.attribution)
      return;
    os << "<section>\n<h2>What decisions cost</h2>\n<ul>\n";
    for (const std::string &line : attributionLines(*report.attribution))
      os << "<li>" << htmlText(line) << "</li>\n";
    os << "</ul>\n<div class=\"scroll\"><table>\n<thead><tr>";
    for (const char *heading : {"Layers", "Decision", "Alone", "Instead", "Less", "Then", "Override"})
      os << "<th scope=\"col\">" << heading << "</th>";
    os << "</tr></thead>\n<tbody>\n";
    for (const AttributedCost &cost : report.attribution->costs) {
      os << "<tr><th scope=\"row\">";
      for (const std::string &id : cost.ids)
        os << (id == cost.ids.front() ? "" : "<br>") << idText(id);
      os << "</th>";
      for (const std::string &text : {decisionText(cost), numberText(cost.alone), insteadText(cost),
                                      cost.measured ? percentText(cost.share) : std::string(),
                                      cost.measured ? measuredText(*cost.measured) : std::string(),
                                      cost.overridden ? std::to_string(*cost.overridden) + " bits" : std::string()})
        os << "<td>" << htmlText(text) << "</td>";
      os << "</tr>\n";
    }
    os << "</tbody>\n</table></div>\n</section>\n";
  }

  void writeNetwork() {
    os << "<section>\n<h2>The network</h2>\n<div class=\"scroll\"><table>\n<caption>";
    if (hasErrors())
      os << "<span class=\"legend error\"></span> error against float on held-back samples, with all layers before it, "
            "and "
            "what the layer adds itself &ensp; ";
    os << "<span class=\"legend size\"></span> constants";
    if (times())
      os << " &ensp; <span class=\"legend time\"></span> time";
    os << "</caption>\n<thead><tr><th scope=\"col\">Layer</th><th scope=\"col\">Operation</th><th "
          "scope=\"col\">Shape</th>";
    if (!report.isFloat)
      os << "<th scope=\"col\">Bits</th><th scope=\"col\">Range</th><th scope=\"col\">Scale</th>";
    heading("MACs");
    if (hasErrors())
      heading("Error");
    if (hasOwn())
      heading("Adds");
    heading("Bytes");
    if (times())
      heading("Time");
    if (hasLimits())
      heading("Of limit");
    if (times() && !report.isFloat)
      heading("Float time");
    os << "</tr></thead>\n<tbody>\n";
    for (size_t i = 0; i < rows.size(); ++i)
      writeRow(i);
    os << "</tbody>\n</table></div>\n</section>\n";
  }

  void writeRow(size_t i) {
    const LayerReport &row = *rows[i];
    bool isMarked = llvm::any_of(report.advice, [&](const Advice &advice) { return advice.id == row.id; });
    os << "<tr><th scope=\"row\"" << (isMarked ? " class=\"mark\"" : "") << ">" << idText(row.id) << "</th><td>"
       << htmlText(row.op) << "</td><td class=\"nowrap\">" << shapeText(row) << "</td>";
    if (!report.isFloat)
      writeStorage(row);
    os << cell(row.macs ? countText(static_cast<double>(row.macs)) : "");
    if (hasErrors())
      os << barCell(row.agreement ? errorText(*row.agreement) : "", errorOf(i) / largestError, "error");
    if (hasOwn())
      os << barCell(row.own ? aside(decibelsText(row.own->agreement)) + percentText(row.own->share) : "",
                    shareOf(i) / largestShare, "error");
    os << barCell(bytesOf(row) ? bytesText(bytesOf(row)) : "", static_cast<double>(bytesOf(row)) / largestBytes,
                  "size");
    if (times())
      writeRowTimes(i);
    os << "</tr>\n";
  }

  static std::string decibelsText(const Agreement &agreement) {
    return std::isfinite(agreement.sqnr()) ? decibels(agreement.sqnr()) + " dB" : decibels(agreement.sqnr());
  }
  static std::string aside(llvm::StringRef html) { return ("<span class=\"aside\">" + html + "</span> ").str(); }
  static std::string errorText(const Agreement &agreement) {
    std::optional<double> error = agreement.relativeError();
    return aside(decibelsText(agreement)) + (error ? percentText(*error) : "");
  }
  void heading(llvm::StringRef name) { os << "<th scope=\"col\" class=\"number\">" << name << "</th>"; }

  void writeStorage(const LayerReport &row) {
    os << "<td class=\"nowrap\">" << widthsText(row) << "</td><td class=\"nowrap\">";
    if (row.stored && !row.stored->isAccumulator())
      os << numberText(row.stored->low) << " to " << numberText(row.stored->high);
    else if (row.chosen)
      os << "<span class=\"muted\">" << numberText(row.chosen->first) << " to " << numberText(row.chosen->second)
         << "</span>";
    os << "</td><td class=\"nowrap\">";
    if (row.stored)
      os << (row.stored->numScales > 1 ? "per channel" : numberText(row.stored->scaleMin));
    os << "</td>";
  }

  /// Where the dot instructions' own limit is known of some layer.
  bool hasLimits() const {
    return times() && llvm::any_of(times()->limits, [](const std::optional<double> &limit) { return limit; });
  }
  void writeRowTimes(size_t i) {
    const ProgramTimes &measured = *times();
    if (measured.layers[i])
      os << barCell(aside(timeText(*measured.layers[i])) + percentText(*measured.layers[i] / measured.kernels),
                    *measured.layers[i] / measured.kernels / largestTime, "time");
    else if (!report.times->countedWith[i].empty())
      os << "<td class=\"muted\">in " << idText(report.times->countedWith[i]) << "</td>";
    else
      os << cell("");
    if (hasLimits())
      os << cell(measured.ofLimit(i) ? percentText(*measured.ofLimit(i)) : "");
    if (!report.isFloat)
      os << cell(report.times->floating && report.times->floating->layers[i]
                     ? timeText(*report.times->floating->layers[i])
                     : "");
  }

  void writeIslands() {
    if (report.islands.empty())
      return;
    os << "<section>\n<h2>Float islands</h2>\n<div class=\"scroll\"><table>\n<thead><tr><th scope=\"col\">Layer</th>"
          "<th scope=\"col\">Operation</th><th scope=\"col\">Why it computes in float</th></tr></thead>\n<tbody>\n";
    for (const IslandReport &island : report.islands)
      os << "<tr><th scope=\"row\">" << idText(island.id) << "</th><td>" << htmlText(island.op) << "</td><td>"
         << htmlText(island.reason) << "</td></tr>\n";
    os << "</tbody>\n</table></div>\n</section>\n";
  }

  void writeValues() {
    auto hasHistogram = [](const LayerReport *row) { return row->histogram && row->chosen && row->observed; };
    if (!llvm::any_of(rows, hasHistogram))
      return;
    os << "<section>\n<h2>Values and their ranges</h2>\n<p class=\"muted\">What calibration saw of every value, as "
          "log(1 + "
          "count). Blue lines bound what can be stored; numbers in the shaded part are clipped to them. An accumulator "
          "has no such bounds: the lines are the range that calibration chose.</p>\n<div class=\"values\">\n";
    for (const LayerReport *row : rows)
      if (hasHistogram(row))
        writeValue(*row);
    os << "</div>\n</section>\n";
  }

  void writeValue(const LayerReport &row) {
    os << "<figure><figcaption>" << idText(row.id) << htmlText(row.op) << ", " << widthsText(row);
    if (row.stored)
      os << ", " << elementName(row.stored->type) << ", zero point " << row.stored->zeroPoint;
    os << "</figcaption>" << drawHistogram(row) << "<figcaption>numbers " << numberText(row.observed->first) << " to "
       << numberText(row.observed->second);
    if (row.own && row.stored && !row.stored->isAccumulator())
      os << "; " << row.own->clipped << " of " << row.own->elements << " held-back ones clipped";
    os << "</figcaption></figure>\n";
  }

  void writeMaking() {
    os << "<section>\n<h2>How it was made</h2>\n<div class=\"scroll\"><table>\n<tbody>\n";
    auto line = [&](llvm::StringRef name, llvm::StringRef value) {
      os << "<tr><th scope=\"row\">" << name << "</th><td>" << value << "</td></tr>\n";
    };
    line("model", idText(report.model));
    line("SHA-256 of its graph", "<code>" + report.modelSha + "</code>");
    line("written", idText(report.output));
    line("target", htmlText(report.target));
    if (!report.isFloat) {
      line("default bits",
           llvm::formatv("{0} of weights, {1} of activations", report.weightBits, report.activationBits).str());
      line("rounding", report.rounding == Rounding::HalfEven ? "half to even" : "half up");
      line("inputs and outputs", report.io == BoundaryMode::Integer ? "integers" : "float");
      line("calibration",
           llvm::formatv("{0}, {1} samples", htmlText(report.calibrationMethod), report.calibrationSamples).str());
      if (std::string rounding = weightRoundingText(report); !rounding.empty())
        line("weights", rounding);
    }
    line("made by", kProducer);
    os << "</tbody>\n</table></div>\n";
    if (hasOwn())
      os << "<p class=\"muted\">SQNR is 10 log10 of signal over noise, the float program's numbers being the signal. "
            "\"Own\" compares the float layer on the integer program's own inputs with the integer layer; \"adds\" is "
            "its "
            "part of the sum of these relative noises. &plusmn; is one standard error.</p>\n";
    os << "</section>\n";
  }

  const Report &report;
  std::vector<const LayerReport *> rows;
  std::string page;
  llvm::raw_string_ostream os;
  double largestError = largest([&](size_t i) { return errorOf(i); });
  double largestShare = largest([&](size_t i) { return shareOf(i); });
  double largestBytes = largest([&](size_t i) { return static_cast<double>(bytesOf(*rows[i])); });
  double largestTime =
      largest([&](size_t i) { return times() ? times()->layers[i].value_or(0) / times()->kernels : 0; });
};
} // namespace

std::string toHtml(const Report &report) { return HtmlReport(report).write(); }

} // namespace dyadic
