// Bilinear resizing of one picture or several, from bytes or floats to floats: for input pipelines, which call it outside of XLA.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#if defined(__SSE4_1__)
#include <immintrin.h>
#endif

// A product is rounded before it is added, as in TensorFlow's kernels, so that the numbers are the same to the last bit.
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
#pragma GCC push_options
#pragma GCC optimize("fp-contract=off")
#endif

namespace thalweg {

// Where each place of the result lies between two of the source, along one axis, and the share of the upper one.
struct Between {
  const int32_t* lower;
  const int32_t* upper;
  const float* share;
  int64_t count;
};

// A picture by the distances of its rows, pixels and channels in elements (negative where it is mirrored).
// `end` is the first place behind the memory that may be read.
template <typename P>
struct Picture {
  const P* data;
  const P* end;
  int64_t row, pixel, channel, channels;
};

template <typename P>
void along_row(const Picture<P>& from, const P* row, const Between& x, float* to) {
  for (int64_t i = 0; i < x.count; ++i) {
    const P* a = row + x.lower[i] * from.pixel;
    const P* b = row + x.upper[i] * from.pixel;
    for (int64_t c = 0; c < from.channels; ++c) {
      const float left = static_cast<float>(a[c * from.channel]), right = static_cast<float>(b[c * from.channel]);
      *to++ = left + (right - left) * x.share[i];
    }
  }
}

#if defined(__SSE4_1__)
inline __m128 four(const uint8_t* at) {
  int32_t bytes;
  std::memcpy(&bytes, at, sizeof bytes);
  return _mm_cvtepi32_ps(_mm_cvtepu8_epi32(_mm_cvtsi32_si128(bytes)));
}
inline __m128 four(const float* at) { return _mm_loadu_ps(at); }

// Three channels that are neighbours: a pixel is one vector, whose fourth number the next pixel's first overwrites.
template <typename P>
void along_row_of_three(const Picture<P>& from, const P* row, const Between& x, float* to) {
  for (int64_t i = 0; i < x.count; ++i, to += 3) {
    const __m128 left = four(row + x.lower[i] * from.pixel), right = four(row + x.upper[i] * from.pixel);
    _mm_storeu_ps(to, _mm_add_ps(left, _mm_mul_ps(_mm_sub_ps(right, left), _mm_set1_ps(x.share[i]))));
  }
}
#endif

// Bytes by AVX-512: one permutation of the 64 bytes from `base` on brings sixteen numbers of the result both of their neighbours.
// That does for rows that shrink by less than three or so, and for all that grow, however the pixels lie.
struct Sixteen {
  int64_t base;
  uint16_t word[32], shift[32];  // of the left neighbours, then of the right ones
  float share[16];
};

template <typename P>
std::vector<Sixteen> in_sixteens(const Picture<P>& from, const Between& x) {
  std::vector<Sixteen> out;
#if defined(__AVX512BW__)
  if (sizeof(P) > 1) return out;
  const int64_t width = x.count * from.channels;
  out.resize((width + 15) / 16);
  for (size_t g = 0; g < out.size(); ++g) {
    int64_t at[32];
    for (int64_t j = 0; j < 16; ++j) {
      const int64_t number = std::min<int64_t>(16 * g + j, width - 1), i = number / from.channels, c = number % from.channels;
      at[j] = x.lower[i] * from.pixel + c * from.channel;
      at[j + 16] = x.upper[i] * from.pixel + c * from.channel;
      out[g].share[j] = x.share[i];
    }
    out[g].base = *std::min_element(at, at + 32);
    if (*std::max_element(at, at + 32) - out[g].base > 63) return {};
    for (int64_t j = 0; j < 32; ++j) {
      const int64_t place = at[j] - out[g].base;
      out[g].word[j] = static_cast<uint16_t>(place / 2), out[g].shift[j] = place % 2 ? 8 : 0;
    }
  }
#endif
  return out;
}

#if defined(__AVX512BW__)
inline void along_row_in_sixteens(const uint8_t* row, const uint8_t* end, const std::vector<Sixteen>& parts, float* to) {
  for (const Sixteen& part : parts) {
    const uint8_t* at = row + part.base;
    const __mmask64 there = end - at >= 64 ? ~__mmask64{0} : (__mmask64{1} << (end - at)) - 1;
    const __m512i bytes = _mm512_maskz_loadu_epi8(there, at);
    const __m512i words = _mm512_permutexvar_epi16(_mm512_loadu_si512(part.word), bytes);
    const __m512i both = _mm512_and_si512(_mm512_srlv_epi16(words, _mm512_loadu_si512(part.shift)), _mm512_set1_epi16(255));
    const __m512 left = _mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(_mm512_castsi512_si256(both)));
    const __m512 right = _mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(both, 1)));
    const __m512 share = _mm512_loadu_ps(part.share);
    _mm512_storeu_ps(to, _mm512_add_ps(left, _mm512_mul_ps(_mm512_sub_ps(right, left), share)));
    to += 16;
  }
}
inline void along_row_in_sixteens(const float*, const float*, const std::vector<Sixteen>&, float*) {}
#endif

