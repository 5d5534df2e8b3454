// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Files, tensors and exceptions of onnx.

#include "OnnxModel.h"
#include "dyadic/Import/OnnxImport.h"
#include "onnx/checker.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include <cmath>
#include <google/protobuf/stubs/logging.h>

using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

namespace dyadic::importer {

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

static constexpr uint64_t kMaxMessageBytes = uint64_t(1) << 31;

static Error tooLarge(StringRef name, uint64_t bytes) {
  return fileError(name, "has " + llvm::Twine(bytes) +
                             " bytes, expected less than 2 GiB (larger models keep their weights as external data)");
}

Error parseMessage(StringRef name, StringRef bytes, google::protobuf::MessageLite &message, const char *kind) {
  if (bytes.empty())
    return fileError(name, "is empty, expected " + llvm::Twine(kind));
  if (bytes.size() >= kMaxMessageBytes)
    return tooLarge(name, bytes.size());
  google::protobuf::LogSilencer silencer;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return fileError(name, "is truncated or not " + llvm::Twine(kind) + " (protobuf cannot parse it)");
  return Error::success();
}

Error readMessage(StringRef path, google::protobuf::MessageLite &message, const char *kind) {
  llvm::sys::fs::file_status status;
  if (std::error_code code = llvm::sys::fs::status(path, status))
    return fileError(path, "cannot be read: " + llvm::Twine(code.message()));
  if (status.type() == llvm::sys::fs::file_type::directory_file)
    return fileError(path, "is a directory, expected " + llvm::Twine(kind));
  if (status.type() != llvm::sys::fs::file_type::regular_file)
    return fileError(path, "is not a regular file, expected " + llvm::Twine(kind));
  if (status.getSize() >= kMaxMessageBytes)
    return tooLarge(path, status.getSize());
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return fileError(path, "cannot be read: " + llvm::Twine(buffer.getError().message()));
  return parseMessage(path, (*buffer)->getBuffer(), message, kind);
}

//===----------------------------------------------------------------------===//
// Element types
//===----------------------------------------------------------------------===//

using Type = onnx::TensorProto;

static constexpr std::pair<int, ElementType> kTypes[] = {
    {Type::FLOAT, ElementType::F32},  {Type::UINT8, ElementType::U8},   {Type::INT8, ElementType::S8},
    {Type::UINT16, ElementType::U16}, {Type::INT16, ElementType::S16},  {Type::INT32, ElementType::S32},
    {Type::INT64, ElementType::S64},  {Type::BOOL, ElementType::Bool},  {Type::DOUBLE, ElementType::F64},
    {Type::UINT32, ElementType::U32}, {Type::UINT64, ElementType::U64},
};

std::optional<ElementType> elementType(int type) {
  for (auto [from, to] : kTypes)
    if (from == type)
      return to;
  return std::nullopt;
}

int onnxType(ElementType type) {
  for (auto [to, from] : kTypes)
    if (from == type)
      return to;
  return Type::UNDEFINED;
}

std::string elementTypeName(int type) {
  if (std::optional<ElementType> known = elementType(type))
    return elementName(*known);
  if (!onnx::TensorProto_DataType_IsValid(type))
    return "number " + std::to_string(type);
  return StringRef(onnx::TensorProto_DataType_Name(type)).lower();
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

std::string tensorLabel(const onnx::TensorProto &proto) {
  return proto.name().empty() ? "a tensor without a name" : "tensor '" + escaped(proto.name()) + "'";
}

namespace {
/// Where external data lies.
struct External {
  std::string location;
  uint64_t offset = 0;
  std::optional<uint64_t> length;
};
} // namespace

static Expected<External> parseExternal(StringRef path, const onnx::TensorProto &proto) {
  External external;
  for (const onnx::StringStringEntryProto &entry : proto.external_data()) {
    uint64_t number = 0;
    if (entry.key() == "location") {
      external.location = entry.value();
    } else if (entry.key() == "offset" || entry.key() == "length") {
      if (StringRef(entry.value()).getAsInteger(10, number))
        return fileError(path, tensorLabel(proto) + ": external data has " + entry.key() + " '" +
                                   escaped(entry.value()) + "', expected a number of bytes");
      if (entry.key() == "offset")
        external.offset = number;
      else
        external.length = number;
    }
  }
  return external;
}

/// Reads external data of exactly `bytes` bytes into `to`. onnx refuses locations
/// outside of the model's folder, links, and anything but regular files.
static Error readExternal(StringRef path, StringRef folder, const onnx::TensorProto &proto, uint64_t bytes,
                          std::vector<uint8_t> &to) {
  Expected<External> external = parseExternal(path, proto);
  if (!external)
    return external.takeError();
  if (folder.empty())
    return fileError(path, tensorLabel(proto) + ": has external data, expected a folder to read it from");
  int64_t file = onnx::checker::open_external_data(folder.str(), external->location, proto.name(), /*read_only=*/true);
  llvm::sys::fs::file_t handle = static_cast<int>(file);
  llvm::scope_exit close([&] { (void)llvm::sys::fs::closeFile(handle); });
  llvm::sys::fs::file_status status;
  if (std::error_code code = llvm::sys::fs::status(static_cast<int>(file), status))
    return fileError(path, tensorLabel(proto) + ": external data cannot be read: " + code.message());
  uint64_t size = status.getSize();
  if (external->offset > size || bytes > size - external->offset)
    return fileError(path, tensorLabel(proto) + ": external data of " + llvm::Twine(bytes) + " bytes at offset " +
                               llvm::Twine(external->offset) + " leaves the " + llvm::Twine(size) + " bytes of '" +
                               escaped(external->location) + "'");
  if (external->length && *external->length != bytes)
    return fileError(path, tensorLabel(proto) + ": external data has length " + llvm::Twine(*external->length) +
                               ", expected the " + llvm::Twine(bytes) + " bytes of its shape");
  to.resize(bytes);
  for (uint64_t done = 0; done < bytes;) {
    llvm::MutableArrayRef<char> rest(reinterpret_cast<char *>(to.data()) + done, bytes - done);
    Expected<size_t> read = llvm::sys::fs::readNativeFileSlice(handle, rest, external->offset + done);
    if (!read)
      return fileError(path, tensorLabel(proto) + ": external data cannot be read: " + toString(read.takeError()));
    if (*read == 0)
      return fileError(path, tensorLabel(proto) + ": external data ends early");
    done += *read;
  }
  return Error::success();
}

template <typename T, typename Field> static bool copyField(const Field &field, Tensor &tensor, int64_t count) {
  if (field.size() != count)
    return false;
  tensor.data.resize(count * sizeof(T));
  for (int64_t i = 0; i < count; ++i)
    tensor.as<T>()[i] = static_cast<T>(field.Get(static_cast<int>(i)));
  return true;
}

/// From the typed field of `proto`; false where its length is not `count`.
static bool copyTyped(const onnx::TensorProto &proto, Tensor &tensor, int64_t count) {
  switch (tensor.type) {
  case ElementType::F32:
    return copyField<float>(proto.float_data(), tensor, count);
  case ElementType::F64:
    return copyField<double>(proto.double_data(), tensor, count);
  case ElementType::S64:
    return copyField<int64_t>(proto.int64_data(), tensor, count);
  case ElementType::U64:
    return copyField<uint64_t>(proto.uint64_data(), tensor, count);
  case ElementType::U32:
    return copyField<uint32_t>(proto.uint64_data(), tensor, count);
  case ElementType::S32:
    return copyField<int32_t>(proto.int32_data(), tensor, count);
  case ElementType::U16:
  case ElementType::S16:
    return copyField<uint16_t>(proto.int32_data(), tensor, count);
  case ElementType::U8:
  case ElementType::S8:
  case ElementType::Bool:
    return copyField<uint8_t>(proto.int32_data(), tensor, count);
  }
  return false;
}

std::string folderOf(StringRef path) {
  StringRef folder = llvm::sys::path::parent_path(path);
  return folder.empty() ? "." : folder.str();
}

Expected<Tensor> decodeTensor(StringRef path, StringRef folder, const onnx::TensorProto &proto) {
  auto fail = [&](const llvm::Twine &what) { return fileError(path, tensorLabel(proto) + ": " + what); };
  std::optional<ElementType> type = isHalf(proto.data_type()) ? ElementType::U16 : elementType(proto.data_type());
  const std::string typeName = elementTypeName(proto.data_type());
  if (!type)
    return fail("element type " + typeName + " is not supported");
  Tensor tensor;
  tensor.type = *type;
  tensor.shape.assign(proto.dims().begin(), proto.dims().end());
  std::optional<int64_t> count = elementCount(tensor.shape);
  if (!count)
    return fail("shape " + shapeText(tensor.shape) + ", expected sizes of at least 0 and at most 2^31 elements");
  if (proto.has_segment())
    return fail("segments are not supported");
  uint64_t bytes = static_cast<uint64_t>(*count) * elementSize(*type);
  if (proto.data_location() == onnx::TensorProto::EXTERNAL) {
    if (Error error = readExternal(path, folder, proto, bytes, tensor.data))
      return error;
  } else if (proto.has_raw_data() && !proto.raw_data().empty()) {
    if (proto.raw_data().size() != bytes)
      return fail("has " + llvm::Twine(proto.raw_data().size()) + " bytes of data, expected " + llvm::Twine(bytes) +
                  " for shape " + shapeText(tensor.shape) + " of " + typeName);
    tensor.data.assign(proto.raw_data().begin(), proto.raw_data().end());
  } else if (!copyTyped(proto, tensor, *count)) {
    return fail("has " +
                llvm::Twine(std::max({proto.float_data_size(), proto.double_data_size(), proto.int64_data_size(),
                                      proto.uint64_data_size(), proto.int32_data_size()})) +
                " values of data, expected " + llvm::Twine(*count) + " for shape " + shapeText(tensor.shape) + " of " +
                typeName);
  }
  return isHalf(proto.data_type()) ? widened(tensor, proto.data_type()) : std::move(tensor);
}

onnx::TensorProto encodeTensor(const std::string &name, const Tensor &tensor) {
  onnx::TensorProto proto;
  proto.set_name(name);
  proto.set_data_type(onnxType(tensor.type));
  for (int64_t size : tensor.shape)
    proto.add_dims(size);
  proto.set_raw_data(std::string(tensor.data.begin(), tensor.data.end()));
  return proto;
}

template <typename Predicate> static bool anyReal(const Tensor &tensor, Predicate predicate) {
  if (tensor.type == ElementType::F32)
    return std::any_of(tensor.as<float>(), tensor.as<float>() + tensor.size(), predicate);
  if (tensor.type == ElementType::F64)
    return std::any_of(tensor.as<double>(), tensor.as<double>() + tensor.size(), predicate);
  return false;
}

bool hasNaN(const Tensor &tensor) {
  return anyReal(tensor, [](auto value) { return std::isnan(value); });
}

bool hasNonFinite(const Tensor &tensor) {
  return anyReal(tensor, [](auto value) { return !std::isfinite(value); });
}

//===----------------------------------------------------------------------===//
// Exceptions
//===----------------------------------------------------------------------===//

/// The part of `text` between the first `before` and the next `after`.
static StringRef between(StringRef text, StringRef before, StringRef after) {
  size_t at = text.find(before);
  if (at == StringRef::npos)
    return {};
  StringRef rest = text.drop_front(at + before.size());
  return rest.contains(after) ? rest.split(after).first : StringRef();
}

/// onnx's messages name their node in one of two ways and run over several lines.
static Error exceptionError(StringRef path, StringRef text) {
  StringRef node = between(text, "node name: ", "): "), message = text;
  if (!node.empty()) { // shape inference; the first fault is enough
    message = text.drop_front(node.end() - text.begin());
    message.consume_front("): ");
    message = message.split("\n(op_type:").first;
  } else if (size_t at = text.find("\n\n==> Context: "); at != StringRef::npos) { // checker
    StringRef context = text.drop_front(at);
    node = context.drop_front(std::min(context.size(), context.find("Name: ") + 6)).split(" OpType: ").first;
    message = text.take_front(at);
  }
  // onnx's assertions start with a place in its sources.
  if (message.contains("Assertion `"))
    message = message.contains("` failed: ") ? message.split("` failed: ").second
                                             : between(message, "Assertion `", "` failed");
  std::string line;
  for (char c : message.trim())
    if (!(c == ' ' || c == '\n' || c == '\t') || (!line.empty() && line.back() != ' '))
      line += c == '\n' || c == '\t' ? ' ' : c;
  StringRef rest = line;
  while (rest.consume_front("[ShapeInferenceError] ") || rest.consume_front("[TypeInferenceError] ") ||
         rest.consume_front("Inference error(s): "))
    ;
  std::string shown = printable(rest.rtrim(" .").take_front(400));
  if (!shown.empty() && shown.size() > 1 && llvm::isLower(shown[1]))
    shown[0] = llvm::toLower(shown[0]);
  return node.empty() ? fileError(path, shown) : nodeError(path, node, shown);
}

Error guarded(StringRef path, llvm::function_ref<Error()> body) {
  try {
    google::protobuf::LogSilencer silencer;
    return body();
  } catch (const std::bad_alloc &) {
    return fileError(path, "there is not enough memory to import it");
  } catch (const std::exception &exception) {
    return exceptionError(path, exception.what());
  } catch (...) {
    return fileError(path, "onnx failed for an unknown reason");
  }
}

} // namespace dyadic::importer

Expected<dyadic::Tensor> dyadic::readTensorProto(StringRef path) {
  Tensor tensor;
  Error error = importer::guarded(path, [&]() -> Error {
    onnx::TensorProto proto;
    if (Error error = importer::readMessage(path, proto, "a serialized TensorProto"))
      return error;
    if (proto.data_type() == onnx::TensorProto::UNDEFINED)
      return fileError(path, "is not a serialized TensorProto: it has no element type");
    Expected<Tensor> decoded = importer::decodeTensor(path, importer::folderOf(path), proto);
    if (!decoded)
      return decoded.takeError();
    tensor = std::move(*decoded);
    return Error::success();
  });
  if (error)
    return error;
  return tensor;
}
