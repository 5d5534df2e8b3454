// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compiles a model: ONNX in, an integer program out. All files appear together, after
// everything that can fail has succeeded.

#include "dyadic/Pipelines/CommandLine.h"
#include "dyadic/Pipelines/Translation.h"
#include "dyadic/Support/Error.h"
#include "dyadic/Support/Files.h"
#include "dyadic/Support/Progress.h"
#include "llvm/Support/Process.h"
#include <csignal>

using namespace dyadic;
namespace cl = llvm::cl;

static const ForeignOptionsRemoved foreignOptionsRemoved; // first
static cl::OptionCategory category("Options of quant-translate");
static cl::opt<std::string> modelPath(cl::Positional, cl::desc("MODEL.onnx"), cl::cat(category));
static cl::opt<std::string>
    outputPath("o",
               cl::desc("What to write; the ending says what: .so library (+ .h), .o object (+ .h), .s, .ll, .mlir"),
               cl::value_desc("OUT"), cl::cat(category));
static cl::opt<std::string> calibrationPath(
    "calibration",
    cl::desc("Representative inputs: .npz, .npy or a folder of test_data_set_*; or a saved table (.json)"),
    cl::value_desc("PATH"), cl::cat(category));
static cl::opt<std::string>
    calibrationMethod("calibration-method",
                      cl::desc("How ranges are chosen: mse (default), minmax, percentile[:99.99], entropy; or "
                               "batchnorm[:8], without data, so many standard deviations around the means that the "
                               "model's batch normalizations know"),
                      cl::value_desc("METHOD"), cl::cat(category));
static cl::opt<std::string> saveCalibration("save-calibration",
                                            cl::desc("Write the calibration table; without -o nothing else"),
                                            cl::value_desc("TABLE.json"), cl::cat(category));
static cl::list<std::string> mergeCalibration("merge-calibration", cl::CommaSeparated,
                                              cl::desc("Saved tables of the model to merge, with --calibration too"),
                                              cl::value_desc("A.json,B.json"), cl::cat(category));
static cl::opt<std::string> bits("bits",
                                 cl::desc("8 (= w8a8, default), wXaY with X in 2..8 and Y in 2..16, or a plan (.json)"),
                                 cl::value_desc("BITS"), cl::cat(category));
static cl::opt<std::string>
    budget("budget",
           cl::desc("Search the bits of every layer within limits, separated by commas: size:2MB, avg:4.5 (bits a "
                    "weight), bops:0.5x, latency:0.75x or 12ms, where x is relative to w8a8; drop:0.5% and sqnr:25dB "
                    "limit what accuracy may "
                    "be lost on the held-back samples"),
           cl::value_desc("LIMITS"), cl::cat(category));
static cl::opt<std::string> choices("choices",
                                    cl::desc("With --budget: the widths to choose from, as w4a8,w8a8 (default: weights "
                                             "of 2, 3, 4, 5, 6, 8 bits; other activations than 8 where bops count)"),
                                    cl::value_desc("BITS"), cl::cat(category));
static cl::opt<std::string>
    sensitivity("sensitivity",
                cl::desc("With --budget: the file that sensitivities are read from where it exists, and written to; an "
                         "interrupted search goes on from it; several are merged"),
                cl::value_desc("FILE.json"), cl::cat(category));
static cl::opt<std::string>
    sensitivityMetric("sensitivity-metric",
                      cl::desc("With --budget: kl (default), error, layer, or trace, of the Gauss-Newton matrix, "
                               "measured or imported"),
                      cl::value_desc("METRIC"), cl::cat(category));
static cl::opt<std::string>
    pairs("pairs",
          cl::desc("With --budget: none (default), or neighbours, to measure also what layers cost together of which "
                   "one reads the other, or whose values are added"),
          cl::value_desc("PAIRS"), cl::cat(category));
static cl::opt<std::string> cost(
    "cost",
    cl::desc(
        "With a latency in --budget: the table that times of layers are read from where it exists, and written to"),
    cl::value_desc("TABLE.json"), cl::cat(category));
