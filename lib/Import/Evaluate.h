// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A small evaluator of nodes over constants. Exporters compute shapes, pads and
// slices with chains of nodes; they must be numbers before the graph is imported.

#ifndef DYADIC_LIB_IMPORT_EVALUATE_H
#define DYADIC_LIB_IMPORT_EVALUATE_H

#include "Graph.h"

namespace dyadic::importer {

/// Results that may have more elements than any operand stay small.
inline constexpr int64_t kMaxEvaluated = int64_t(1) << 20;

/// All results of `node`, in the form of any opset; nothing where an operand is not in
/// `constants`, or where the operation, an element type or the number of elements is
/// none that is evaluated here. `shapes` has static shapes of other values.
std::optional<std::vector<Tensor>> evaluate(const Node &node, const Constants &constants,
                                            const std::unordered_map<std::string, Shape> &shapes);

/// Element-wise operations with NumPy's broadcasting (EvaluateArithmetic.cpp).
std::optional<Tensor> evaluateUnary(const std::string &op, const Tensor &x);
std::optional<Tensor> evaluateBinary(const std::string &op, const Tensor &a, const Tensor &b);
/// ReduceProd, ReduceSum, ReduceMin, ReduceMax and ReduceMean over the dimensions in `isReduced`.
std::optional<Tensor> evaluateReduction(const std::string &op, const Tensor &x, const std::vector<bool> &isReduced,
                                        bool keepsDimensions);
std::optional<Tensor> evaluateRange(const Tensor &start, const Tensor &limit, const Tensor &delta);
std::optional<Tensor> evaluateWhere(const Tensor &condition, const Tensor &a, const Tensor &b);
std::optional<Tensor> evaluateCast(const Tensor &x, ElementType to);
/// `x` repeated along its dimensions of size 1 up to `shape`, to which it broadcasts.
Tensor broadcastTo(const Tensor &x, const Shape &shape);
/// NumPy's common shape; nothing where there is none.
std::optional<Shape> commonShape(const Shape &a, const Shape &b);
/// The same; nothing also where it has too many elements to evaluate.
std::optional<Shape> evaluatedShape(const Shape &a, const Shape &b);

/// ONNX's Slice along one dimension, with clamped bounds.
struct SliceRange {
  int64_t offset, step, count; // count 0: empty
};
/// `size` at least 1, `step` not 0.
SliceRange sliceRange(int64_t size, int64_t start, int64_t end, int64_t step);

/// `axis` counted from the end where it is negative; nothing outside of [-rank, rank).
std::optional<int64_t> normalAxis(int64_t axis, int64_t rank);
/// ONNX's rules for Reshape (0 copies unless `allowZero`, -1 is the rest); nothing where they cannot hold.
std::optional<Shape> reshapedShape(const Shape &from, const std::vector<int64_t> &to, bool allowZero);
/// `axes` absent: all dimensions of size 1.
std::optional<Shape> squeezedShape(const Shape &from, const std::optional<std::vector<int64_t>> &axes);
std::optional<Shape> unsqueezedShape(const Shape &from, const std::vector<int64_t> &axes);
/// `tensor` with its dimensions permuted; `permutation` is one.
Tensor transposed(const Tensor &tensor, const std::vector<int64_t> &permutation);
bool isPermutation(const std::vector<int64_t> &permutation, size_t rank);

/// The lengths of the parts that Split makes of `size` elements: `given`, or equal but
/// for the last; nothing where they cannot be.
std::optional<Shape> partLengths(const Node &node, const std::optional<Shape> &given, int64_t size);
/// Which dimensions of an operand of rank `rank` a reduction with `axes` reduces;
/// nothing where an axis is out of range or there twice.
std::optional<std::vector<bool>> reducedDimensions(const Node &node, const std::optional<Shape> &axes, size_t rank);

/// Operand `i` as integers, or the attribute of old opsets; `constants` must hold the operand.
std::optional<std::vector<int64_t>> intsOperand(const Node &node, size_t i, const char *attribute,
                                                const Constants &constants);

} // namespace dyadic::importer

#endif // DYADIC_LIB_IMPORT_EVALUATE_H
