// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Conversion/DotProbe.h"
#include "DotBuilder.h"
#include "dyadic/Support/AccumulatorPlan.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

std::string DotSequence::name() const {
  std::string text = stringifyDot(dot).str();
  return dot == Dot::Maddubs ? text + " x" + std::to_string(group) : text;
}

std::optional<DotSequence> DotSequence::parse(StringRef name) {
  auto [instruction, group] = name.split(" x");
  std::optional<Dot> dot = symbolizeDot(instruction);
  DotSequence sequence{dot.value_or(Dot::Maddubs)};
  bool hasGroup = instruction.size() != name.size();
  if (!dot || hasGroup != (*dot == Dot::Maddubs) ||
      (hasGroup && (group.getAsInteger(10, sequence.group) || sequence.group < 1)))
    return std::nullopt;
  return sequence;
}

int64_t buildDotProbe(OpBuilder &builder, Location location, StringRef name, const DotSequence &sequence,
                      int64_t lanes) {
  if (sequence.dot != Dot::Maddubs && sequence.dot != Dot::Maddwd && sequence.dot != Dot::Dpbusd &&
      sequence.dot != Dot::Dpwssd)
    return 0;
  constexpr int64_t kSums = 12;
  int64_t repetitions = std::max<int64_t>(1, 64 / sequence.group);
  auto pointer = LLVM::LLVMPointerType::get(builder.getContext());
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(builder.getContext()), {pointer});
  auto function = LLVM::LLVMFuncOp::create(builder, location, name, type);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(function.addEntryBlock(builder));
  VectorBuilder b(builder, location);
  DotBuilder dots(b, sequence.dot, /*flip=*/false, lanes);
  VectorType words = b.vector(dots.lanes, 32);
  Value data = function.getArgument(0);
  auto at = [&](int64_t i) { return b.address(data, i * 4 * dots.lanes); };
  SmallVector<Value> sums;
  for (int64_t i = 0; i < kSums; ++i)
    sums.push_back(b.load(words, at(i)));
  Value x = b.load(words, at(kSums)), w = b.load(words, at(kSums + 1));
  // Another number in the same register, for all that the compiler knows; no instruction.
  auto next = [&] {
    x = LLVM::InlineAsmOp::create(builder, location, words, ValueRange{x}, "", "=x,0", /*has_side_effects=*/false,
                                  /*is_align_stack=*/false, LLVM::TailCallKind::None, LLVM::AsmDialectAttr(),
                                  ArrayAttr())
            .getResult(0);
    return x;
  };
  for (int64_t i = 0; i < repetitions; ++i) {
    if (sequence.group > kUnrolledGroup) {
      SmallVector<Value> groups(kSums, dots.emptyGroup());
      for (int64_t block = 0; block < sequence.group; ++block)
        for (Value &group : groups)
          group = dots.addToGroup(group, next(), w);
      for (auto [sum, group] : llvm::zip(sums, groups))
        sum = dots.addGroup(sum, group);
      continue;
    }
    for (Value &sum : sums) {
      SmallVector<Value> xs;
      for (int64_t block = 0; block < sequence.group; ++block)
        xs.push_back(next());
      sum = dots.accumulate(sum, xs, SmallVector<Value>(sequence.group, w));
    }
  }
  for (auto [i, sum] : llvm::enumerate(sums))
    b.store(sum, at(static_cast<int64_t>(i)));
  LLVM::ReturnOp::create(builder, location, ValueRange());
  return kSums * repetitions * sequence.group * dots.lanes * blockInputs(sequence.dot);
}

} // namespace dyadic