static cl::opt<std::string>
    cache("cache",
          cl::desc("With --budget: a folder, made where it is missing, that keeps what is measured and is not kept by "
                   "--sensitivity or --cost; an interrupted search goes on from it"),
          cl::value_desc("DIR"), cl::cat(category));
static cl::opt<std::string>
    timeLimit("time-limit",
              cl::desc("With --budget: after so long measure nothing more that a plan can do without, and give the "
                       "best one with its bound"),
              cl::value_desc("SECONDS"), cl::cat(category));
static cl::opt<std::string> pareto("pareto",
                                   cl::desc("With --budget: write the front of perturbation against cost, or as .json "
                                            "the problem that it is the front of, for quant-search"),
                                   cl::value_desc("FILE.csv|.svg|.json"), cl::cat(category));
static cl::opt<std::string>
    savePlan("save-plan", cl::desc("Write the complete plan; with --budget and without -o nothing is compiled"),
             cl::value_desc("PLAN.json"), cl::cat(category));
static cl::opt<std::string>
    attribution("attribution",
                cl::desc("Measure what the plan's decisions cost, undoing one at a time on the held-back samples, and "
                         "write the plan with the overrides that repair most of it, for --bits"),
                cl::value_desc("PLAN.json"), cl::cat(category));
static cl::opt<std::string> attributionTarget(
    "attribution-target",
    cl::desc("With --attribution: what the overrides have to reach, sqnr:25dB or drop:1% (default: all but a hundredth "
             "of the divergence that overrides can take away)"),
    cl::value_desc("LIMITS"), cl::cat(category));
static const std::string targetHelp =
    "CPU[,CPU...][@TRIPLE], by default native, this machine's best; a library for several chooses when it is opened. "
    "CPUs: " +
    knownCpus();
static cl::opt<std::string> targetName("target", cl::desc(targetHelp), cl::value_desc("TARGET"), cl::init("native"),
                                       cl::cat(category));
static cl::opt<std::string> tuneMode(
    "tune", cl::ValueOptional,
    cl::desc("Measure schedules of kernels on this machine and put the fastest into the plan; with =float, layers "
             "in float too, where that is faster"),
    cl::value_desc("float"), cl::cat(category));
static cl::opt<std::string> rounding("rounding", cl::desc("How quotients are rounded: half_up (default) or half_even"),
                                     cl::value_desc("MODE"), cl::cat(category));
static cl::opt<std::string> weightRounding(
    "weight-rounding",
    cl::desc("How weights are rounded: nearest; gptq, fitted to the calibration samples; auto (default), "
             "fitted, unless nearest is as good on the samples held back"),
    cl::value_desc("METHOD"), cl::cat(category));
static cl::opt<std::string> name("name", cl::desc("Prefix of every exported symbol (default: the stem of OUT)"),
                                 cl::value_desc("PREFIX"), cl::cat(category));
static cl::opt<bool> isFloat("float", cl::desc("No quantization: the float program, as a baseline"), cl::cat(category));
static cl::opt<bool> integerOnly("integer-only", cl::desc("A layer left in float is an error"), cl::cat(category));
static cl::opt<std::string> io("io", cl::desc("Element types of inputs and outputs: float (default) or integer"),
                               cl::value_desc("MODE"), cl::cat(category));
static cl::list<std::string> inputShapes("input-shape",
                                         cl::desc("The shape of an input, as NAME:1,3,224,224; may be repeated"),
                                         cl::value_desc("NAME:SIZES"), cl::cat(category));
static cl::list<std::string> inputRanges("input-range",
                                         cl::desc("With --calibration-method=batchnorm: the range of an input, as "
                                                  "NAME:-1,1; may be repeated"),
                                         cl::value_desc("NAME:LOW,HIGH"), cl::cat(category));
static cl::opt<std::string> reportPath("report", cl::desc("Write the full report: .json, or .html for people"),
                                       cl::value_desc("FILE"), cl::cat(category));
