// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compiles a model: ONNX in, an integer program out. All files appear together, after
// everything that can fail has succeeded.

#include "dyadic/IR/Fingerprint.h"
#include "dyadic/Pipelines/CommandLine.h"
#include "dyadic/Pipelines/Compiler.h"
#include "dyadic/Pipelines/Diagnostics.h"
#include "dyadic/Pipelines/Report.h"
#include "dyadic/Support/Error.h"
#include "dyadic/Support/Files.h"
#include "dyadic/Target/Compile.h"
#include "mlir/IR/AsmState.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"

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
static cl::opt<std::string> calibrationMethod("calibration-method",
                                              cl::desc("How ranges are chosen: minmax (default), percentile[:99.99]"),
                                              cl::value_desc("METHOD"), cl::cat(category));
static cl::opt<std::string> saveCalibration("save-calibration", cl::desc("Write the calibration table"),
                                            cl::value_desc("TABLE.json"), cl::cat(category));
static cl::opt<std::string> bits("bits",
                                 cl::desc("8 (= w8a8, default), wXaY with X in 2..8 and Y in 2..16, or a plan (.json)"),
                                 cl::value_desc("BITS"), cl::cat(category));
static cl::opt<std::string> savePlan("save-plan", cl::desc("Write the complete plan"), cl::value_desc("PLAN.json"),
                                     cl::cat(category));
static cl::opt<std::string>
    targetName("target", cl::desc("CPU[@TRIPLE]: native (default), generic, avx2; generic@aarch64-linux-gnu"),
               cl::value_desc("TARGET"), cl::init("native"), cl::cat(category));
static cl::opt<std::string> rounding("rounding", cl::desc("How quotients are rounded: half_up (default) or half_even"),
                                     cl::value_desc("MODE"), cl::cat(category));
static cl::opt<std::string> name("name", cl::desc("Prefix of every exported symbol (default: the stem of OUT)"),
                                 cl::value_desc("PREFIX"), cl::cat(category));
static cl::opt<bool> isFloat("float", cl::desc("No quantization: the float program, as a baseline"), cl::cat(category));
static cl::opt<bool> integerOnly("integer-only", cl::desc("A layer left in float is an error"), cl::cat(category));
static cl::opt<std::string> io("io", cl::desc("Element types of inputs and outputs: float (default) or integer"),
                               cl::value_desc("MODE"), cl::cat(category));
static cl::list<std::string> inputShapes("input-shape",
                                         cl::desc("The shape of an input, as NAME:1,3,224,224; may be repeated"),
                                         cl::value_desc("NAME:SIZES"), cl::cat(category));
static cl::opt<std::string> reportPath("report", cl::desc("Write the report (.json)"), cl::value_desc("FILE"),
                                       cl::cat(category));
static cl::opt<bool> dumpValues("dump-values",
                                cl::desc("Add every value stored in memory as an extra output named by its id"),
                                cl::cat(category));

// Part of the command line's design, refused until they are built.
static const char *const kNotBuilt[] = {"merge-calibration", "tune", "budget", "labels", "evaluation",
                                        "sensitivity",       "cost", "pareto", "cache",  "time-limit",
                                        "weight-rounding"};
static std::vector<std::unique_ptr<cl::opt<std::string>>> notBuilt;

