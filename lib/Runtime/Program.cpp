// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Runtime/Program.h"
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <elf.h>
#include <fstream>
#include <unistd.h>

namespace dyadic {

std::string shapeText(const std::vector<int64_t> &shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i)
    text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

Tensor realNumbers(const Tensor &tensor, const TensorInfo &info) {
  if (tensor.type == ElementType::F32 || info.scales.empty())
    return tensor;
  Tensor result(ElementType::F32, tensor.shape);
  int64_t inner = 1; // elements from one channel to the next
  for (size_t d = static_cast<size_t>(info.axis + 1); info.axis >= 0 && d < tensor.shape.size(); ++d)
    inner *= tensor.shape[d];
  auto channels = static_cast<int64_t>(info.scales.size());
  for (int64_t i = 0, n = tensor.size(); i < n; ++i) {
    double scale = info.scales[channels == 1 ? 0 : static_cast<size_t>(i / inner % channels)];
    result.as<float>()[i] = static_cast<float>(scale * static_cast<double>(tensor.intAt(i) - info.zeroPoint));
  }
  return result;
}

static std::vector<TensorInfo> describe(const dyadic_tensor *first, size_t count, uint32_t stride) {
  std::vector<TensorInfo> infos;
  for (size_t i = 0; i < count; ++i) {
    const auto *tensor = reinterpret_cast<const dyadic_tensor *>(reinterpret_cast<const char *>(first) + i * stride);
    TensorInfo info;
    info.name = tensor->name;
    info.type = static_cast<ElementType>(tensor->element_type);
    info.shape.assign(tensor->shape, tensor->shape + tensor->rank);
    info.axis = tensor->axis;
    info.scales.assign(tensor->scales, tensor->scales + tensor->num_scales);
    info.zeroPoint = tensor->zero_point;
    info.min = tensor->min;
    info.max = tensor->max;
    infos.push_back(std::move(info));
  }
  return infos;
}

Program::Program(const dyadic_model *model, std::shared_ptr<void> owner) : model(model), owner(std::move(owner)) {
  inputInfos = describe(model->inputs, static_cast<size_t>(model->num_inputs), model->tensor_size);
  outputInfos =
      describe(model->outputs, static_cast<size_t>(model->num_outputs + model->num_values), model->tensor_size);
}

bool Program::Call::run() {
  // Where the threads of another call are all that the system has, one does.
  std::string error;
  ThreadPool::Owner pool = threads > 1 ? pools->take(threads, error) : nullptr;
  status = model->run(inputPointers.data(), outputPointers.data(), batch, alignedWorkspace, pool ? threads : 1,
                      pool ? ThreadPool::parallelFor : nullptr, pool.get());
  if (pool)
    pools->give(std::move(pool));
  return status == DYADIC_OK;
}

std::unique_ptr<Program::Call> Program::prepare(const std::vector<const Tensor *> &inputs, int threads,
                                                std::string &error) const {
  if (inputs.size() != inputInfos.size()) {
    error = std::to_string(inputs.size()) + " inputs, expected " + std::to_string(inputInfos.size());
    return nullptr;
  }
  if (!ThreadPool::isSize(threads, error))
    return nullptr;
  auto call = std::make_unique<Call>();
  call->model = model;
  call->threads = threads;
  call->pools = pools;
  int64_t batch = -1;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const TensorInfo &info = inputInfos[i];
    const Tensor &tensor = *inputs[i];
    bool fits = tensor.type == info.type && tensor.shape.size() == info.shape.size();
    for (size_t d = 0; fits && d < info.shape.size(); ++d) {
      if (info.shape[d] != -1) {
        fits = tensor.shape[d] == info.shape[d];
        continue;
      }
      batch = batch == -1 ? tensor.shape[d] : batch;
      fits = tensor.shape[d] == batch && batch >= 1;
    }
    if (!fits) {
      error = "input '" + info.name + "' is " + elementName(tensor.type) + " " + shapeText(tensor.shape) +
              ", expected " + elementName(info.type) + " " + shapeText(info.shape) +
              (batch > 1 ? " with batch " + std::to_string(batch) : "");
      return nullptr;
    }
    call->inputPointers.push_back(tensor.data.data());
  }
  call->batch = batch == -1 ? 1 : batch;
  // Without exceptions an allocation that fails ends the process.
  constexpr uint64_t kLimit = uint64_t(1) << 33;
  uint64_t total = callBytes(call->batch, threads);
  if (total > kLimit) {
    error = "outputs and workspace need " + std::to_string(total / 1'000'000'000) + " GB, expected at most 8";
    return nullptr;
  }
  for (const TensorInfo &info : outputInfos) {
    std::vector<int64_t> shape = info.shape;
    for (int64_t &size : shape)
      size = size == -1 ? call->batch : size;
    call->outputs.emplace_back(info.type, shape);
  }
  for (Tensor &output : call->outputs)
    call->outputPointers.push_back(output.data.data());
  // As it is: what a call never touches costs nothing.
  call->workspace.reset(new uint8_t[model->workspace_size(call->batch, threads) + DYADIC_ALIGNMENT]);
  auto address = reinterpret_cast<uintptr_t>(call->workspace.get());
  call->alignedWorkspace =
      reinterpret_cast<void *>((address + DYADIC_ALIGNMENT - 1) & ~uintptr_t(DYADIC_ALIGNMENT - 1));
  if (threads > 1) { // not as part of what is timed, and with an error that says what is wrong
    ThreadPool::Owner pool = pools->take(threads, error);
    if (!pool)
      return nullptr;
    pools->give(std::move(pool));
  }
  return call;
}

int32_t Program::run(const void *const *inputs, void *const *outputs, void *workspace) const {
  return model->run(inputs, outputs, /*batch=*/1, workspace, /*threads=*/1, nullptr, nullptr);
}

uint64_t Program::workspaceBytes() const { return model->workspace_size(/*batch=*/1, /*threads=*/1); }

uint64_t Program::callBytes(int64_t batch, int threads) const {
  // Sizes come from a file: as double they cannot wrap around.
  double total = static_cast<double>(model->workspace_size(batch, threads));
  for (const TensorInfo &info : outputInfos) {
    double size = static_cast<double>(elementSize(info.type));
    for (int64_t d : info.shape)
      size *= static_cast<double>(d == -1 ? batch : d);
    total += size;
  }
  return total < 0x1p63 ? static_cast<uint64_t>(total) : UINT64_MAX;
}

#if defined(__x86_64__)
static constexpr unsigned kMachine = EM_X86_64;
#elif defined(__aarch64__)
static constexpr unsigned kMachine = EM_AARCH64;
#else
static constexpr unsigned kMachine = EM_NONE; // not compared
#endif

/// What is wrong with a library that the loader would not say, or null. It maps a truncated one and dies
/// later; one for another architecture it calls missing.
static const char *flawOf(const std::string &path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  auto size = static_cast<uint64_t>(file.tellg());
  Elf64_Ehdr header;
  file.seekg(0);
  if (!file.read(reinterpret_cast<char *>(&header), sizeof header) ||
      std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64)
    return nullptr; // dlopen says what it is
  if (kMachine != EM_NONE && header.e_machine != kMachine)
    return "it is for another architecture";
  const char *truncated = "the file is truncated";
  if (header.e_shoff + uint64_t(header.e_shnum) * header.e_shentsize > size)
    return truncated;
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    file.seekg(static_cast<std::streamoff>(header.e_phoff + uint64_t(i) * header.e_phentsize));
    if (!file.read(reinterpret_cast<char *>(&segment), sizeof segment) || segment.p_offset > size ||
        segment.p_filesz > size - segment.p_offset)
      return truncated;
  }
  return nullptr;
}

