// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs a program on inputs from a file: a compiled library, a float ONNX model by JIT,
// or a module of the integer level by JIT or by the reference interpreter.

#include "dyadic/Pipelines/CommandLine.h"
#include "dyadic/Pipelines/Compiler.h"
#include "dyadic/Reference/Interpreter.h"
#include "dyadic/Support/Error.h"
#include "dyadic/Support/Files.h"
#include "dyadic/Support/Npz.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"
#include <chrono>

using namespace dyadic;
namespace cl = llvm::cl;

static const ForeignOptionsRemoved foreignOptionsRemoved; // first
static cl::OptionCategory category("Options of quant-run");
static cl::opt<std::string> modelPath(cl::Positional, cl::desc("MODEL.so|MODEL.onnx|MODEL.mlir"), cl::cat(category));
static cl::opt<std::string>
    inputsPath("inputs", cl::desc("Arrays by input name; several samples along the first axis, or one axis more"),
               cl::value_desc("FILE.npz"), cl::cat(category));
static cl::opt<std::string> outputsPath("outputs", cl::desc("Write the outputs by name"), cl::value_desc("FILE.npz"),
                                        cl::cat(category));
static cl::opt<bool> useReference("reference", cl::desc("Interpret a .mlir instead of compiling it"),
                                  cl::cat(category));
static cl::opt<std::string>
    dumpPath("dump", cl::desc("Write the value of every layer by id (a .so needs --dump-values when it is compiled)"),
             cl::value_desc("FILE.npz"), cl::cat(category));
static cl::opt<bool>
    asReal("dequantize",
           cl::desc("Write outputs and values as the real numbers that their integers stand for (a .mlir needs "
                    "--dump-values when it is written)"),
           cl::cat(category));
static cl::opt<int> threads("threads",
                            cl::desc("Threads that share each layer, or the samples of a large batch (default 1)"),
                            cl::value_desc("N"), cl::init(1), cl::cat(category));
static cl::opt<int> repeat("repeat", cl::desc("Time N runs of the whole input, after one to warm up"),
                           cl::value_desc("N"), cl::init(0), cl::cat(category));
static cl::opt<bool> asJson("json", cl::desc("Print the times as JSON; of one run without --repeat"),
                            cl::cat(category));