static cl::opt<bool> dumpValues("dump-values",
                                cl::desc("Add every value stored in memory as an extra output named by its id"),
                                cl::cat(category));

// Part of the command line's design, refused until they are built.
static const char *const kNotBuilt[] = {"labels", "evaluation"};
static std::vector<std::unique_ptr<cl::opt<std::string>>> notBuilt;

namespace {

std::optional<std::string> given(const cl::opt<std::string> &option) {
  return option.getNumOccurrences() ? std::optional<std::string>(option) : std::nullopt;
}

/// Without an output the plan of --budget alone is searched for.
bool isPlanAlone() { return outputPath.empty() && budget.getNumOccurrences() > 0 && !savePlan.empty(); }

/// Nothing is compiled then, which these options are about.
llvm::Error checkPlanAlone() {
  for (cl::Option *option : std::initializer_list<cl::Option *>{&integerOnly, &tuneMode, &name, &reportPath,
                                                                &dumpValues, &attribution, &attributionTarget})
    if (option->getNumOccurrences())
      return makeError("--" + option->ArgStr.str() + ": an option of compilation, expected -o OUT too");
  return llvm::Error::success();
}

/// Without an output and a plan the calibration table alone is written, which these options do not change.
llvm::Error checkTableAlone() {
  if (saveCalibration.empty())
    return makeError("no output, expected -o OUT");
  for (cl::Option *option : std::initializer_list<cl::Option *>{
           &bits, &savePlan, &rounding, &weightRounding, &integerOnly, &io, &targetName, &name, &reportPath,
           &dumpValues, &budget, &tuneMode, &attribution, &attributionTarget})
    if (option->getNumOccurrences())
      return makeError("--" + option->ArgStr.str() + ": an option of compilation, expected -o OUT too");
  return llvm::Error::success();
}

llvm::Expected<TranslateSettings> readSettings() {
  if (modelPath.empty())
    return makeError("no model, expected quant-translate MODEL.onnx -o OUT");
  for (const auto &option : notBuilt)
    if (option->getNumOccurrences())
      return makeError("--" + option->ArgStr.str() + ": not built yet");
  if (outputPath.empty())
    if (llvm::Error error = isPlanAlone() ? checkPlanAlone() : checkTableAlone())
      return error;
  if (isFloat)
    for (const cl::opt<std::string> *option : {&saveCalibration, &savePlan})
      if (option->getNumOccurrences())
        return quantizationOptionError(option->ArgStr);
  TranslateOptions options;
  // Without a name there is nothing to read; next to --float the option itself is wrong.
  options.hasCalibration = isFloat ? calibrationPath.getNumOccurrences() > 0 : !calibrationPath.empty();
  options.mergeCalibration = mergeCalibration;
  options.isFloat = isFloat;
  options.integerOnly = integerOnly;
  options.dumpValues = dumpValues;
  options.detailedReport = reportPath.getNumOccurrences() > 0;
  options.calibrationMethod = given(calibrationMethod);
  options.bits = given(bits);
  options.budget = given(budget);
  options.choices = given(choices);
  options.sensitivity = given(sensitivity);
  options.sensitivityMetric = given(sensitivityMetric);
  options.pairs = given(pairs);
  options.pareto = given(pareto);
  options.cost = given(cost);
  options.cache = given(cache);
  options.timeLimit = given(timeLimit);
  options.attribution = given(attribution);
  options.attributionTarget = given(attributionTarget);
  options.rounding = given(rounding);
  options.weightRounding = given(weightRounding);
  options.io = given(io);
  options.name = given(name);
  options.tune = given(tuneMode);
  options.target = targetName;
  options.inputShapes = inputShapes;
  options.inputRanges = inputRanges;
  auto settings = checkOptions(options, modelPath);
  if (!settings)
    return settings.takeError();
  // Of a plan alone, latencies depend on the target.
  if (isPlanAlone() && targetName.getNumOccurrences() && !settings->search->budget.costs[0])
    return makeError("--target: an option of compilation, expected -o OUT too, or a latency in --budget");
  if (!outputPath.empty())
    if (auto format = outputFormat(outputPath, settings->target); !format)
      return format.takeError();
  if (reportPath.getNumOccurrences())
    if (llvm::Error error = checkReportPath(reportPath))
      return error;
  return settings;
}

volatile std::sig_atomic_t wasInterrupted = 0;

/// The compilation ends at its next step, and leaves no half of a file; a second signal ends the process at once.
void onInterrupt(int signal) {
  wasInterrupted = 1;
  std::signal(signal, SIG_DFL);
}

/// Shows on a terminal how far the compilation is.
class Terminal {
public:
  Listener listener() {
    auto warn = [](llvm::StringRef message) { llvm::errs() << "warning: " << message << "\n"; };
    auto progress = [this](llvm::StringRef what, size_t done, size_t total) {
      if (!line || stage != what) {
        line.reset(); // erases the one before
        line.emplace(what);
        stage = what.str();
      }
      line->show(done, total);
      if (done == total)
        line.reset();
    };
    return {warn, progress, [] { return wasInterrupted != 0; }};
  }

private:
  std::optional<ProgressLine> line;
  std::string stage;
};

/// What else than the program was asked for.
ResultFiles resultFiles() { return {saveCalibration, savePlan, pareto, attribution, reportPath}; }

/// Writes the calibration table alone.
llvm::Error writeTable(const Translation &translation) {
  FileSet files;
  translation.protectInputs(files);
  const CalibrationTable &table = *translation.calibrationTable();
  if (llvm::Error error = files.write(saveCalibration, toJson(table)))
    return error;
  if (llvm::Error error = files.commit())
    return error;
  llvm::outs() << "wrote " << printable(saveCalibration) << " (" << table.values.size() << " values of "
               << table.samples.size() << " samples)\n";
  return llvm::Error::success();
}

/// Searches for a plan and writes it.
llvm::Error writePlan(Translation &translation) {
  if (llvm::Error error = translation.finishPlan())
    return error;
  FileSet files;
  translation.protectInputs(files);
  if (llvm::Error error = translation.writeResults(resultFiles(), files))
    return error;
  if (llvm::Error error = files.commit())
    return error;
  llvm::outs() << toText(translation.searched()) << "wrote " << printable(savePlan) << "\n";
  return llvm::Error::success();
}

llvm::Error translate() {
  auto settings = readSettings();
  if (!settings)
    return settings.takeError();
  std::signal(SIGINT, onInterrupt);
  std::signal(SIGTERM, onInterrupt);
  Terminal terminal;
  auto created = Translation::create(OnnxSource::file(modelPath), std::move(*settings), terminal.listener());
  if (!created)
    return created.takeError();
  Translation &translation = **created;
  if (!isFloat && !translation.calibrationTable())
    if (llvm::Error error = translation.calibrate(calibrationPath, mergeCalibration))
      return error;
  if (llvm::Error error = translation.checkWritable(resultFiles(), outputPath))
    return error;
  if (isPlanAlone())
    return writePlan(translation);
  if (outputPath.empty())
    return writeTable(translation);
  if (llvm::Error error = translation.finish())
    return error;

  FileSet files;
  translation.protectInputs(files);
  if (llvm::Error error = translation.write(outputPath, files))
    return error;
  if (llvm::Error error = translation.writeResults(resultFiles(), files))
    return error;
  if (llvm::Error error = files.commit())
    return error;
  llvm::outs() << toText(translation.getReport(), llvm::sys::Process::StandardOutHasColors());
  return llvm::Error::success();
}

} // namespace

int main(int argc, char **argv) {
  for (const char *option : kNotBuilt)
    notBuilt.push_back(std::make_unique<cl::opt<std::string>>(llvm::StringRef(option), cl::desc("(not built yet)"),
                                                              cl::ValueOptional, cl::Hidden, cl::cat(category)));
  if (!parseCommandLine(argc, argv, category, "Compiles an ONNX model to an integer-only program.\n"))
    return 1;
  return finish(translate());
}
