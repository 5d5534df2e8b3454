// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Imports damaged copies of a model, thousands of them: each has to be imported or to
// be refused by one error, in time and memory. Every copy is tried in a process of its
// own, forked from this one, which has everything loaded.

#include "Mutation.h"
#include "Trial.h"
#include "dyadic/IR/Layers.h"
#include "dyadic/Pipelines/CommandLine.h"
#include "dyadic/Pipelines/Compiler.h"
#include "dyadic/Support/Error.h"
#include "dyadic/Support/Files.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <random>

using namespace dyadic;
using namespace dyadic::mutation;
namespace cl = llvm::cl;

static const ForeignOptionsRemoved foreignOptionsRemoved; // first
static cl::OptionCategory category("Options of dyadic-mutate");
static cl::opt<std::string> modelPath(cl::Positional, cl::Required, cl::desc("MODEL.onnx"), cl::cat(category));
static cl::opt<unsigned> count("count", cl::desc("How many copies"), cl::init(2000), cl::cat(category));
static cl::opt<uint64_t> firstSeed("seed", cl::desc("Of the first copy; the next has the next one"), cl::init(0),
                                   cl::cat(category));
static cl::opt<std::string> keep("keep", cl::desc("Folder for copies that fail"), cl::value_desc("FOLDER"),
                                 cl::init("mutations"), cl::cat(category));
static cl::opt<bool> writeOnly("write", cl::desc("Write every copy into --keep and try none"), cl::cat(category));
static cl::opt<bool> verbose("verbose", cl::desc("Print what became of every copy"), cl::cat(category));
static cl::opt<unsigned> quantizeEvery("quantize-every",
                                       cl::desc("Quantize those that import where this divides the seed; 0: none"),
                                       cl::init(4), cl::cat(category));
static cl::opt<unsigned> seconds("seconds", cl::desc("Of the processor, for one copy"), cl::init(5), cl::cat(category));
static cl::opt<unsigned> megabytes("megabytes", cl::desc("Of memory, for one copy"), cl::init(1024), cl::cat(category));