namespace {

/// Tensors of each call, which runs one sample (or all in one batch).
struct Tensors {
  std::vector<TensorInfo> infos;
  std::vector<std::vector<Tensor>> calls;
};

/// What ran. The values are those of layers, and of inputs where the program does not return them as it stores them.
struct Results {
  Tensors outputs, values;
  std::vector<double> milliseconds;
};

bool hasBatch(const TensorInfo &info) { return !info.shape.empty() && info.shape[0] == -1; }

/// One tensor over all calls: along the first axis where that is the batch, else stacked.
Tensor gather(const std::vector<std::vector<Tensor>> &calls, size_t index, bool isBatched) {
  Tensor result = calls[0][index];
  if (calls.size() == 1)
    return result;
  bool joins = isBatched || (!result.shape.empty() && result.shape[0] == 1);
  for (size_t i = 1; i < calls.size(); ++i)
    result.data.insert(result.data.end(), calls[i][index].data.begin(), calls[i][index].data.end());
  if (joins)
    result.shape[0] *= static_cast<int64_t>(calls.size());
  else
    result.shape.insert(result.shape.begin(), static_cast<int64_t>(calls.size()));
  return result;
}

/// All samples as one batch.
Sample joined(llvm::ArrayRef<Sample> samples) {
  Sample batch = samples[0];
  for (const Sample &sample : samples.drop_front())
    for (auto [whole, part] : llvm::zip(batch.inputs, sample.inputs))
      whole.data.insert(whole.data.end(), part.data.begin(), part.data.end());
  for (Tensor &tensor : batch.inputs)
    tensor.shape[0] = static_cast<int64_t>(samples.size());
  return batch;
}

/// Puts the inputs that `results` has no value of in front of its values, as they were given.
void addInputs(Results &results, llvm::ArrayRef<TensorInfo> infos, llvm::ArrayRef<Sample> calls) {
  Tensors &values = results.values;
  llvm::StringSet<> known;
  for (const TensorInfo &info : values.infos)
    known.insert(info.name);
  size_t added = 0;
  for (auto [i, info] : llvm::enumerate(infos)) {
    if (!known.insert(info.name).second)
      continue;
    values.infos.insert(values.infos.begin() + static_cast<ptrdiff_t>(added), info);
    for (auto [tensors, call] : llvm::zip(values.calls, calls))
      tensors.insert(tensors.begin() + static_cast<ptrdiff_t>(added), call.inputs[i]);
    ++added;
  }
}

llvm::Error runProgram(const Program &program, llvm::ArrayRef<Sample> samples, Results &results) {
  size_t count = program.outputs().size() - program.numValues();
  llvm::ArrayRef<TensorInfo> infos = program.outputs();
  results.outputs.infos = infos.take_front(count).vec();
  results.values.infos = infos.drop_front(count).vec();
  bool isBatched = !program.inputs().empty() && llvm::all_of(program.inputs(), hasBatch);
  std::vector<Sample> calls = isBatched ? std::vector<Sample>{joined(samples)} : samples.vec();

  std::vector<std::unique_ptr<Program::Call>> prepared;
  for (const Sample &sample : calls) {
    std::vector<const Tensor *> inputs;
    for (const Tensor &input : sample.inputs)
      inputs.push_back(&input);
    std::string error;
    prepared.push_back(program.prepare(inputs, threads, error));
    if (!prepared.back())
      return fileError(inputsPath, printable(error));
  }
  for (int round = 0; round <= repeat; ++round) {
    auto start = std::chrono::steady_clock::now();
    for (auto &call : prepared)
      if (!call->run())
        return fileError(modelPath, "run returned status " + llvm::Twine(call->status));
    std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
    if (round > 0) // the first warms up
      results.milliseconds.push_back(elapsed.count());
  }
  for (auto &call : prepared) {
    auto split = call->outputs.begin() + static_cast<ptrdiff_t>(count);
    results.values.calls.push_back({std::make_move_iterator(split), std::make_move_iterator(call->outputs.end())});
    results.outputs.calls.push_back({std::make_move_iterator(call->outputs.begin()), std::make_move_iterator(split)});
  }
  if (program.numValues() > 0)
    addInputs(results, program.inputs(), calls);
  return llvm::Error::success();
}

/// What a program compiled from the signature says about the tensor.
TensorInfo infoOf(const BoundaryTensor &tensor) {
  TensorInfo info{tensor.name,   tensor.type,      tensor.shape,     tensor.axis,
                  tensor.scales, tensor.zeroPoint, tensor.range.min, tensor.range.max};
  if (tensor.hasBatch)
    info.shape[0] = -1;
  return info;
}

llvm::Error runReference(mlir::ModuleOp module, llvm::ArrayRef<Sample> samples, Results &results) {
  llvm::Expected<Signature> signature = readSignature(module);
  if (!signature)
    return fileError(modelPath, llvm::toString(signature.takeError()));
  size_t count = signature->outputs.size() - signature->numValues;
  llvm::StringMap<TensorInfo> exposed;
  for (auto [i, output] : llvm::enumerate(signature->outputs))
    if (i < count)
      results.outputs.infos.push_back(infoOf(output));
    else
      exposed[output.name] = infoOf(output);
  for (const Sample &sample : samples) {
    std::vector<NamedTensor> values;
    auto outputs = interpret(module, sample.inputs, &values);
    if (!outputs)
      return fileError(modelPath, llvm::toString(outputs.takeError()));
    outputs->resize(count);
    results.outputs.calls.push_back(std::move(*outputs));
    results.values.infos.clear();
    std::vector<Tensor> tensors;
    for (NamedTensor &value : values) {
      TensorInfo info = exposed.lookup(value.name);
      info.name = value.name;
      info.shape.assign(signature->hasBatch, -1); // all that gather asks for
      results.values.infos.push_back(std::move(info));
      tensors.push_back(std::move(value.tensor));
    }
    results.values.calls.push_back(std::move(tensors));
  }
  std::vector<TensorInfo> inputs;
  for (const BoundaryTensor &input : signature->inputs)
    inputs.push_back(infoOf(input));
  if (!results.values.infos.empty())
    addInputs(results, inputs, samples);
  return llvm::Error::success();
}

/// Stored integers become the numbers that they stand for.
llvm::Error makeReal(Tensors &tensors) {
  for (std::vector<Tensor> &call : tensors.calls)
    for (auto [info, tensor] : llvm::zip(tensors.infos, call)) {
      bool isStored = tensor.type != ElementType::F32 && tensor.type != ElementType::S64;
      if (isStored && info.scales.empty())
        return fileError(modelPath, "value '" + escaped(info.name) +
                                        "' has no scale, expected a module written with --dump-values");
      tensor = realNumbers(tensor, info);
    }
  return llvm::Error::success();
}

llvm::Error write(FileSet &files, llvm::StringRef path, Tensors &tensors) {
  if (asReal)
    if (llvm::Error error = makeReal(tensors))
      return error;
  std::vector<NamedTensor> arrays;
  for (auto [i, info] : llvm::enumerate(tensors.infos))
    arrays.push_back({info.name, gather(tensors.calls, i, hasBatch(info))});
  return files.writeBy(path, [&](llvm::StringRef temporary) { return writeNpz(temporary, arrays, path); });
}

void printTimes(std::vector<double> times, size_t samples) {
  if (times.empty())
    return;
  llvm::sort(times);
  double median = times[times.size() / 2];
  if (!asJson) {
    llvm::outs() << llvm::format("%.4f ms median, %.4f ms min of %zu runs of %zu samples\n", median, times.front(),
                                 times.size(), samples);
    return;
  }
  llvm::json::OStream json(llvm::outs());
  json.object([&] {
    json.attribute("median_ms", median);
    json.attribute("min_ms", times.front());
    json.attribute("runs", static_cast<int64_t>(times.size()));
    json.attribute("samples", static_cast<int64_t>(samples));
    json.attribute("threads", threads.getValue());
  });
  llvm::outs() << "\n";
}

llvm::Expected<std::vector<Sample>> load(std::vector<InputSpec> specs) {
  for (InputSpec &spec : specs)
    for (int64_t &size : spec.shape)
      size = size == -1 ? 1 : size;
  return loadSamples(inputsPath, specs, readTensorProto);
}

llvm::Error runLibrary(Results &results, size_t &count) {
  std::string error;
  std::unique_ptr<Program> program = openLibrary(modelPath, error);
  if (!program)
    return makeError(printable(error));
  if (!dumpPath.empty() && program->numValues() == 0)
    return fileError(modelPath, "has no values to dump, expected a library of layers, compiled with --dump-values");
  std::vector<InputSpec> specs;
  for (const TensorInfo &info : program->inputs())
    specs.push_back({info.name, info.type, info.shape});
  auto samples = load(specs);
  if (!samples)
    return samples.takeError();
  count = samples->size();
  return runProgram(*program, *samples, results);
}

llvm::Error runModule(bool isOnnx, Results &results, size_t &count) {
  std::unique_ptr<mlir::MLIRContext> context = createContext();
  auto module = isOnnx ? importFloat(OnnxSource::file(modelPath), {}, *context) : parseModuleFile(modelPath, *context);
  if (!module)
    return module.takeError();
  auto specs = inputSpecs(**module);
  if (!specs)
    return fileError(modelPath, llvm::toString(specs.takeError()));
  auto samples = load(*specs);
  if (!samples)
    return samples.takeError();
  count = samples->size();
  if (useReference)
    return runReference(**module, *samples, results);
  auto signature = readSignature(**module);
  if (!signature)
    return fileError(modelPath, llvm::toString(signature.takeError()));
  // One written with --dump-values has them, with their scales.
  auto program = jitModule(**module, !dumpPath.empty() && signature->numValues == 0);
  if (!program)
    return fileError(modelPath, llvm::toString(program.takeError()));
  return runProgram(**program, *samples, results);
}

llvm::Error run() {
  if (modelPath.empty())
    return makeError("no model, expected quant-run MODEL --inputs=FILE.npz");
  if (inputsPath.empty())
    return makeError("no inputs, expected --inputs=FILE.npz");
  llvm::StringRef ending = llvm::sys::path::extension(modelPath);
  if (ending != ".so" && ending != ".onnx" && ending != ".mlir")
    return fileError(modelPath, "ending '" + escaped(ending) + "', expected .so, .onnx or .mlir");
  if (useReference && ending != ".mlir")
    return fileError(modelPath, "--reference interprets a .mlir");
  if (std::string error; !ThreadPool::isSize(threads, error))
    return makeError("--threads: " + error);
  if (repeat < 0)
    return makeError("--repeat: " + llvm::Twine(repeat.getValue()) + " runs, expected at least 0");
  if (useReference && (repeat > 0 || threads > 1 || asJson))
    return makeError("--reference: the interpreter is neither timed nor threaded");
  if (asJson && repeat == 0)
    repeat = 1;
  Results results;
  size_t count = 0;
  if (llvm::Error error = ending == ".so" ? runLibrary(results, count) : runModule(ending == ".onnx", results, count))
    return error;
  if (!dumpPath.empty() && results.values.infos.empty())
    return fileError(modelPath, "has no values to dump, expected a layer");
  FileSet files;
  files.protect(modelPath);
  files.protect(inputsPath);
  if (!outputsPath.empty())
    if (llvm::Error error = write(files, outputsPath, results.outputs))
      return error;
  if (!dumpPath.empty())
    if (llvm::Error error = write(files, dumpPath, results.values))
      return error;
  if (llvm::Error error = files.commit())
    return error;
  printTimes(results.milliseconds, count);
  return llvm::Error::success();
}

} // namespace

int main(int argc, char **argv) {
  if (!parseCommandLine(argc, argv, category,
                        "Runs a compiled model, a float ONNX model or a module of the integer level.\n"))
    return 1;
  return finish(run());
}
