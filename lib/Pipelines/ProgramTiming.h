// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Programs of one model against the clock.

#ifndef DYADIC_LIB_PIPELINES_PROGRAMTIMING_H
#define DYADIC_LIB_PIPELINES_PROGRAMTIMING_H

#include "dyadic/Pipelines/Compiler.h"
#include <chrono>

namespace dyadic {

/// The module compiled, which stays as it is.
llvm::Expected<CompiledModule> compileCopy(mlir::ModuleOp module, const Target &target);

/// The middle one of the values, of an even number the higher; 0 without any.
double median(std::vector<double> values);

/// What programs are timed on: the first held-back sample, whose index is noted, or zeros where there is none.
llvm::Expected<Sample> timedSample(mlir::ModuleOp floatModule, SampleSet *samples, llvm::ArrayRef<size_t> heldBack,
                                   std::optional<size_t> &index);

/// How long programs are measured.
struct TimingBudget {
  std::chrono::milliseconds perProgram{200};
  size_t leastRuns = 3, mostRuns = 200; // of each program
};

/// Programs that run in turns, on one thread and one sample, so that what disturbs one disturbs all. Of a turn's two
/// runs the second is timed: its caches are as one sample after another leaves them.
class ProgramTiming {
public:
  /// Adds a program that is compiled for this machine, with a clock around each of its kernels if asked.
  llvm::Error add(CompiledModule compiled, bool hasClocks);
  /// Drops the last program.
  void removeLast() { programs.pop_back(); }
  /// Of a program with clocks.
  const std::vector<Kernel> &getKernels(size_t program) const { return programs[program].clocked.getKernels(); }

  /// Medians in microseconds.
  struct Times {
    double total = 0;
    std::vector<double> kernels; // with clocks
  };
  struct Result {
    size_t runs = 0;
    std::vector<Times> programs;
  };
  /// `sample` holds f32 inputs, as the model takes them.
  llvm::Expected<Result> measure(const Sample &sample, const TimingBudget &budget = {});

private:
  struct Entry {
    std::unique_ptr<Program> plain; // null with clocks
    ProfiledProgram clocked;
    const Program &program() const { return plain ? *plain : clocked.getProgram(); }
  };
  std::vector<Entry> programs;
};

/// Microseconds by layer id: of every kernel that serves it.
std::map<std::string, double> timesByLayer(const std::vector<Kernel> &kernels, llvm::ArrayRef<double> times);

} // namespace dyadic

#endif // DYADIC_LIB_PIPELINES_PROGRAMTIMING_H
