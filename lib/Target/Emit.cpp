// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Support/Error.h"
#include "dyadic/Target/Compile.h"
#include "dyadic/Target/ModelAbi.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include "llvm/Transforms/Utils/Cloning.h"

using namespace llvm;

namespace dyadic {

static Expected<SmallVector<char, 0>> emitCode(CompiledModule &compiled, CodeGenFileType type) {
  SmallVector<char, 0> bytes;
  raw_svector_ostream stream(bytes);
  legacy::PassManager passes;
  if (compiled.machine->addPassesToEmitFile(passes, stream, nullptr, type))
    return makeError("the target's code generator writes no such file");
  // Code generation changes the module; another emission starts from it again.
  std::unique_ptr<Module> copy = CloneModule(*compiled.module);
  passes.run(*copy);
  return bytes;
}

Expected<int64_t> codeBytes(CompiledModule &compiled) {
  Expected<SmallVector<char, 0>> bytes = emitCode(compiled, CodeGenFileType::ObjectFile);
  if (!bytes)
    return bytes.takeError();
  auto object =
      object::ObjectFile::createObjectFile(MemoryBufferRef(StringRef(bytes->data(), bytes->size()), "object"));
  if (!object)
    return object.takeError();
  int64_t size = 0;
  for (const object::SectionRef &section : (*object)->sections())
    if (section.isText())
      size += static_cast<int64_t>(section.getSize());
  return size;
}

/// Whether a library of an object of `bytes` bytes has no room. Linkers map what they write: on a full disk they die of
/// a signal, which does not say so.
static bool diskIsFull(StringRef path, uint64_t bytes) {
  constexpr uint64_t kPages = 1 << 16; // headers, and sections that begin a page
  StringRef folder = sys::path::parent_path(path);
  ErrorOr<sys::fs::space_info> space = sys::fs::disk_space(folder.empty() ? StringRef(".") : folder);
  return space && space->available < bytes + kPages;
}

/// Links one object into a shared library that needs no other.
static Error link(ArrayRef<char> object, bool isHost, StringRef path, FileSet &files) {
  ErrorOr<std::string> linker = sys::findProgramByName("ld.lld-22");
  if (!linker)
    linker = sys::findProgramByName("ld.lld");
  if (!linker && isHost) // ld.lld links for every architecture
    linker = sys::findProgramByName("ld");
  if (!linker)
    return makeError("no linker found, expected ld.lld-22" + StringRef(isHost ? ", ld.lld or ld" : " or ld.lld") +
                     " on PATH to write a shared library");
  SmallString<128> input, log;
  if (std::error_code code = sys::fs::createTemporaryFile("dyadic", "o", input))
    return makeError("temporary object: " + code.message());
  FileRemover removeInput(input);
  if (std::error_code code = sys::fs::createTemporaryFile("dyadic", "log", log))
    return makeError("temporary file: " + code.message());
  FileRemover removeLog(log);
  if (Error error = writeFile(input, StringRef(object.data(), object.size())))
    return error;
  return files.writeBy(path, [&](StringRef temporary) -> Error {
    SmallVector<StringRef> arguments{*linker,         "-shared", "--hash-style=gnu", "--build-id=none",
                                     "--gc-sections", "-z",      "noexecstack",      "-z",
                                     "relro",         "-o",      temporary,          input};
    std::string message;
    std::optional<StringRef> redirects[] = {StringRef(""), StringRef(log), StringRef(log)};
    if (sys::ExecuteAndWait(*linker, arguments, std::nullopt, redirects, 0, 0, &message) == 0)
      return Error::success();
    if (diskIsFull(temporary, object.size()))
      return fileError(path, "cannot be written: " + std::make_error_code(std::errc::no_space_on_device).message());
    if (auto buffer = MemoryBuffer::getFile(log); buffer && message.empty())
      message = (*buffer)->getBuffer().split('\n').first.str();
    return makeError("linker failed: " + printable(message));
  });
}

Error emitModule(CompiledModule &compiled, Emission emission, StringRef path, FileSet &files) {
  if (emission == Emission::LLVMIR) {
    std::string text;
    raw_string_ostream stream(text);
    compiled.module->print(stream, nullptr);
    return files.write(path, text);
  }
  bool isAssembly = emission == Emission::Assembly;
  Expected<SmallVector<char, 0>> code =
      emitCode(compiled, isAssembly ? CodeGenFileType::AssemblyFile : CodeGenFileType::ObjectFile);
  if (!code)
    return code.takeError();
  StringRef bytes(code->data(), code->size());
  if (Error error =
          emission == Emission::SharedLibrary ? link(*code, compiled.isHost, path, files) : files.write(path, bytes))
    return error;
  if (isAssembly)
    return Error::success();
  SmallString<128> header(path);
  sys::path::replace_extension(header, "h");
  return files.write(header, modelHeader(compiled.prefix));
}

} // namespace dyadic
