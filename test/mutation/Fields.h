// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where the fields of a serialized onnx.ModelProto lie, read from its wire format:
// mutations need places in the file, which protobuf's own reader does not tell.

#ifndef DYADIC_TEST_MUTATION_FIELDS_H
#define DYADIC_TEST_MUTATION_FIELDS_H

#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <string>
#include <vector>

namespace dyadic::mutation {

/// The messages of onnx.proto with fields of their own here.
enum class Message : uint8_t {
  Model,
  Graph,
  Node,
  Attribute,
  Tensor,
  Function,
  ValueInfo,
  Type,
  TensorType,
  Shape,
  Dimension,
  OperatorSet,
  Entry,
  None, // of a field that is a number, a text or bytes
};

enum Wire : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

/// One field: a tag, for `kBytes` a length, and the value up to `end`.
struct Field {
  Message parent; // the message that has it
  Message message;
  uint32_t number;
  Wire wire;
  size_t begin, value, end;
  int outer; // the field whose message has it, by its index; -1: the model
  bool isWeights;
};

/// All fields, each before those inside of it. What cannot be read as fields, from there on, has none.
std::vector<Field> fieldsOf(llvm::StringRef model);

/// Base 128, the least significant group first.
std::string varint(uint64_t number);

/// The model with the bytes of `fields[at]`, tag included, replaced; the lengths of the fields around it follow.
std::string replaceField(llvm::StringRef model, const std::vector<Field> &fields, size_t at, std::string bytes);

/// The tag of `field`, the length of `value` where it has one, and `value`.
std::string fieldWith(const Field &field, llvm::StringRef value);

} // namespace dyadic::mutation

#endif // DYADIC_TEST_MUTATION_FIELDS_H
