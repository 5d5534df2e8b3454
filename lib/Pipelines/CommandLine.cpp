// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Pipelines/CommandLine.h"
#include "dyadic/Support/Error.h"
#include "dyadic/Support/Version.h"
#include "llvm/Support/raw_ostream.h"

namespace dyadic {

bool parseCommandLine(int argc, char **argv, llvm::cl::OptionCategory &category, llvm::StringRef overview) {
  llvm::cl::HideUnrelatedOptions(category);
  llvm::cl::SetVersionPrinter([](llvm::raw_ostream &os) { os << kProducer << "\n"; });
  std::string text;
  llvm::raw_string_ostream stream(text);
  if (llvm::cl::ParseCommandLineOptions(argc, argv, overview, &stream))
    return true;
  // `tool: message`, in several forms; the first line says what is wrong.
  llvm::StringRef message = llvm::StringRef(text).split('\n').first;
  llvm::StringRef program = llvm::StringRef(argv[0]).rsplit('/').second;
  if (program.empty())
    program = argv[0];
  for (llvm::StringRef prefix : {llvm::StringRef(argv[0]), program})
    if (message.consume_front(prefix))
      message.consume_front(": ");
  message.consume_front("for the ");
  llvm::errs() << "error: " << escaped(message.split("  Try: ").first) << "\n";
  return false;
}

int reportError(llvm::Error error) {
  llvm::errs() << "error: " << llvm::toString(std::move(error)) << "\n";
  return 1;
}

} // namespace dyadic
