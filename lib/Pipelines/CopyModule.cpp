// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Pipelines/CopyModule.h"
#include "dyadic/Pipelines/Diagnostics.h"
#include "dyadic/Support/Error.h"
#include "mlir/Bytecode/BytecodeReader.h"
#include "mlir/Bytecode/BytecodeWriter.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;

namespace dyadic {

llvm::Expected<ModuleBytes> ModuleBytes::of(ModuleOp module) {
  ModuleBytes result;
  llvm::raw_string_ostream stream(result.bytes);
  if (failed(writeBytecodeToFile(module, stream)))
    return makeError("the program cannot be written as bytecode");
  return result;
}

llvm::Expected<OwningOpRef<ModuleOp>> ModuleBytes::read(MLIRContext &context) const {
  // Constants are read in place, where they have to be aligned.
  auto buffer = llvm::WritableMemoryBuffer::getNewUninitMemBuffer(bytes.size(), "program", llvm::Align(64));
  if (!buffer)
    return makeError("no memory for a copy of the program");
  llvm::copy(bytes, buffer->getBufferStart());
  DiagnosticCollector diagnostics(&context);
  Block block;
  if (failed(readBytecodeFile(*buffer, &block, ParserConfig(&context))) || block.empty())
    return diagnostics.takeError("program", "cannot be read from bytecode");
  auto module = cast<ModuleOp>(block.front());
  module->remove();
  return OwningOpRef<ModuleOp>(module);
}

} // namespace dyadic