template <typename P>
void shrink_row(const Picture<P>& from, int64_t y, const Between& x, const std::vector<Sixteen>& parts, float* to) {
  const P* row = from.data + y * from.row;
#if defined(__AVX512BW__)
  if (!parts.empty()) return along_row_in_sixteens(row, from.end, parts, to);
#endif
#if defined(__SSE4_1__)
  if (from.channels == 3 && from.channel == 1) {
    const int64_t first = x.lower[0] * from.pixel, last = x.upper[x.count - 1] * from.pixel;
    if (row + std::max(first, last) + 4 <= from.end) return along_row_of_three(from, row, x, to);
  }
#endif
  along_row(from, row, x, to);
}

// Rows first, then columns, as TensorFlow rounds. A row that two rows of the result need is made once.
template <typename P>
void resize_bilinear(const Picture<P>& from, const Between& y, const Between& x, float* to) {
  const int64_t width = x.count * from.channels;
  const std::vector<Sixteen> parts = in_sixteens(from, x);
  std::vector<float> space(2 * (width + 16));
  float* kept[2] = {space.data(), space.data() + width + 16};
  int64_t held[2] = {-1, -1};
  for (int64_t i = 0; i < y.count; ++i, to += width) {
    const int64_t upper = y.lower[i], lower = y.upper[i];
    if (held[1] == upper) std::swap(held[0], held[1]), std::swap(kept[0], kept[1]);
    if (held[0] != upper) shrink_row(from, held[0] = upper, x, parts, kept[0]);
    if (upper == lower) {
      std::copy_n(kept[0], width, to);
      continue;
    }
    if (held[1] != lower) shrink_row(from, held[1] = lower, x, parts, kept[1]);
    const float share = y.share[i];
    const float *a = kept[0], *b = kept[1];
    for (int64_t j = 0; j < width; ++j) to[j] = a[j] + (b[j] - a[j]) * share;
  }
}

}  // namespace thalweg

#define THALWEG_RESIZE(name, type)                                                                                               \
  extern "C" void name(const type* data, const type* end, int64_t row, int64_t pixel, int64_t channel, int64_t channels,         \
                       const int32_t* top, const int32_t* bottom, const float* down, int64_t height, const int32_t* left,        \
                       const int32_t* right, const float* along, int64_t width, float* to) {                                     \
    thalweg::resize_bilinear<type>({data, end, row, pixel, channel, channels}, {top, bottom, down, height},                      \
                                   {left, right, along, width}, to);                                                             \
  }

THALWEG_RESIZE(thalweg_resize_bytes, uint8_t)
THALWEG_RESIZE(thalweg_resize_floats, float)

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC pop_options
#endif
