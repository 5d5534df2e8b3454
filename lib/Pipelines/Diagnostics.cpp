// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Pipelines/Diagnostics.h"
#include "dyadic/Support/Error.h"
#include "mlir/IR/Location.h"

using namespace mlir;

namespace dyadic {

/// The ONNX name behind a location, or line and column of a text.
static std::string nodeOf(Location location) {
  if (auto name = dyn_cast<NameLoc>(location))
    return escaped(name.getName());
  if (auto fused = dyn_cast<FusedLoc>(location))
    for (Location inner : fused.getLocations())
      if (std::string node = nodeOf(inner); !node.empty())
        return node;
  if (auto file = dyn_cast<FileLineColLoc>(location))
    return std::to_string(file.getLine()) + ":" + std::to_string(file.getColumn());
  return "";
}

DiagnosticCollector::DiagnosticCollector(MLIRContext *context)
    : handler(context, [this](Diagnostic &diagnostic) {
        if (diagnostic.getSeverity() != DiagnosticSeverity::Error)
          return;
        std::string node = nodeOf(diagnostic.getLocation());
        messages.push_back((node.empty() ? "" : node + ": ") + printable(diagnostic.str()));
      }) {}

llvm::Error DiagnosticCollector::takeError(llvm::StringRef file, llvm::StringRef fallback) {
  std::vector<std::string> taken;
  taken.swap(messages);
  if (taken.empty())
    return fileError(file, fallback);
  if (taken.size() == 1)
    return fileError(file, taken[0]);
  return listError(file, llvm::Twine(taken.size()) + " errors", taken);
}

} // namespace dyadic
