// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The page's drawings, and how text gets into HTML.

#ifndef DYADIC_LIB_PIPELINES_REPORTHISTOGRAM_H
#define DYADIC_LIB_PIPELINES_REPORTHISTOGRAM_H

#include "dyadic/Pipelines/Report.h"

namespace dyadic {

/// `raw` escaped as in messages, with no character left that has a meaning in HTML, in or outside of attributes.
std::string htmlText(llvm::StringRef raw);
/// The histogram of a value as SVG with its ends below. The row has a histogram, an observed and a chosen range.
std::string drawHistogram(const LayerReport &row);

} // namespace dyadic

#endif // DYADIC_LIB_PIPELINES_REPORTHISTOGRAM_H
