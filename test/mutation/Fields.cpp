// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Fields.h"
#include "llvm/ADT/Twine.h"

using llvm::StringRef;

namespace dyadic::mutation {

namespace {
struct Child {
  Message parent;
  uint32_t number;
  Message message;
};
} // namespace

// Of onnx.proto 1.23.
static constexpr Child kChildren[] = {
    {Message::Model, 7, Message::Graph},         {Message::Model, 8, Message::OperatorSet},
    {Message::Model, 14, Message::Entry},        {Message::Model, 25, Message::Function},
    {Message::Graph, 1, Message::Node},          {Message::Graph, 5, Message::Tensor},
    {Message::Graph, 11, Message::ValueInfo},    {Message::Graph, 12, Message::ValueInfo},
    {Message::Graph, 13, Message::ValueInfo},    {Message::Node, 5, Message::Attribute},
    {Message::Attribute, 5, Message::Tensor},    {Message::Attribute, 6, Message::Graph},
    {Message::Attribute, 10, Message::Tensor},   {Message::Attribute, 11, Message::Graph},
    {Message::Attribute, 14, Message::Type},     {Message::Tensor, 13, Message::Entry},
    {Message::Function, 7, Message::Node},       {Message::Function, 9, Message::OperatorSet},
    {Message::Function, 11, Message::Attribute}, {Message::Function, 12, Message::ValueInfo},
    {Message::ValueInfo, 2, Message::Type},      {Message::Type, 1, Message::TensorType},
    {Message::TensorType, 2, Message::Shape},    {Message::Shape, 1, Message::Dimension},
};

static Message messageOf(Message parent, uint32_t number) {
  for (const Child &child : kChildren)
    if (child.parent == parent && child.number == number)
      return child.message;
  return Message::None;
}

/// Small tensors are shapes, axes and scalars, which decide how the graph is imported.
static constexpr size_t kSmallTensorBytes = 64;

static bool holdsNumbers(uint32_t tensorField) {
  return tensorField == 4 || tensorField == 5 || tensorField == 7 || (tensorField >= 9 && tensorField <= 11);
}

/// Reads a varint and moves `at` behind it; false where there is none before `end`.
static bool readVarint(StringRef model, size_t &at, size_t end, uint64_t &number) {
  number = 0;
  for (unsigned shift = 0; shift < 64 && at < end; shift += 7) {
    uint8_t byte = model[at++];
    number |= uint64_t(byte & 0x7f) << shift;
    if (byte < 0x80)
      return true;
  }
  return false;
}

/// Reads where one field lies and moves `at` behind it; false where there is none.
static bool readField(StringRef model, size_t &at, size_t end, Field &field) {
  uint64_t tag = 0, size = 0;
  field.begin = at;
  if (!readVarint(model, at, end, tag))
    return false;
  field.number = static_cast<uint32_t>(tag >> 3);
  field.wire = static_cast<Wire>(tag & 7);
  if (field.wire == kBytes && !readVarint(model, at, end, size))
    return false;
  field.value = at;
  if (field.wire == kVarint) {
    uint64_t number = 0;
    if (!readVarint(model, at, end, number))
      return false;
    size = at - field.value;
  } else if (field.wire == kFixed64) {
    size = 8;
  } else if (field.wire == kFixed32) {
    size = 4;
  } else if (field.wire != kBytes) {
    return false;
  }
  if (size > end - field.value)
    return false;
  at = field.end = field.value + size;
  return true;
}

static void addFields(StringRef model, size_t at, size_t end, Message parent, int outer, std::vector<Field> &fields) {
  Field field = {};
  while (at < end && readField(model, at, end, field)) {
    field.parent = parent;
    field.outer = outer;
    field.message = field.wire == kBytes ? messageOf(parent, field.number) : Message::None;
    field.isWeights =
        parent == Message::Tensor && holdsNumbers(field.number) && field.end - field.value > kSmallTensorBytes;
    fields.push_back(field);
    if (field.message != Message::None)
      addFields(model, field.value, field.end, field.message, static_cast<int>(fields.size()) - 1, fields);
  }
}

std::vector<Field> fieldsOf(StringRef model) {
  std::vector<Field> fields;
  addFields(model, 0, model.size(), Message::Model, -1, fields);
  return fields;
}

std::string varint(uint64_t number) {
  std::string bytes;
  for (; number >= 0x80; number >>= 7)
    bytes += static_cast<char>(number | 0x80);
  return bytes + static_cast<char>(number);
}

std::string fieldWith(const Field &field, StringRef value) {
  std::string bytes = varint(uint64_t(field.number) << 3 | field.wire);
  if (field.wire == kBytes)
    bytes += varint(value.size());
  return bytes + value.str();
}

std::string replaceField(StringRef model, const std::vector<Field> &fields, size_t at, std::string bytes) {
  size_t begin = fields[at].begin, end = fields[at].end;
  for (int i = fields[at].outer; i >= 0; i = fields[i].outer) {
    const Field &outer = fields[i];
    bytes =
        fieldWith(outer, (llvm::Twine(model.slice(outer.value, begin)) + bytes + model.slice(end, outer.end)).str());
    begin = outer.begin;
    end = outer.end;
  }
  return (llvm::Twine(model.take_front(begin)) + bytes + model.drop_front(end)).str();
}

} // namespace dyadic::mutation
