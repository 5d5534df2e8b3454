// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Kernels.h"
#include <algorithm>
#include <cmath>
#include <cstring>
#ifdef __x86_64__
#include <immintrin.h>
#endif

#define INLINE [[gnu::always_inline]] static inline

namespace dyadic {

using V2 [[gnu::vector_size(16)]] = double;
using V4 [[gnu::vector_size(32)]] = double;
using V8 [[gnu::vector_size(64)]] = double;

template <typename V> INLINE void load(V &to, const double *from) { std::memcpy(&to, from, sizeof(V)); }
template <typename V> INLINE void store(double *to, const V &from) { std::memcpy(to, &from, sizeof(V)); }

/// A tile of C of kRows x kVectors vectors; `a` has kRows numbers, and `b` as many as a row of the tile, for each step.
template <typename V, int kRows, int kVectors, bool kIsFused = false>
INLINE void addTile(size_t depth, const double *a, const double *b, double *c, size_t stride) {
  constexpr size_t kLanes = sizeof(V) / sizeof(double);
  V sums[kRows][kVectors];
  for (int r = 0; r < kRows; ++r)
    for (int v = 0; v < kVectors; ++v)
      load(sums[r][v], c + r * stride + v * kLanes);
  for (size_t k = 0; k < depth; ++k, a += kRows, b += kVectors * kLanes) {
    V columns[kVectors];
    for (int v = 0; v < kVectors; ++v)
      load(columns[v], b + v * kLanes);
    for (int r = 0; r < kRows; ++r)
      for (int v = 0; v < kVectors; ++v) {
        if constexpr (kIsFused) {
          sums[r][v] = __builtin_elementwise_fma(columns[v], V{} + a[r], sums[r][v]);
        } else {
          V product = columns[v] * a[r];
          sums[r][v] = sums[r][v] + product;
        }
      }
  }
  for (int r = 0; r < kRows; ++r)
    for (int v = 0; v < kVectors; ++v)
      store(c + r * stride + v * kLanes, sums[r][v]);
}

/// Some lines of a block, from `first` on: a chunk stays in registers while its inputs are rounded in turn.
template <typename V> INLINE void roundChunk(const LineBlock &block, size_t first) {
  constexpr size_t kLanes = sizeof(V) / sizeof(double), kVectors = 4;
  constexpr double kRounder = 6755399441055744.0; // 1.5 * 2^52: adding it rounds to integers, ties to even
  const V most = V{} + block.most, least = -most;
  for (size_t line = first; line < first + kLines; line += kVectors * kLanes) {
    V scales[kVectors], losses[kVectors];
    for (size_t v = 0; v < kVectors; ++v) {
      load(scales[v], block.scales + line + v * kLanes);
      load(losses[v], block.losses + line + v * kLanes);
    }
    for (size_t j = 0; j < block.inputs; ++j) {
      size_t at = j * block.lines + line;
      V wanted[kVectors];
      for (size_t v = 0; v < kVectors; ++v)
        load(wanted[v], block.wanted + at + v * kLanes);
      for (size_t k = 0; k < j; ++k) {
        double factor = block.U.data[k * block.U.rowStride + j];
        for (size_t v = 0; v < kVectors; ++v) {
          V error;
          load(error, block.errors + k * block.lines + line + v * kLanes);
          V product = error * factor;
          wanted[v] = wanted[v] + product;
        }
      }
      for (size_t v = 0; v < kVectors; ++v) {
        V q = wanted[v] / scales[v], target;
        load(target, block.targets + at + v * kLanes);
        q = q < least ? least : q;
        q = q > most ? most : q;
        q = (q + kRounder) - kRounder;
        V stored = q * scales[v], rest = wanted[v] - stored, square = rest * block.D[j], error = target - stored;
        square = square * rest;
        losses[v] = losses[v] + square;
        store(block.errors + at + v * kLanes, error);
        for (size_t l = 0; l < kLanes; ++l)
          block.q[at + v * kLanes + l] = static_cast<int8_t>(q[l]);
      }
    }
    for (size_t v = 0; v < kVectors; ++v)
      store(block.losses + line + v * kLanes, losses[v]);
  }
}

/// Rows of a part: kPairs sums of two products of numbers up to kMost do not leave 32 bits.
static constexpr size_t kPairs = 256;
static_assert(2 * kPairs * uint64_t(IntegerColumns::kMost) * uint64_t(IntegerColumns::kMost) <= INT32_MAX);

namespace {
/// The loops for one width of vectors.
struct Kernels {
  size_t rows, columns; // of a tile
  void (*addTile)(size_t depth, const double *a, const double *b, double *c, size_t stride);
  void (*addExactTile)(size_t depth, const double *a, const double *b, double *c, size_t stride);
  void (*roundChunk)(const LineBlock &block, size_t first);
  size_t pairRows = 0, pairColumns = 0; // 0: the host has no such instruction
  void (*pairTile)(size_t pairs, const int32_t *a, const int32_t *b, int32_t *sums) = nullptr;
};
} // namespace

static void addTile2(size_t depth, const double *a, const double *b, double *c, size_t stride) {
  addTile<V2, 4, 2>(depth, a, b, c, stride);
}
static void roundChunk2(const LineBlock &block, size_t first) { roundChunk<V2>(block, first); }

#ifdef __x86_64__
[[gnu::target("avx2")]] static void addTile4(size_t depth, const double *a, const double *b, double *c, size_t stride) {
  addTile<V4, 4, 3>(depth, a, b, c, stride);
}
[[gnu::target("avx2,fma")]] static void addExactTile4(size_t depth, const double *a, const double *b, double *c,
                                                      size_t stride) {
  addTile<V4, 4, 3, /*kIsFused=*/true>(depth, a, b, c, stride);
}
[[gnu::target("avx2")]] static void roundChunk4(const LineBlock &block, size_t first) { roundChunk<V4>(block, first); }
[[gnu::target("avx512f")]] static void addTile8(size_t depth, const double *a, const double *b, double *c,
                                                size_t stride) {
  addTile<V8, 8, 3>(depth, a, b, c, stride);
}
[[gnu::target("avx512f")]] static void addExactTile8(size_t depth, const double *a, const double *b, double *c,
                                                     size_t stride) {
  addTile<V8, 8, 3, /*kIsFused=*/true>(depth, a, b, c, stride);
}
[[gnu::target("avx512f")]] static void roundChunk8(const LineBlock &block, size_t first) {
  roundChunk<V8>(block, first);
}

static constexpr size_t kPairColumns4 = 16, kPairColumns8 = 48;
/// A tile of kRows x kVectors vectors of sums over pairs of rows; panels have `width` columns. A macro, as no function
/// that is compiled for the instruction can be an argument of one that is not.
#define PAIR_TILE(NAME, TARGET, V, kRows, kVectors, width, LOAD, SET, DOT, ADD, STORE)                                 \
  [[gnu::target(TARGET)]] static void NAME(size_t pairs, const int32_t *a, const int32_t *b, int32_t *sums) {          \
    constexpr size_t kLanes = sizeof(V) / sizeof(int32_t);                                                             \
    V tile[kRows][kVectors] = {};                                                                                      \
    for (size_t p = 0; p < pairs; ++p, a += width, b += width) {                                                       \
      V across[kVectors];                                                                                              \
      for (int v = 0; v < kVectors; ++v)                                                                               \
        across[v] = LOAD(b + v * kLanes);                                                                              \
      for (int r = 0; r < kRows; ++r)                                                                                  \
        for (int v = 0; v < kVectors; ++v)                                                                             \
          tile[r][v] = ADD(tile[r][v], DOT(SET(a[r]), across[v]));                                                     \
    }                                                                                                                  \
    for (int r = 0; r < kRows; ++r)                                                                                    \
      for (int v = 0; v < kVectors; ++v)                                                                               \
        STORE(sums + r * width + v * kLanes, tile[r][v]);                                                              \
  }
#define LOAD4(from) _mm256_loadu_si256(reinterpret_cast<const __m256i *>(from))
#define STORE4(to, value) _mm256_storeu_si256(reinterpret_cast<__m256i *>(to), value)
PAIR_TILE(pairTile4, "avx2", __m256i, 4, 2, kPairColumns4, LOAD4, _mm256_set1_epi32, _mm256_madd_epi16,
          _mm256_add_epi32, STORE4)
PAIR_TILE(pairTile8, "avx512bw", __m512i, 8, 3, kPairColumns8, _mm512_loadu_si512, _mm512_set1_epi32, _mm512_madd_epi16,
          _mm512_add_epi32, _mm512_storeu_si512)
#undef LOAD4
#undef STORE4
#undef PAIR_TILE
#endif

static const Kernels &hostKernels() {
  static const Kernels kernels = [] {
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512bw"))
      return Kernels{8, 24, addTile8, addExactTile8, roundChunk8, 8, kPairColumns8, pairTile8};
    if (__builtin_cpu_supports("avx512f"))
      return Kernels{8, 24, addTile8, addExactTile8, roundChunk8, 4, kPairColumns4, pairTile4};
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
      return Kernels{4, 12, addTile4, addExactTile4, roundChunk4, 4, kPairColumns4, pairTile4};
#endif
    return Kernels{4, 4, addTile2, addTile2, roundChunk2};
  }();
  return kernels;
}

void roundLines(const LineBlock &block) {
  for (size_t first = 0; first < block.lines; first += kLines)
    hostKernels().roundChunk(block, first);
}

std::optional<IntegerColumns> IntegerColumns::pack(const float *rows, size_t count, size_t columns) {
  size_t width = hostKernels().pairColumns;
  bool areSmall = width > 0;
  for (size_t i = 0; areSmall && i < count; ++i)
    for (size_t j = 0; j < columns; ++j)
      areSmall &=
          std::fabs(rows[i * columns + j]) <= kMost && std::trunc(rows[i * columns + j]) == rows[i * columns + j];
  if (!areSmall)
    return std::nullopt;
  IntegerColumns packed;
  packed.columns = columns;
  for (size_t begin = 0; begin < count; begin += 2 * kPairs) {
    size_t end = std::min(begin + 2 * kPairs, count), pairs = (end - begin + 1) / 2;
    std::vector<int32_t> part((columns + width - 1) / width * width * pairs);
    for (size_t i = begin; i < end; ++i)
      for (size_t j = 0; j < columns; ++j) {
        auto number = static_cast<uint16_t>(static_cast<int16_t>(rows[i * columns + j]));
        size_t pair = (i - begin) / 2, at = (j / width * pairs + pair) * width + j % width;
        part[at] |= static_cast<int32_t>(uint32_t(number) << 16 * ((i - begin) % 2));
      }
    packed.parts.push_back(std::move(part));
  }
  return packed;
}

void IntegerColumns::addProducts(size_t first, size_t height, double *c, size_t stride) const {
  const Kernels &kernels = hostKernels();
  size_t width = kernels.pairColumns, panels = (columns + width - 1) / width, last = first + height;
  std::vector<int32_t> sums(kernels.pairRows * width);
  for (const std::vector<int32_t> &part : parts) {
    size_t pairs = part.size() / (panels * width);
    for (size_t left = 0; left < last; left += width)
      for (size_t i = first; i < last; i += kernels.pairRows) {
        kernels.pairTile(pairs, part.data() + i / width * width * pairs + i % width, part.data() + left * pairs,
                         sums.data());
        for (size_t r = 0; r < std::min(kernels.pairRows, last - i); ++r)
          for (size_t j = 0; j < std::min(width, last - left); ++j)
            c[(i - first + r) * stride + left + j] += sums[r * width + j];
      }
  }
}

/// `depth` x `columns` numbers in panels of `width` columns; the last one is padded with zeros.
static void packPanels(StridedMatrix from, size_t depth, size_t columns, size_t width, std::vector<double> &panels) {
  panels.resize(std::max(panels.size(), (columns + width - 1) / width * width * depth));
  for (size_t first = 0; first < columns; first += width) {
    size_t count = std::min(width, columns - first);
    double *to = panels.data() + first * depth;
    for (size_t k = 0; k < depth; ++k, to += width) {
      const double *row = from.data + k * from.rowStride + first * from.columnStride;
      if (from.columnStride == 1)
        std::copy_n(row, count, to);
      else
        for (size_t j = 0; j < count; ++j)
          to[j] = row[j * from.columnStride];
      std::fill(to + count, to + width, 0.0);
    }
  }
}

void addProduct(size_t rows, size_t columns, size_t depth, StridedMatrix a, StridedMatrix b, double *c, size_t stride,
                bool areExact) {
  // What a cache holds: a panel of B in the first one, some of them in the second.
  constexpr size_t kDepth = 256, kColumns = 384;
  const Kernels &kernels = hostKernels();
  auto addTile = areExact ? kernels.addExactTile : kernels.addTile;
  thread_local std::vector<double> panelsA, panelsB; // not made anew for every product
  std::vector<double> tile(kernels.rows * kernels.columns);
  for (size_t k = 0; k < depth; k += kDepth) {
    size_t steps = std::min(kDepth, depth - k);
    packPanels({a.data + k * a.columnStride, a.columnStride, a.rowStride}, steps, rows, kernels.rows, panelsA);
    for (size_t left = 0; left < columns; left += kColumns) {
      size_t width = std::min(kColumns, columns - left);
      packPanels({b.data + k * b.rowStride + left, b.rowStride, 1}, steps, width, kernels.columns, panelsB);
      for (size_t i = 0; i < rows; i += kernels.rows)
        for (size_t j = 0; j < width; j += kernels.columns) {
          const double *panelA = panelsA.data() + i * steps, *panelB = panelsB.data() + j * steps;
          double *to = c + i * stride + left + j;
          size_t height = std::min(kernels.rows, rows - i), across = std::min(kernels.columns, width - j);
          if (height == kernels.rows && across == kernels.columns) {
            addTile(steps, panelA, panelB, to, stride);
            continue;
          }
          for (size_t r = 0; r < height; ++r)
            std::copy_n(to + r * stride, across, tile.data() + r * kernels.columns);
          addTile(steps, panelA, panelB, tile.data(), kernels.columns);
          for (size_t r = 0; r < height; ++r)
            std::copy_n(tile.data() + r * kernels.columns, across, to + r * stride);
        }
    }
  }
}

} // namespace dyadic
