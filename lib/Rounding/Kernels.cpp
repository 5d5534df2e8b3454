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
template <typename V> INLINE void load(V &to, const float *from) {
  using Floats [[gnu::vector_size(sizeof(V) / 2)]] = float;
  Floats numbers;
  std::memcpy(&numbers, from, sizeof numbers);
  to = __builtin_convertvector(numbers, V);
}
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

/// `depth` rows of kVectors vectors, one after the other.
template <typename V, int kVectors, typename T>
INLINE void packRows(const T *from, size_t stride, size_t depth, double *to) {
  constexpr size_t kLanes = sizeof(V) / sizeof(double);
  for (size_t k = 0; k < depth; ++k, from += stride, to += kVectors * kLanes)
    for (int v = 0; v < kVectors; ++v) {
      V numbers;
      load(numbers, from + v * kLanes);
      store(to + v * kLanes, numbers);
    }
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

static constexpr int kMostVectors = 3; // across a tile

namespace {
/// The loops for one width of vectors and type of numbers, by vectors across.
template <typename T> struct ProductKernels {
  using Tile = void (*)(size_t depth, const double *a, const double *b, double *c, size_t stride);
  using Pack = void (*)(const T *from, size_t stride, size_t depth, double *to);
  Tile tiles[kMostVectors], lines[kMostVectors]; // of all rows, and of one
  Pack pack[kMostVectors];
};

/// The loops for one width of vectors.
struct Kernels {
  size_t lanes, rows; // of a tile
  ProductKernels<double> doubles;
  ProductKernels<float> floats;
  void (*roundChunk)(const LineBlock &block, size_t first);
  size_t pairRows = 0, pairColumns = 0; // 0: the host has no such instruction
  void (*pairTile)(size_t pairs, const int32_t *a, const int32_t *b, int32_t *sums) = nullptr;

  template <typename T> const ProductKernels<T> &of() const {
    if constexpr (std::is_same_v<T, float>)
      return floats;
    else
      return doubles;
  }
};
} // namespace

/// The loops of N lanes. A macro, as a target is no argument of a template.
#define KERNELS(N, kTileRows, TARGET, kIsFused)                                                                        \
  template <typename T, int kRows, int kVectors>                                                                       \
  TARGET static void addTile##N(size_t depth, const double *a, const double *b, double *c, size_t stride) {            \
    addTile<V##N, kRows, kVectors, kIsFused && std::is_same_v<T, float>>(depth, a, b, c, stride);                      \
  }                                                                                                                    \
  template <typename T, int kVectors>                                                                                  \
  TARGET static void packRows##N(const T *from, size_t stride, size_t depth, double *to) {                             \
    packRows<V##N, kVectors>(from, stride, depth, to);                                                                 \
  }                                                                                                                    \
  TARGET static void roundChunk##N(const LineBlock &block, size_t first) { roundChunk<V##N>(block, first); }           \
  template <typename T>                                                                                                \
  static constexpr ProductKernels<T> kProducts##N = {                                                                  \
      {addTile##N<T, kTileRows, 1>, addTile##N<T, kTileRows, 2>, addTile##N<T, kTileRows, 3>},                         \
      {addTile##N<T, 1, 1>, addTile##N<T, 1, 2>, addTile##N<T, 1, 3>},                                                 \
      {packRows##N<T, 1>, packRows##N<T, 2>, packRows##N<T, 3>}};
KERNELS(2, 4, , false)
#ifdef __x86_64__
KERNELS(4, 4, [[gnu::target("avx2,fma")]], true)
KERNELS(8, 8, [[gnu::target("avx512f")]], true)

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
#undef KERNELS

static const Kernels &hostKernels() {
  static const Kernels kernels = [] {
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512bw"))
      return Kernels{8, 8, kProducts8<double>, kProducts8<float>, roundChunk8, 8, kPairColumns8, pairTile8};
    if (__builtin_cpu_supports("avx512f"))
      return Kernels{8, 8, kProducts8<double>, kProducts8<float>, roundChunk8, 4, kPairColumns4, pairTile4};
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
      return Kernels{4, 4, kProducts4<double>, kProducts4<float>, roundChunk4, 4, kPairColumns4, pairTile4};
#endif
    return Kernels{2, 4, kProducts2<double>, kProducts2<float>, roundChunk2};
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

/// `depth` x `columns` numbers in panels of `width` columns; the last one is padded with zeros, unless it may be a
/// line.
template <typename T>
static void packPanels(StridedMatrix<T> from, size_t depth, size_t columns, size_t width, bool hasLines,
                       std::vector<double> &panels) {
  const Kernels &kernels = hostKernels();
  panels.resize(std::max(panels.size(), (columns + width - 1) / width * width * depth));
  for (size_t first = 0; first < columns; first += width) {
    size_t count = std::min(width, columns - first), padded = hasLines && count == 1 ? 1 : width;
    const T *row = from.data + first * from.columnStride;
    double *to = panels.data() + first * depth;
    if (from.columnStride == 1 && count == width) {
      kernels.of<T>().pack[width / kernels.lanes - 1](row, from.rowStride, depth, to);
      continue;
    }
    for (size_t k = 0; k < depth; ++k, row += from.rowStride, to += padded) {
      for (size_t j = 0; j < count; ++j)
        to[j] = row[j * from.columnStride];
      for (size_t j = count; j < padded; ++j)
        to[j] = 0;
    }
  }
}

template <typename T>
static void addProductOf(size_t rows, size_t columns, size_t depth, StridedMatrix<T> a, StridedMatrix<T> b, double *c,
                         size_t stride) {
  // What a cache holds: a panel of B in the first one, some of them in the second.
  constexpr size_t kDepth = 256, kColumns = 384;
  const Kernels &kernels = hostKernels();
  size_t vectors = std::min<size_t>((columns + kernels.lanes - 1) / kernels.lanes, kMostVectors),
         tileColumns = vectors * kernels.lanes;
  auto addTile = kernels.of<T>().tiles[vectors - 1], addLine = kernels.of<T>().lines[vectors - 1];
  thread_local std::vector<double> panelsA, panelsB; // not made anew for every product
  std::vector<double> tile(kernels.rows * tileColumns);
  for (size_t k = 0; k < depth; k += kDepth) {
    size_t steps = std::min(kDepth, depth - k);
    packPanels<T>({a.data + k * a.columnStride, a.columnStride, a.rowStride}, steps, rows, kernels.rows,
                  /*hasLines=*/true, panelsA);
    for (size_t left = 0; left < columns; left += kColumns) {
      size_t width = std::min(kColumns, columns - left);
      packPanels<T>({b.data + k * b.rowStride + left, b.rowStride, 1}, steps, width, tileColumns,
                    /*hasLines=*/false, panelsB);
      for (size_t i = 0; i < rows; i += kernels.rows)
        for (size_t j = 0; j < width; j += tileColumns) {
          const double *panelA = panelsA.data() + i * steps, *panelB = panelsB.data() + j * steps;
          double *to = c + i * stride + left + j;
          size_t height = std::min(kernels.rows, rows - i), across = std::min(tileColumns, width - j);
          auto add = height == 1 ? addLine : addTile;
          if ((height == kernels.rows || height == 1) && across == tileColumns) {
            add(steps, panelA, panelB, to, stride);
            continue;
          }
          for (size_t r = 0; r < height; ++r)
            std::copy_n(to + r * stride, across, tile.data() + r * tileColumns);
          add(steps, panelA, panelB, tile.data(), tileColumns);
          for (size_t r = 0; r < height; ++r)
            std::copy_n(tile.data() + r * tileColumns, across, to + r * stride);
        }
    }
  }
}

void addProduct(size_t rows, size_t columns, size_t depth, StridedMatrix<double> a, StridedMatrix<double> b, double *c,
                size_t stride) {
  addProductOf(rows, columns, depth, a, b, c, stride);
}

void addProduct(size_t rows, size_t columns, size_t depth, StridedMatrix<float> a, StridedMatrix<float> b, double *c,
                size_t stride) {
  addProductOf(rows, columns, depth, a, b, c, stride);
}

} // namespace dyadic
