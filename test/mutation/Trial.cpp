// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Trial.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Unicode.h"
#include "llvm/Support/raw_ostream.h"
#include <cerrno>
#include <csignal>
#include <cstring>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using llvm::StringRef;

namespace dyadic::mutation {

static constexpr unsigned kPatienceSeconds = 120; // on the clock, should a process sleep
static constexpr size_t kMostText = 1 << 20;

#if __has_feature(address_sanitizer)
static constexpr bool kLimitsAddresses = false; // it reserves terabytes
#else
static constexpr bool kLimitsAddresses = true;
#endif

static void setLimit(int resource, rlim_t value) {
  struct rlimit limit = {value, value};
  setrlimit(resource, &limit);
}

[[noreturn]] static void runChild(const Limits &limits, int output, llvm::function_ref<int()> body) {
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  close(output);
  setLimit(RLIMIT_CPU, limits.seconds);
  setLimit(RLIMIT_CORE, 0);
  if (kLimitsAddresses) // what goes over the limit is measured; this protects the machine
    setLimit(RLIMIT_AS, (rlim_t(limits.megabytes) << 22) + (rlim_t(4) << 30));
  alarm(kPatienceSeconds);
  int code = body();
  llvm::outs().flush();
  llvm::errs().flush();
  _exit(code);
}

static std::string readAll(int input) {
  std::string text;
  char buffer[4096];
  for (;;) {
    ssize_t size = read(input, buffer, sizeof(buffer));
    if (size < 0 && errno == EINTR)
      continue;
    if (size <= 0)
      return text;
    if (text.size() < kMostText)
      text.append(buffer, static_cast<size_t>(size));
  }
}

Trial runForked(const Limits &limits, llvm::function_ref<int()> body) {
  Trial trial;
  int ends[2];
  llvm::outs().flush(); // or the child would write it again
  llvm::errs().flush();
  if (pipe(ends) != 0) {
    trial.fault = std::string("no pipe: ") + strerror(errno);
    return trial;
  }
  pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    runChild(limits, ends[1], body);
  }
  close(ends[1]);
  if (child > 0)
    trial.text = readAll(ends[0]);
  close(ends[0]);
  int status = 0;
  struct rusage usage = {};
  if (child < 0 || wait4(child, &status, 0, &usage) != child)
    trial.fault = std::string("no process: ") + strerror(errno);
  else if (WIFSIGNALED(status))
    trial.fault = std::string("signal ") + strsignal(WTERMSIG(status));
  else
    trial.code = WEXITSTATUS(status);
  long megabytes = usage.ru_maxrss >> 10;
  if (trial.fault.empty() && megabytes > static_cast<long>(limits.megabytes))
    trial.fault = "takes " + std::to_string(megabytes) + " MiB";
  return trial;
}

bool isReport(StringRef text) {
  if (!text.consume_front("error: ") || !text.consume_back("\n") || text.empty())
    return false;
  llvm::SmallVector<StringRef> lines;
  text.split(lines, '\n');
  auto rest = llvm::drop_begin(lines);
  bool endsInStop = lines[0].ends_with(".") && !lines[0].ends_with("..");
  return !endsInStop && llvm::is_sorted(rest) &&
         llvm::all_of(rest, [](StringRef line) { return line.starts_with("  "); }) &&
         llvm::all_of(lines, [](StringRef line) { return llvm::sys::unicode::columnWidthUTF8(line) >= 0; });
}

} // namespace dyadic::mutation
