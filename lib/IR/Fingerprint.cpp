// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/IR/Fingerprint.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/SHA256.h"

using namespace mlir;

namespace dyadic {

namespace {
class Hasher {
public:
  void number(uint64_t value) {
    uint8_t bytes[8];
    for (int i = 0; i < 8; ++i)
      bytes[i] = static_cast<uint8_t>(value >> (8 * i));
    sha.update(bytes);
  }

  void text(StringRef value) {
    number(value.size());
    sha.update(value);
  }

  void type(Type value) {
    std::string printed;
    llvm::raw_string_ostream(printed) << value;
    text(printed);
  }

  void attribute(Attribute value) {
    if (auto resource = dyn_cast<DenseResourceElementsAttr>(value)) {
      type(resource.getType());
      if (AsmResourceBlob *blob = resource.getRawHandle().getBlob())
        text(StringRef(blob->getData().data(), blob->getData().size()));
    } else if (auto dense = dyn_cast<DenseElementsAttr>(value)) {
      type(dense.getType());
      number(dense.isSplat());
      text(StringRef(dense.getRawData().data(), dense.getRawData().size()));
    } else {
      std::string printed;
      llvm::raw_string_ostream(printed) << value;
      text(printed);
    }
  }

  void operation(Operation *op) {
    text(op->getName().getStringRef());
    // A dictionary is sorted by name; properties are part of it.
    DictionaryAttr attributes = op->getAttrDictionary();
    number(attributes.size());
    for (NamedAttribute entry : attributes) {
      text(entry.getName());
      attribute(entry.getValue());
    }
    number(op->getNumOperands());
    for (Value operand : op->getOperands())
      number(numbers.lookup(operand));
    number(op->getNumResults());
    for (Value result : op->getResults()) {
      numbers[result] = numbers.size() + 1;
      type(result.getType());
    }
    number(op->getNumRegions());
    for (Region &region : op->getRegions())
      for (Block &block : region) {
        number(block.getNumArguments());
        for (Value argument : block.getArguments()) {
          numbers[argument] = numbers.size() + 1;
          type(argument.getType());
        }
        for (Operation &inner : block)
          operation(&inner);
      }
  }

  std::string digest() {
    auto hash = sha.final();
    return llvm::toHex(hash, /*LowerCase=*/true);
  }

private:
  llvm::SHA256 sha;
  DenseMap<Value, uint64_t> numbers;
};
} // namespace

std::string fingerprint(ModuleOp module) {
  Hasher hasher;
  hasher.operation(module);
  return hasher.digest();
}

} // namespace dyadic
