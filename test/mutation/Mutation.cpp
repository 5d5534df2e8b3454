// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Mutation.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/Twine.h"
#include <algorithm>
#include <random>

using llvm::StringRef;

namespace dyadic::mutation {

namespace {
/// Random numbers that are the same everywhere: the standard fixes the engine, not its distributions.
class Draw {
public:
  explicit Draw(uint64_t seed) : engine(seed) {}
  /// In [0, count).
  uint64_t below(uint64_t count) { return engine() % count; }
  template <typename T> T of(llvm::ArrayRef<T> list) { return list[below(list.size())]; }

private:
  std::mt19937_64 engine;
};
} // namespace

Places::Places(StringRef model) : model(model), fields(fieldsOf(model)) {
  std::vector<bool> isWeight(model.size());
  for (const Field &field : fields) {
    if (field.isWeights)
      std::fill(isWeight.begin() + field.value, isWeight.begin() + field.end, true);
    else if (field.message == Message::None)
      for (size_t at = field.value; at < field.end; ++at)
        values.push_back(at);
  }
  for (size_t at = 0; at < model.size(); ++at)
    if (!isWeight[at])
      structure.push_back(at);
}

static std::string cutOff(const Places &places, Draw &draw) {
  size_t size = draw.below(2) ? draw.of<size_t>(places.structure) : draw.below(places.model.size());
  return places.model.take_front(size).str();
}

/// Removes, repeats or overwrites up to 64 bytes in a row.
static std::string changeRun(const Places &places, Draw &draw) {
  size_t at = draw.of<size_t>(places.structure);
  StringRef before = places.model.take_front(at), run = places.model.substr(at, 1 + draw.below(64)),
            rest = places.model.drop_front(at + run.size());
  switch (draw.below(3)) {
  case 0:
    return (llvm::Twine(before) + rest).str();
  case 1:
    return (llvm::Twine(before) + run + run + rest).str();
  default:
    return (llvm::Twine(before) + std::string(run.size(), draw.below(2) ? '\xff' : '\0') + rest).str();
  }
}

/// Changes 1 to 16 bytes, near each other or not: half of them values, a quarter anywhere outside of weights.
static std::string changeBytes(const Places &places, Draw &draw) {
  std::string changed = places.model.str();
  uint64_t kind = draw.below(4);
  llvm::ArrayRef<size_t> list = kind < 2 ? places.values : places.structure;
  bool isAnywhere = kind == 3;
  size_t size = isAnywhere ? changed.size() : list.size(), start = draw.below(size);
  size_t span = draw.of<size_t>({1, 16, 256, size});
  for (size_t count = draw.of<size_t>({1, 1, 2, 4, 16}); count > 0; --count) {
    size_t index = (start + draw.below(span)) % size;
    char &byte = changed[isAnywhere ? index : list[index]];
    switch (draw.below(4)) {
    case 0:
      byte ^= 1 << draw.below(8);
      break;
    case 1:
      byte = static_cast<char>(draw.below(256));
      break;
    default:
      byte = draw.below(2) ? '\xff' : '\0';
    }
  }
  return changed;
}

static std::string extremeValue(const Field &field, Draw &draw) {
  static const uint64_t kNumbers[] = {0,          1,        2,         3,          7,          16,
                                      1000,       1u << 16, 1u << 31,  1ull << 32, 1ull << 62, INT64_MAX,
                                      1ull << 63, ~0ull,    ~0ull - 1, ~0ull - 99};
  uint64_t number = draw.of<uint64_t>(kNumbers);
  if (field.wire == kVarint)
    return varint(number);
  if (field.wire != kBytes) { // a float or double: small numbers, NaN, infinities
    static const uint64_t kReals[] = {0, 1, 0x3f800000, 0x7f800000, 0x7fc00000, 0xff7fffff, 0x7ff0000000000000};
    uint64_t bits = draw.of<uint64_t>(kReals);
    std::string bytes;
    for (size_t i = field.value; i < field.end; ++i, bits >>= 8)
      bytes += static_cast<char>(bits);
    return bytes;
  }
  switch (draw.below(6)) {
  case 0:
    return "";
  case 1:
    return "\x1b[31m\n\xc2\x9b\xe2\x80\xae"; // control characters of ASCII, of UTF-8, and one that turns text around
  case 2:
    return "\xff\xfe";
  case 3:
    return std::string(100000, 'x');
  case 4:
    return varint(number); // packed
  default:
    return std::string(8, '\0');
  }
}

/// Another field that may stand where `field` does.
static StringRef another(StringRef model, const std::vector<Field> &fields, const Field &field, Draw &draw) {
  std::vector<const Field *> found;
  for (const Field &other : fields)
    if (other.parent == field.parent && other.number == field.number)
      found.push_back(&other);
  const Field *other = draw.of<const Field *>(found);
  return model.slice(other->begin, other->end);
}

static std::string changeField(StringRef model, const std::vector<Field> &fields, Draw &draw) {
  size_t at = draw.below(fields.size());
  const Field &field = fields[at];
  StringRef bytes = model.slice(field.begin, field.end);
  switch (draw.below(field.message == Message::None ? 6 : 3)) {
  case 0:
    return replaceField(model, fields, at, "");
  case 1:
    return replaceField(model, fields, at, (llvm::Twine(bytes) + bytes).str());
  case 2:
  case 3:
    return replaceField(model, fields, at, another(model, fields, field, draw).str());
  default:
    return replaceField(model, fields, at, fieldWith(field, extremeValue(field, draw)));
  }
}

static std::string changeFields(const Places &places, Draw &draw) {
  std::string changed = changeField(places.model, places.fields, draw);
  for (size_t more = draw.of<size_t>({0, 0, 1, 3}); more > 0; --more)
    if (std::vector<Field> fields = fieldsOf(changed); !fields.empty())
      changed = changeField(changed, fields, draw);
  return changed;
}

std::string mutate(const Places &places, uint64_t seed) {
  Draw draw(seed);
  switch (draw.below(10)) {
  case 0:
    return cutOff(places, draw);
  case 1:
    return changeRun(places, draw);
  case 2:
  case 3:
  case 4:
  case 5:
    return changeBytes(places, draw);
  default:
    return changeFields(places, draw);
  }
}

} // namespace dyadic::mutation
