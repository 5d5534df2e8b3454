// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The report on a terminal.

#include "ReportFormat.h"
#include "dyadic/Support/Error.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

namespace dyadic {
namespace {

constexpr size_t kWidth = 100;

/// Aligned columns; one that is empty in every row is left out, and the first gives way to the page's width.
class TextTable {
public:
  explicit TextTable(bool colours) : colours(colours) {}

  void add(std::vector<std::string> cells, bool isMarked = false) {
    rows.push_back(std::move(cells));
    marked.push_back(isMarked);
  }

  void print(llvm::raw_ostream &os) {
    std::vector<size_t> widths(rows[0].size(), 0);
    for (size_t row = 1; row < rows.size(); ++row) // the heading alone makes no column
      for (auto [width, cell] : llvm::zip(widths, rows[row]))
        width = std::max(width, cell.size());
    size_t total = 0;
    for (auto [column, width] : llvm::enumerate(widths))
      if (width > 0) {
        width = std::max(width, rows[0][column].size());
        total += width + (column ? 2 : 0);
      }
    if (total > kWidth)
      widths[0] -= std::min(widths[0] - 12, total - kWidth);
    for (size_t row = 0; row < rows.size(); ++row)
      os << paint(line(rows[row], widths), row == 0 ? "\x1b[1m" : marked[row] ? "\x1b[33m" : "") << "\n";
  }

private:
  static constexpr size_t kLeftColumns = 4;

  static std::string line(const std::vector<std::string> &cells, const std::vector<size_t> &widths) {
    std::string text;
    llvm::raw_string_ostream os(text);
    for (auto [column, cell] : llvm::enumerate(cells)) {
      if (widths[column] == 0)
        continue;
      // A long id loses its front: the end tells layers apart.
      std::string shown =
          cell.size() > widths[column] ? ".." + llvm::StringRef(cell).take_back(widths[column] - 2).str() : cell;
      os << (column ? "  " : "");
      if (column < kLeftColumns)
        os << llvm::left_justify(shown, widths[column]);
      else
        os << llvm::right_justify(shown, widths[column]);
    }
    return llvm::StringRef(text).rtrim(' ').str();
  }

  std::string paint(std::string text, llvm::StringRef code) const {
    return colours && !code.empty() ? code.str() + text + "\x1b[0m" : text;
  }

  bool colours;
  std::vector<std::vector<std::string>> rows;
  std::vector<bool> marked;
};

class TextReport {
public:
  TextReport(const Report &report, bool colours) : report(report), colours(colours), os(text) {}

  std::string write() {
    writeTable();
    os << "\n";
    writeAccuracy();
    for (const IslandReport &island : report.islands)
      os << "float island: " << island.op << " '" << escaped(island.id)
         << "' is computed in float: " << escaped(island.reason) << "\n";
    writeAdvice();
    if (report.search)
      os << toText(*report.search);
    if (report.attribution)
      os << toText(*report.attribution);
    writeSizes();
    writeTuning();
    writeTimes();
    for (const std::string &note : notesOf(report))
      os << "note: " << note << "\n";
    if (report.outputBytes)
      os << "wrote " << escaped(report.output) << " (" << bytesText(report.outputBytes) << ")\n";
    return std::move(text);
  }

private:
  const ProgramTimes *times() const {
    if (!report.times)
      return nullptr;
    const auto &chosen = report.isFloat ? report.times->floating : report.times->integer;
    return chosen ? &*chosen : nullptr;
  }

  void writeTable() {
    TextTable table(colours);
    table.add({"layer", "op", "shape", "bits", "MACs", "bytes", "SQNR dB", "own dB", "adds", "time", "of limit"});
    int64_t macs = 0;
    std::vector<const LayerReport *> rows = report.rows();
    for (size_t i = 0; i < rows.size(); ++i) {
      const LayerReport *row = rows[i];
      macs += row->macs;
      bool isWorst = llvm::any_of(report.advice, [&](const Advice &advice) { return advice.id == row->id; });
      int64_t bytes = row->bytes.value_or(row->floatBytes);
      std::string time, ofLimit;
      if (const ProgramTimes *measured = times()) {
        time = measured->layers[i] ? percentText(*measured->layers[i] / measured->kernels) : "-";
        if (std::optional<double> part = measured->ofLimit(i))
          ofLimit = percentText(*part);
      }
      table.add({escaped(row->id), row->op, shapeText(*row), report.isFloat ? "" : widthsText(*row),
                 row->macs ? countText(static_cast<double>(row->macs)) : "-",
                 bytes ? countText(static_cast<double>(bytes)) : "-",
                 row->agreement ? decibels(row->agreement->sqnr()) : "",
                 row->own ? decibels(row->own->agreement.sqnr()) : "", row->own ? percentText(row->own->share) : "",
                 time, ofLimit},
                isWorst);
    }
    int64_t bytes = (report.isFloat ? report.floatSizes : report.integerSizes).constants;
    table.add({"total", "", "", "", countText(static_cast<double>(macs)), countText(static_cast<double>(bytes))});
    table.print(os);
  }