namespace {

/// The checked command line.
struct Settings {
  ImportOptions import;
  Target target;
  std::string prefix;
  CalibrationOptions method;
  Plan plan;
  bool isMlir = false;
  Emission emission = Emission::SharedLibrary;
};

llvm::Error checkUnbuilt() {
  for (const auto &option : notBuilt)
    if (option->getNumOccurrences())
      return makeError("--" + option->ArgStr.str() + ": not built yet");
  llvm::StringRef ending = llvm::sys::path::extension(outputPath);
  for (llvm::StringRef unbuilt : {".onnx", ".ptx", ".spv"})
    if (ending == unbuilt)
      return fileError(outputPath, "writing " + unbuilt + " is not built yet");
  if (reportPath.getNumOccurrences() && llvm::sys::path::extension(reportPath) != ".json")
    return fileError(reportPath, "reports other than .json are not built yet");
  return llvm::Error::success();
}

llvm::Error checkFloat() {
  if (!isFloat)
    return calibrationPath.empty()
               ? makeError(llvm::Twine(escaped(modelPath)) +
                           ": no --calibration=PATH, expected representative inputs, or --float for no quantization")
               : llvm::Error::success();
  for (cl::Option *option : std::initializer_list<cl::Option *>{&calibrationPath, &calibrationMethod, &saveCalibration,
                                                                &bits, &savePlan, &rounding, &integerOnly, &io})
    if (option->getNumOccurrences())
      return makeError("--" + option->ArgStr.str() + ": an option of quantization, which --float turns off");
  return llvm::Error::success();
}

llvm::Error parseInputShapes(ImportOptions &options) {
  for (llvm::StringRef text : inputShapes) {
    auto [input, sizes] = text.rsplit(':');
    llvm::SmallVector<llvm::StringRef> parts;
    sizes.split(parts, ',');
    std::vector<int64_t> shape;
    for (llvm::StringRef part : parts) {
      int64_t size = 0;
      if (part.getAsInteger(10, size) || size < 1)
        return makeError("--input-shape=" + escaped(text) + ": '" + escaped(part) +
                         "' is no size, expected NAME:1,3,224,224");
      shape.push_back(size);
    }
    if (input.empty())
      return makeError("--input-shape=" + escaped(text) + ": no name, expected NAME:1,3,224,224");
    options.inputShapes.push_back({input.str(), shape});
  }
  return llvm::Error::success();
}

llvm::Error readPlan(Plan &plan) {
  if (!rounding.empty() && rounding != "half_up" && rounding != "half_even")
    return makeError("--rounding=" + escaped(rounding) + ": expected half_up or half_even");
  if (!io.empty() && io != "float" && io != "integer")
    return makeError("--io=" + escaped(io) + ": expected float or integer");
  plan.rounding = rounding == "half_even" ? Rounding::HalfEven : Rounding::HalfUp;
  plan.io = io == "integer" ? BoundaryMode::Integer : BoundaryMode::Float;
  if (bits.empty())
    return llvm::Error::success();
  if (!llvm::StringRef(bits).ends_with(".json")) {
    auto widths = parseBits(bits);
    if (!widths)
      return makeError("--bits=" + escaped(bits) +
                       ": expected 8, wXaY with X in 2..8 and Y in 2..16, or a plan (.json)");
    std::tie(plan.weightBits, plan.activationBits) = *widths;
    return llvm::Error::success();
  }
  auto buffer = readFile(bits);
  if (!buffer)
    return buffer.takeError();
  Plan asked = plan;
  auto parsed = parsePlan(bits, (*buffer)->getBuffer(), plan);
  if (!parsed)
    return parsed.takeError();
  plan = *parsed;
  if (!rounding.empty() && plan.rounding != asked.rounding)
    return fileError(bits, "rounding differs from --rounding=" + rounding);
  if (!io.empty() && plan.io != asked.io)
    return fileError(bits, "io differs from --io=" + io);
  return llvm::Error::success();
}

llvm::Expected<Settings> readSettings() {
  Settings settings;
  if (modelPath.empty())
    return makeError("no model, expected quant-translate MODEL.onnx -o OUT");
  if (outputPath.empty())
    return makeError("no output, expected -o OUT");
  if (llvm::Error error = checkUnbuilt())
    return error;
  if (llvm::Error error = checkFloat())
    return error;
  llvm::StringRef ending = llvm::sys::path::extension(outputPath);
  std::optional<Emission> emission = llvm::StringSwitch<std::optional<Emission>>(ending)
                                         .Case(".so", Emission::SharedLibrary)
                                         .Case(".o", Emission::Object)
                                         .Case(".s", Emission::Assembly)
                                         .Case(".ll", Emission::LLVMIR)
                                         .Default(std::nullopt);
  settings.isMlir = ending == ".mlir";
  if (!emission && !settings.isMlir)
    return fileError(outputPath, "ending '" + escaped(ending) + "', expected .so, .o, .s, .ll or .mlir");
  settings.emission = emission.value_or(Emission::LLVMIR);
  auto target = parseTarget(targetName);
  if (!target)
    return target.takeError();
  settings.target = *target;
  if (!target->isHost && emission == Emission::SharedLibrary)
    return fileError(outputPath, "a library for " + target->triple + " needs its linker, expected .o, .s or .ll");
  settings.prefix = name.empty() ? cIdentifier(llvm::sys::path::stem(outputPath)) : name.getValue();
  if (cIdentifier(settings.prefix) != settings.prefix)
    return makeError("--name=" + escaped(name) + ": expected a C identifier");
  auto method = parseCalibrationMethod(calibrationMethod.empty() ? "minmax" : calibrationMethod.getValue());
  if (!method)
    return method.takeError();
  settings.method = *method;
  if (llvm::Error error = parseInputShapes(settings.import))
    return error;
  if (llvm::Error error = readPlan(settings.plan))
    return error;
  return settings;
}

void showProgress(size_t done, size_t total) {
  if (llvm::sys::Process::StandardErrIsDisplayed())
    llvm::errs() << "\rcalibrating: " << done << "/" << total << (done == total ? "\n" : "");
}

/// Ranges and the samples held back, from representative inputs or a saved table.
struct Calibration {
  CalibrationTable table;
  std::vector<Sample> samples;
  std::vector<const Sample *> heldBack;
  std::unique_ptr<JitEvaluator> evaluator; // none with a saved table
};

llvm::Expected<Calibration> loadCalibration(mlir::ModuleOp module, const Settings &settings, llvm::StringRef sha) {
  Calibration result;
  if (llvm::StringRef(calibrationPath).ends_with(".json")) {
    auto buffer = readFile(calibrationPath);
    if (!buffer)
      return buffer.takeError();
    auto table = parseTable(calibrationPath, (*buffer)->getBuffer());
    if (!table)
      return table.takeError();
    if (llvm::Error error = checkModel(*table, calibrationPath, sha))
      return error;
    result.table = std::move(*table);
    if (!calibrationMethod.empty())
      chooseRanges(result.table, settings.method);
    return result;
  }
  auto inputs = inputSpecs(module);
  if (!inputs)
    return inputs.takeError();
  auto samples = loadSamples(calibrationPath, *inputs, readTensorProto);
  if (!samples)
    return samples.takeError();
  result.samples = std::move(*samples);
  if (result.samples.size() < 10)
    llvm::errs() << "warning: " << escaped(calibrationPath) << ": " << result.samples.size()
                 << " samples, expected at least 10 for ranges that can be trusted\n";
  Split split = splitSamples(result.samples);
  auto evaluator = JitEvaluator::create(module);
  if (!evaluator)
    return evaluator.takeError();
  auto table = calibrate(**evaluator, result.samples, split, settings.method, sha, showProgress);
  if (!table)
    return fileError(modelPath, llvm::toString(table.takeError()));
  result.table = std::move(*table);
  for (size_t i : split.heldBack)
    result.heldBack.push_back(&result.samples[i]);
  result.evaluator = std::move(*evaluator);
  return result;
}

llvm::Error writeOutput(mlir::ModuleOp module, const Settings &settings, Report &report, FileSet &files) {
  if (settings.isMlir) {
    std::string text;
    llvm::raw_string_ostream stream(text);
    // With a state of its own the printer also writes the resources of large constants.
    mlir::AsmState state(module.getOperation());
    module->print(stream, state);
    stream << "\n";
    return files.write(outputPath, text);
  }
  DiagnosticCollector diagnostics(module.getContext());
  auto compiled = compileModule(module, settings.target, settings.prefix,
                                /*exportAlias=*/settings.emission == Emission::SharedLibrary);
  if (!compiled)
    return diagnostics.takeError(modelPath, llvm::toString(compiled.takeError()));
  report.workspaceBytes = compiled->workspaceBytes;
  return emitModule(*compiled, settings.emission, outputPath, files);
}

llvm::Error writeTables(const CalibrationTable *table, const Plan &plan, FileSet &files) {
  if (!saveCalibration.empty())
    if (llvm::Error error = files.write(saveCalibration, toJson(*table)))
      return error;
  if (!savePlan.empty())
    return files.write(savePlan, planToJson(plan));
  return llvm::Error::success();
}

llvm::Error translate() {
  auto settings = readSettings();
  if (!settings)
    return settings.takeError();
  std::unique_ptr<mlir::MLIRContext> context = createContext();
  auto module = importFloat(OnnxSource::file(modelPath), settings->import, *context);
  if (!module)
    return module.takeError();
  std::string sha = fingerprint(**module);
  Plan &plan = settings->plan;
  if (!plan.model.empty() && plan.model != sha)
    return fileError(bits, "belongs to model " + plan.model + ", expected " + sha);
  plan.model = sha;

  std::optional<Calibration> calibration;
  Report report;
  mlir::OwningOpRef<mlir::ModuleOp> program = (*module)->clone();
  if (!isFloat) {
    auto loaded = loadCalibration(**module, *settings, sha);
    if (!loaded)
      return loaded.takeError();
    calibration = std::move(*loaded);
    mlir::OwningOpRef<mlir::ModuleOp> exposed = (*module)->clone();
    Plan copy = plan;
    if (llvm::Error error = quantizeModel(*exposed, modelPath, calibration->table, copy, {integerOnly, true}))
      return error;
    if (llvm::Error error = quantizeModel(*program, modelPath, calibration->table, plan, {integerOnly, dumpValues}))
      return error;
    report = describeLayers(**module, &plan);
    report.integerBytes = constantBytes(*program);
    report.calibrationSamples = calibration->table.samples.size();
    if (calibration->evaluator)
      if (llvm::Error error =
              measureAgreement(report, calibration->evaluator->getProgram(), *exposed, calibration->heldBack))
        return error;
  } else {
    report = describeLayers(**module, nullptr);
    if (dumpValues)
      if (llvm::Error error = exposeValues(*program, modelPath))
        return error;
  }
  report.model = modelPath;
  report.output = outputPath;
  FileSet files;
  for (llvm::StringRef input : {llvm::StringRef(modelPath), llvm::StringRef(calibrationPath), llvm::StringRef(bits)})
    files.protect(input);
  if (llvm::Error error = writeOutput(*program, *settings, report, files))
    return error;
  if (llvm::Error error = writeTables(calibration ? &calibration->table : nullptr, plan, files))
    return error;
  report.outputBytes = files.sizeOf(outputPath);
  if (!reportPath.empty())
    if (llvm::Error error = files.write(reportPath, report.toJson()))
      return error;
  if (llvm::Error error = files.commit())
    return error;
  llvm::outs() << report.toText();
  return llvm::Error::success();
}

} // namespace

int main(int argc, char **argv) {
  for (const char *option : kNotBuilt)
    notBuilt.push_back(std::make_unique<cl::opt<std::string>>(llvm::StringRef(option), cl::desc("(not built yet)"),
                                                              cl::ValueOptional, cl::Hidden, cl::cat(category)));
  if (!parseCommandLine(argc, argv, category, "Compiles an ONNX model to an integer-only program.\n"))
    return 1;
  if (llvm::Error error = translate())
    return reportError(std::move(error));
  return 0;
}
