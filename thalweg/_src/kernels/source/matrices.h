// Products of large matrices. The right one is brought into panels of two vectors of columns, once, by all threads; then each task makes a
// tile of the result, for a stretch of the inner axis after the other, with the rows of the left matrix that it needs in its own cache.
#pragma once
#include "parallel.h"
#include "tiles.h"

namespace thalweg {

// A right matrix as it comes.
struct Matrix {
  const float* data;
  int64_t step;  // floats from a row to the next one in memory
  bool turned;   // whether rows in memory are columns of the matrix
};

constexpr int64_t kDeep = 384;     // of the inner axis at a time
constexpr int64_t kTall = 24 * ROWS;  // rows of a tile of the result
constexpr int64_t kWide = 512;     // columns of a tile of the result

// The panel of a block of columns, row after row without gaps, with zeros that fill the last vector.
inline void panel_of(Matrix b, const Columns& columns, int64_t block, int64_t depth, float* out) {
  const int64_t width = columns.vectors(block) * LANES, size = columns.size(block), first = columns.begin(block);
  if (!b.turned) {
    for (int64_t k = 0; k < depth; ++k, out += width) {
      std::copy_n(b.data + k * b.step + first, size, out);
      std::fill(out + size, out + width, 0.0f);
    }
    return;
  }
  constexpr int64_t kBlock = 16;
  for (int64_t k = 0; k < depth; k += kBlock)
    for (int64_t f = 0; f < width; ++f) {
      const float* line = b.data + (first + f) * b.step;
      for (int64_t i = k; i < std::min(k + kBlock, depth); ++i) out[i * width + f] = f < size ? line[i] : 0.0f;
    }
}

// c = a * b: [rows, depth] times [depth, columns].
inline void multiply(const float* a, Matrix b, int64_t rows, int64_t depth, int64_t columns, float* c, const Parallel& parallel) {
  static thread_local Scratch for_panels;
  const Columns blocks(columns);
  float* const panels = for_panels.floats(depth * blocks.padded());
  parallel(blocks.count(), [&](int64_t block) { panel_of(b, blocks, block, depth, panels + depth * blocks.begin(block)); });
  const Pieces tall(rows, kTall), wide(blocks.count(), kWide / Columns::kWidth), deep(depth, kDeep);
  parallel(tall.count * wide.count, [&](int64_t task) {
    static thread_local Scratch for_rows;
    const int64_t row = tall.begin(task / wide.count), count = tall.size(task / wide.count);
    const Pieces slices(count, ROWS);
    for (int64_t piece = 0; piece < deep.count; ++piece) {
      const int64_t begin = deep.begin(piece), length = deep.size(piece);
      float* const own = for_rows.floats(kTall * kDeep);
      for (int64_t r = 0; r < count; ++r) std::copy_n(a + (row + r) * depth + begin, length, own + r * length);
      const std::vector<Run> run{{0, length}};
      for (int64_t block = wide.begin(task % wide.count); block < wide.begin(task % wide.count + 1); ++block) {
        const int vectors = blocks.vectors(block);
        const int64_t width = vectors * LANES, size = blocks.size(block);
        const float* panel = panels + depth * blocks.begin(block) + begin * width;
        for (int64_t slice = 0; slice < slices.count; ++slice) {
          const int m = static_cast<int>(slices.size(slice));
          const float* from = own + slices.begin(slice) * length;
          float* to = c + (row + slices.begin(slice)) * columns + blocks.begin(block);
          Finish finish;
          if (piece) finish.addend = to, finish.addend_step = columns;
          const Product product = product_for(m, vectors);
          if (size == width)
            product(from, length, run.data(), 1, panel, to, columns, finish);
          else
            product_in_part(product, from, length, run, panel, to, columns, m, width, size, finish);
        }
      }
    }
  });
}

}  // namespace thalweg