namespace {

/// What became of a copy, as its process tells by its exit code.
enum Outcome { kImported, kRefused, kQuantized, kNotQuantized, kFailed };

/// Made-up ranges for everything that has one: in three of four copies plain ones, in the others some are extreme,
/// which few layers get past.
llvm::Expected<RangeMap> makeRanges(mlir::ModuleOp module, std::mt19937_64 &random) {
  static const StoredRange kRanges[] = {{-1, 3},      {0, 6},      {-0.02f, 0.01f}, {0, 0},
                                        {-200, -100}, {0, 1e-30f}, {-1e30f, 1e30f}, {-5, 5}};
  llvm::Expected<std::vector<InputSpec>> inputs = inputSpecs(module);
  if (!inputs)
    return inputs.takeError();
  bool isPlain = random() % 4 != 0;
  RangeMap ranges;
  auto add = [&](llvm::StringRef id) {
    bool isExtreme = !isPlain && random() % 8 == 0;
    ranges[id.str()] = kRanges[random() % (isExtreme ? std::size(kRanges) : 2)];
  };
  for (const InputSpec &input : *inputs)
    add(input.name);
  for (mlir::Operation *op : layersOf(entryFunction(module)))
    if (mlir::StringAttr id = mlir::cast<qnn::LayerOpInterface>(op).getIdAttr())
      add(id);
  return ranges;
}

Plan makePlan(std::mt19937_64 &random) {
  Plan plan;
  plan.rounding = random() % 2 ? Rounding::HalfUp : Rounding::HalfEven;
  plan.io = random() % 2 ? BoundaryMode::Float : BoundaryMode::Integer;
  if (random() % 2) {
    plan.weightBits = 2 + random() % 7;
    plan.activationBits = 2 + random() % 15;
    plan.isUniform = random() % 2;
  }
  return plan;
}

int quantizeCopy(mlir::ModuleOp module, uint64_t seed) {
  std::mt19937_64 random(seed); // the same everywhere
  Plan plan = makePlan(random);
  llvm::Expected<RangeMap> ranges = makeRanges(module, random);
  if (!ranges)
    return reportError(ranges.takeError()), kNotQuantized;
  if (llvm::Error error = quantizeModel(module, modelPath, *ranges, plan, QuantizeOptions()))
    return reportError(std::move(error)), kNotQuantized;
  return kQuantized;
}

int tryCopy(llvm::StringRef copy, uint64_t seed, mlir::MLIRContext &context) {
  llvm::StringRef folder = llvm::sys::path::parent_path(modelPath);
  OnnxSource source = {modelPath, copy, folder.empty() ? "." : folder.str()};
  auto module = importFloat(source, ImportOptions(), context);
  if (!module)
    return reportError(module.takeError()), kRefused;
  return quantizeEvery && seed % quantizeEvery == 0 ? quantizeCopy(**module, seed) : kImported;
}

/// Why the trial failed; empty where it did not.
std::string faultOf(const Trial &trial) {
  if (!trial.fault.empty())
    return trial.fault + (trial.text.empty() ? "" : " after: " + printable(trial.text));
  bool isRefused = trial.code == kRefused || trial.code == kNotQuantized;
  if (trial.code >= kFailed || (isRefused ? !isReport(trial.text) : !trial.text.empty()))
    return "exit code " + std::to_string(trial.code) + " with: " + printable(trial.text);
  return "";
}

std::string keptName(uint64_t seed) {
  llvm::SmallString<128> path(keep);
  llvm::sys::path::append(path, llvm::sys::path::stem(modelPath) + "-" + llvm::Twine(seed) + ".onnx");
  return path.str().str();
}

llvm::Error keepCopy(llvm::StringRef copy, uint64_t seed) {
  if (std::error_code code = llvm::sys::fs::create_directories(keep))
    return fileError(keep, "cannot be made: " + code.message());
  return writeFile(keptName(seed), copy);
}

/// The model as it is has to import; what is loaded and built once is then there in every process.
llvm::Error importModel(llvm::StringRef model) {
  std::unique_ptr<mlir::MLIRContext> context = createContext();
  OnnxSource source = {modelPath, model, ""};
  return importFloat(source, ImportOptions(), *context).takeError();
}

llvm::Expected<bool> run() {
  llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> file = readFile(modelPath);
  if (!file)
    return file.takeError();
  llvm::StringRef model = (*file)->getBuffer();
  if (llvm::Error error = importModel(model))
    return error;
  if (count == 0)
    return makeError("--count: 0, expected at least 1");
  const Places places(model);
  std::unique_ptr<mlir::MLIRContext> context = createContext();
  Limits limits = {seconds, megabytes};
  unsigned counts[kFailed + 1] = {};
  for (uint64_t seed = firstSeed; seed < firstSeed + count; ++seed) {
    std::string copy = mutate(places, seed);
    std::string fault;
    if (!writeOnly) {
      Trial trial = runForked(limits, [&] { return tryCopy(copy, seed, *context); });
      fault = faultOf(trial);
      if (verbose)
        llvm::outs() << seed << ": " << trial.code << " " << printable(trial.text) << "\n";
      ++counts[fault.empty() ? trial.code : kFailed];
    }
    if (fault.empty() && !writeOnly)
      continue;
    if (llvm::Error error = keepCopy(copy, seed))
      return error;
    llvm::outs() << printable(keptName(seed)) << (fault.empty() ? "" : ": ") << fault << "\n";
  }
  if (!writeOnly)
    llvm::outs() << counts[kImported] << " imported, " << counts[kQuantized] << " quantized, " << counts[kNotQuantized]
                 << " imported and not quantized, " << counts[kRefused] << " refused, " << counts[kFailed]
                 << " failed\n";
  return counts[kFailed] == 0;
}

} // namespace

int main(int argc, char **argv) {
  if (!parseCommandLine(argc, argv, category, "Imports damaged copies of a model.\n"))
    return 1;
  llvm::Expected<bool> isGood = run();
  if (!isGood)
    return reportError(isGood.takeError());
  return *isGood ? 0 : 1;
}