  void writeAccuracy() {
    if (!report.outputs.empty())
      os << "against float, on " << report.heldBackSamples << " held-back samples:\n";
    for (const OutputReport &output : report.outputs) {
      os << "  output '" << escaped(output.name) << "': SQNR " << decibelsWithError(output.agreement, "+-")
         << " dB, cosine " << llvm::formatv("{0:F6}", output.agreement.cosine());
      if (std::optional<size_t> worst = output.agreement.worstSample())
        os << "; worst: sample " << report.heldBack[*worst] << ", " << decibels(output.agreement.sqnrOf(*worst))
           << " dB";
      os << "\n";
      if (output.topOne)
        os << "  output '" << escaped(output.name) << "': top-1 agreement " << topOneText(*output.topOne) << "\n";
    }
  }

  void writeAdvice() {
    if (report.advice.empty())
      return;
    os << "what adds most to the error, and what to try:\n";
    for (const Advice &advice : report.advice) {
      os << "  " << escaped(advice.id) << " adds " << percentText(advice.share) << ": " << advice.cause << "\n    try "
         << advice.remedy << "\n";
      if (!advice.plan.empty() && escaped(advice.id) == printable(advice.id))
        os << "    in a plan: " << advice.plan << "\n";
      else if (!advice.plan.empty())
        os << "    its name is long: a report in JSON has the entry for a plan\n";
    }
  }

  void writeSizes() {
    const ProgramSizes &program = report.isFloat ? report.floatSizes : report.integerSizes;
    auto part = [&](llvm::StringRef name, std::optional<int64_t> bytes, std::optional<int64_t> floatBytes) {
      if (!bytes)
        return std::string();
      std::string text = (name + " " + bytesText(*bytes)).str();
      if (!report.isFloat && floatBytes)
        text += " (float " + bytesText(*floatBytes) + ")";
      return text;
    };
    if (std::string rounding = weightRoundingText(report); !rounding.empty())
      os << "weights: " << rounding << "\n";
    os << "size: " << part("constants", program.constants, report.floatSizes.constants);
    for (const std::string &text : {part("code", program.code, report.floatSizes.code),
                                    part("workspace", program.workspace, report.floatSizes.workspace),
                                    part("of it live at most", program.liveSet, report.floatSizes.liveSet)})
      if (!text.empty())
        os << ", " << text;
    os << "\n";
    if (std::string methods = methodsText(report); !methods.empty())
      os << "multiply-accumulates: " << methods << "\n";
  }

  void writeTimes() {
    const ProgramTimes *measured = times();
    if (!measured)
      return;
    os << "time: " << timeText(measured->total);
    if (!report.isFloat && report.times->floating)
      os << " (float " << timeText(report.times->floating->total) << ")";
    os << ", one sample, one thread, median of " << measured->runs << " runs; with a clock around every kernel "
       << timeText(measured->instrumented) << "\n";
    double limits = 0, times = 0;
    for (size_t i = 0; i < measured->limits.size(); ++i)
      if (measured->ofLimit(i)) {
        limits += *measured->limits[i];
        times += *measured->layers[i];
      }
    if (times > 0)
      os << "speed: layers with dot instructions reach " << percentText(limits / times)
         << " of what these alone allow on this machine\n";
  }

  void writeTuning() {
    if (!report.tuning)
      return;
    const TuneReport &tuning = *report.tuning;
    os << "tuned for " << tuning.cpu << ": ";
    if (tuning.layers.empty()) {
      os << timeText(tuning.before) << ", nothing that was tried is faster\n";
      return;
    }
    auto floats = llvm::count_if(tuning.layers, [](const TunedLayer &layer) { return layer.isFloat; });
    os << timeText(tuning.before) << " became " << timeText(tuning.after) << " by other schedules of "
       << tuning.layers.size() - floats << " layers";
    if (floats > 0)
      os << ", and float for " << floats;
    os << "\n";
  }

  const Report &report;
  bool colours;
  std::string text;
  llvm::raw_string_ostream os;
};

} // namespace

std::string toText(const Report &report, bool colours) { return TextReport(report, colours).write(); }

} // namespace dyadic
