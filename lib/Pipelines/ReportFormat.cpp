// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ReportFormat.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>
#include <map>

namespace dyadic {

std::vector<const LayerReport *> Report::rows() const {
  std::vector<const LayerReport *> all;
  for (const std::vector<LayerReport> *list : {&inputs, &layers})
    for (const LayerReport &row : *list)
      all.push_back(&row);
  return all;
}

std::string decibels(double sqnr) {
  if (std::isnan(sqnr))
    return "nan";
  return std::isinf(sqnr) ? (sqnr > 0 ? "exact" : "-inf") : llvm::formatv("{0:F1}", sqnr).str();
}

std::string decibelsWithError(const Agreement &agreement, llvm::StringRef plusMinus) {
  std::string text = decibels(agreement.sqnr());
  if (std::optional<double> error = agreement.sqnrStandardError())
    text += llvm::formatv(" {0} {1:F1}", plusMinus, *error).str();
  return text;
}

/// Three significant digits of a number of at least 1.
static std::string threeDigits(double number) {
  return llvm::formatv(number < 9.995 ? "{0:F2}" : number < 99.95 ? "{0:F1}" : "{0:F0}", number).str();
}

std::string countText(double count) {
  for (auto [unit, size] : {std::pair("G", 1e9), std::pair("M", 1e6), std::pair("k", 1e3)})
    if (count >= size * 0.9995 && count >= 10000)
      return threeDigits(count / size) + unit;
  return llvm::formatv("{0:F0}", count).str();
}

std::string bytesText(int64_t bytes) {
  auto number = static_cast<double>(bytes);
  if (bytes < 10000)
    return llvm::formatv("{0} B", bytes).str();
  return number < 1e6 ? llvm::formatv("{0:F1} KB", number / 1e3).str() : llvm::formatv("{0:F2} MB", number / 1e6).str();
}

std::string percentText(double part) {
  if (part > 0 && part < 0.0005)
    return "<0.1%";
  return llvm::formatv("{0:F1}%", 100 * part).str();
}

std::string timeText(double microseconds) {
  return microseconds < 9995
             ? (microseconds < 1 ? llvm::formatv("{0:F2}", microseconds).str() : threeDigits(microseconds)) + " us"
             : threeDigits(microseconds / 1000) + " ms";
}

std::string numberText(double number) {
  return number == 0 ? "0" : llvm::formatv("{0}", llvm::format("%.4g", number)).str();
}

std::string shapeText(const LayerReport &row) {
  std::string text;
  for (int64_t size : row.shape)
    text += (text.empty() ? "" : "x") + std::to_string(size);
  return text.empty() ? "scalar" : text;
}

std::string widthsText(const LayerReport &row) {
  if (row.isFloat)
    return "float";
  std::string text = row.weightBits ? "w" + std::to_string(*row.weightBits) : "";
  if (row.operandBits)
    text += "x" + std::to_string(*row.operandBits);
  if (row.stored)
    text += (text.empty() ? "" : " ") + (row.stored->isAccumulator() ? "acc" : "a" + std::to_string(row.stored->bits));
  return text.empty() ? "-" : text;
}

std::string topOneText(const Proportion &topOne) {
  auto [low, high] = topOne.interval();
  return llvm::formatv("{0:F1}% ({1} of {2}; 95% interval {3:F1}% to {4:F1}%)", 100 * topOne.value(), topOne.successes,
                       topOne.trials, 100 * low, 100 * high)
      .str();
}

std::string methodsText(const Report &report) {
  std::map<std::string, int64_t> macs;
  int64_t total = 0;
  for (const LayerReport &layer : report.layers) {
    if (layer.method.empty())
      continue;
    macs[layer.method] += layer.macs;
    total += layer.macs;
  }
  std::vector<std::pair<int64_t, std::string>> parts;
  for (const auto &[method, count] : macs)
    parts.emplace_back(-count, method);
  llvm::sort(parts);
  auto text = [&](const std::pair<int64_t, std::string> &part) {
    return percentText(static_cast<double>(-part.first) / static_cast<double>(total)) + " " + part.second;
  };
  return llvm::join(llvm::map_range(parts, text), ", ");
}

std::string weightRoundingText(const Report &report) {
  const RoundingReport &rounding = report.weightRounding;
  auto error = [](double error) { return decibels(error == 0 ? INFINITY : -10 * std::log10(error)) + " dB"; };
  if (rounding.isNearest && !rounding.fittedError)
    return "";
  if (rounding.isNearest)
    return "to nearest: " + error(*rounding.nearestError) + " on held-back samples, fitted " +
           error(*rounding.fittedError);
  std::string text = "fitted to " + std::to_string(rounding.samples) + " samples";
  auto layers = [&](size_t count, llvm::StringRef how) {
    if (count > 0)
      text += (", " + llvm::Twine(count) + (count == 1 ? " layer by " : " layers by ") + how).str();
  };
  layers(rounding.fittedLayers, "GPTQ");
  layers(rounding.correctedLayers, "bias correction");
  if (rounding.equalizedValues > 0)
    text += ", " + std::to_string(rounding.equalizedValues) + " values equalized";
  if (rounding.fittedError)
    text += ": " + error(*rounding.fittedError) + " on held-back samples, to nearest " + error(*rounding.nearestError);
  return text;
}

std::vector<std::string> notesOf(const Report &report) {
  std::vector<std::string> notes;
  if (!report.isFloat && report.heldBackSamples == 0)
    notes.push_back("no held-back samples: without calibration inputs there is nothing to compare on");
  else if (!report.isFloat && report.heldBackSamples < 10)
    notes.push_back(llvm::formatv("{0} held-back samples: at least 10 are needed to trust what is measured on them",
                                  report.heldBackSamples)
                        .str());
  if (!report.timesNote.empty())
    notes.push_back(report.timesNote);
  return notes;
}

} // namespace dyadic