/// dlopen takes a library that it knows by name for the one it has loaded, although another
/// file may stand there by now: so each load goes through a name of its own.
static void *loadAnew(const std::string &file) {
  char folder[] = "/tmp/dyadic-XXXXXX";
  char *target = realpath(file.c_str(), nullptr);
  if (!target || !mkdtemp(folder)) {
    free(target);
    return dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  }
  std::string link = std::string(folder) + "/model.so";
  bool isLinked = symlink(target, link.c_str()) == 0;
  void *handle = dlopen(isLinked ? link.c_str() : file.c_str(), RTLD_NOW | RTLD_LOCAL);
  unlink(link.c_str());
  rmdir(folder);
  free(target);
  return handle;
}

std::unique_ptr<Program> openLibrary(const std::string &path, std::string &error) {
  // A name without a slash would be searched for in the system's folders.
  std::string file = path.find('/') == std::string::npos ? "./" + path : path;
  if (const char *flaw = flawOf(file)) {
    error = path + ": cannot be loaded: " + flaw;
    return nullptr;
  }
  void *handle = loadAnew(file);
  if (!handle) {
    const char *reason = dlerror();
    error = path + ": cannot be loaded: " + (reason ? reason : "unknown reason");
    return nullptr;
  }
  std::shared_ptr<void> owner(handle, [](void *library) { dlclose(library); });
  auto open = reinterpret_cast<dyadic_open_function>(dlsym(handle, "dyadic_open"));
  if (!open) {
    error = path + ": not a compiled model, expected the symbol dyadic_open";
    return nullptr;
  }
  const char *message = "";
  const dyadic_model *model = open(&message);
  if (!model) {
    error = path + ": " + message;
    return nullptr;
  }
  if (model->abi_version < DYADIC_ABI_VERSION) {
    error = path + ": interface version " + std::to_string(model->abi_version) + ", expected at least " +
            std::to_string(DYADIC_ABI_VERSION);
    return nullptr;
  }
  return std::make_unique<Program>(model, std::move(owner));
}

} // namespace dyadic
