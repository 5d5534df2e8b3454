// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Pipelines/CommandLine.h"
#include "dyadic/Support/Error.h"
#include "dyadic/Support/Version.h"
#include "llvm/Support/raw_ostream.h"
#include <cstdio>
#include <unistd.h>

namespace dyadic {

ForeignOptionsRemoved::ForeignOptionsRemoved() {
  llvm::SmallVector<llvm::cl::Option *> foreign;
  for (auto &entry : llvm::cl::getRegisteredOptions())
    if (!entry.second->Subs.contains(&llvm::cl::SubCommand::getAll())) // --help and --version
      foreign.push_back(entry.second);
  for (llvm::cl::Option *option : foreign)
    option->removeArgument();
}

static std::string dashed(const llvm::cl::Option &option) {
  return (option.ArgStr.size() > 1 ? "--" : "-") + option.ArgStr.str();
}

/// What `action` writes to the standard error: LLVM's options print there on their own.
static std::string capturedErrors(llvm::function_ref<void()> action) {
  std::FILE *file = std::tmpfile();
  int saved = file ? dup(STDERR_FILENO) : -1;
  if (saved < 0) {
    action();
    return "";
  }
  llvm::errs().flush();
  dup2(fileno(file), STDERR_FILENO);
  action();
  llvm::errs().flush();
  dup2(saved, STDERR_FILENO);
  close(saved);
  std::rewind(file);
  std::string text(4096, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file));
  std::fclose(file);
  return text;
}

/// What LLVM's parser lets pass: an empty value, and an option of one value given twice.
static llvm::Error checkValues(llvm::ArrayRef<char *> arguments) {
  auto &options = llvm::cl::getRegisteredOptions();
  const llvm::cl::Option *waiting = nullptr; // for the argument after it
  for (llvm::StringRef argument : arguments) {
    if (argument == "--")
      break;
    auto [option, value] = argument.split('=');
    bool isOption = argument.size() > 1 && argument.starts_with("-") && !waiting;
    if ((isOption && argument.ends_with("=") && value.empty()) || (waiting && argument.empty()))
      return makeError((waiting ? dashed(*waiting) : escaped(option)) + ": no value, expected one");
    auto found = isOption && !argument.contains('=') ? options.find(option.ltrim('-')) : options.end();
    bool takesNext = found != options.end() && found->second->getValueExpectedFlag() == llvm::cl::ValueRequired;
    waiting = takesNext ? found->second : nullptr;
  }
  for (auto &entry : options) {
    const llvm::cl::Option &option = *entry.second;
    if (option.getNumOccurrencesFlag() == llvm::cl::Optional && option.getNumOccurrences() > 1 &&
        option.getValueExpectedFlag() == llvm::cl::ValueRequired)
      return makeError(dashed(option) + ": given " + llvm::Twine(option.getNumOccurrences()) + " times, expected once");
  }
  return llvm::Error::success();
}

bool parseCommandLine(int argc, char **argv, llvm::cl::OptionCategory &category, llvm::StringRef overview) {
  llvm::cl::HideUnrelatedOptions(category);
  llvm::cl::SetVersionPrinter([](llvm::raw_ostream &os) { os << kProducer << "\n"; });
  bool parsed = false;
  std::string text, direct;
  llvm::raw_string_ostream stream(text);
  direct = capturedErrors([&] { parsed = llvm::cl::ParseCommandLineOptions(argc, argv, overview, &stream); });
  if (parsed) {
    llvm::Error error = checkValues({argv + 1, static_cast<size_t>(argc - 1)});
    bool isGood = !error;
    if (error)
      reportError(std::move(error));
    return isGood;
  }
  // `PROGRAM: message`, or `PROGRAM: for the --x option: message`; the first line says what is wrong.
  llvm::StringRef message = llvm::StringRef(direct.empty() ? text : direct).split('\n').first.split("  Try: ").first;
  llvm::StringRef program = llvm::StringRef(argv[0]);
  if (!message.consume_front(program))
    message.consume_front(program.rsplit('/').second);
  message.consume_front(": ");
  message.consume_front("for the ");
  llvm::errs() << "error: " << printable(message) << "\n";
  return false;
}

int reportError(llvm::Error error) {
  llvm::errs() << "error: " << llvm::toString(std::move(error)) << "\n";
  return 1;
}

int finish(llvm::Error error) {
  llvm::outs().flush();
  std::error_code code = llvm::outs().error();
  llvm::outs().clear_error(); // LLVM ends the process with a message of its own where one is left
  if (error || !code)
    return error ? reportError(std::move(error)) : 0;
  return reportError(makeError("standard output: cannot be written: " + code.message()));
}

} // namespace dyadic
