// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a report's text and page write numbers: the same way.

#ifndef DYADIC_LIB_PIPELINES_REPORTFORMAT_H
#define DYADIC_LIB_PIPELINES_REPORTFORMAT_H

#include "dyadic/Pipelines/Report.h"

namespace dyadic {

/// `exact`, `-inf` or one decimal.
std::string decibels(double sqnr);
/// `39.3`, with ` ± 0.4` where there is a standard error.
std::string decibelsWithError(const Agreement &agreement, llvm::StringRef plusMinus);
/// Three digits and a unit from 10,000 on: 9216, 590k, 1.38M.
std::string countText(double count);
/// 6912 B, 29.4 KB, 4.9 MB.
std::string bytesText(int64_t bytes);
/// 12.3%, <0.1%, 0%.
std::string percentText(double part);
/// 0.52 us, 148 us, 12.3 ms.
std::string timeText(double microseconds);
/// Four significant digits.
std::string numberText(double number);
/// `16x8x8`; `scalar`.
std::string shapeText(const LayerReport &row);
/// `w8 a8`, `w8 acc`, `float`, `-`.
std::string widthsText(const LayerReport &row);
/// `100.0% (38 of 38; 95% interval 90.8% to 100.0%)`.
std::string topOneText(const Proportion &topOne);
/// `98.1% maddubs, 1.9% loops`: the parts of all multiply-accumulates that are computed alike; empty where that is not
/// known.
std::string methodsText(const Report &report);
/// `fitted to 78 samples, 66 layers by GPTQ: 24.6 dB on held-back samples, to nearest 9.7 dB`; empty where weights were
/// rounded to nearest and nothing else was tried.
std::string weightRoundingText(const Report &report);
/// What the search for bits did, in a few lines.
std::vector<std::string> searchLines(const SearchReport &search);
/// Why a group has its bits: `w4a8, 3.2% of the perturbation; better w5a8: ...; cheaper w3a8: ...`.
std::string remarkText(const SearchReport &search, const ChoiceReport &choice);
/// What the plan as it is, and with overrides, measures.
std::vector<std::string> attributionLines(const AttributionReport &attribution);
/// What was undone: `weights of 4 bits`, `value of 8 bits`, and what came in its place: `8 bits`, `float`.
std::string decisionText(const AttributedCost &cost);
std::string insteadText(const AttributedCost &cost);
/// `KL divergence 0.012, SQNR 21.3 dB, top-1 agreement 93.2%`.
std::string measuredText(const MeasuredPlan &plan);
/// Warnings and notes that both show.
std::vector<std::string> notesOf(const Report &report);

} // namespace dyadic

#endif // DYADIC_LIB_PIPELINES_REPORTFORMAT_H
