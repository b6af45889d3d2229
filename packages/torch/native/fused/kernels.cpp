// build: -O3 -fopenmp-simd -fno-math-errno -fno-trapping-math
// Each kernel is written once, for any pair of dtypes, and instantiated inside functions that have a copy per instruction set.
#include "kernels.hpp"

namespace perennial::fused {
namespace {

template <typename Out>
PERENNIAL_INLINE float rmsNorm(const float* x, const float* w, Out* y, int64_t n, float eps) {
  float square = 0;
#pragma omp simd reduction(+ : square)
  for (int64_t i = 0; i < n; ++i) square += x[i] * x[i];
  const float r = 1.0f / std::sqrt(square / static_cast<float>(n) + eps);
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) store(y[i], x[i] * r * w[i]);
  return r;
}

template <typename In, typename Out>
PERENNIAL_INLINE float addRmsNorm(const In* x, const float* residual, const float* w, float* sum, Out* y, int64_t n, float eps) {
  float square = 0;
#pragma omp simd reduction(+ : square)
  for (int64_t i = 0; i < n; ++i) {
    const float s = load(x[i]) + residual[i];
    sum[i] = s;
    square += s * s;
  }
  const float r = 1.0f / std::sqrt(square / static_cast<float>(n) + eps);
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) store(y[i], sum[i] * r * w[i]);
  return r;
}

template <typename In>
PERENNIAL_INLINE void rmsNormBackward(const In* g, const float* x, const float* w, float r, const float* extra, float* dx, float* dw, int64_t n) {
  float dot = 0;
#pragma omp simd reduction(+ : dot)
  for (int64_t i = 0; i < n; ++i) dot += load(g[i]) * w[i] * x[i];
  const float c = dot * r * r * r / static_cast<float>(n);
  if (extra == nullptr) {
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) {
      const float gradient = load(g[i]);
      dx[i] = gradient * w[i] * r - x[i] * c;
      dw[i] += gradient * x[i] * r;
    }
  } else {
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) {
      const float gradient = load(g[i]);
      dx[i] = gradient * w[i] * r - x[i] * c + extra[i];
      dw[i] += gradient * x[i] * r;
    }
  }
}

template <typename T>
PERENNIAL_INLINE void swiglu(const T* gate, const T* up, T* y, int64_t n) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) {
    const float x = load(gate[i]);
    store(y[i], x * sigmoid(x) * load(up[i]));
  }
}

template <typename T>
PERENNIAL_INLINE void swigluBackward(const T* g, const T* gate, const T* up, T* dGate, T* dUp, int64_t n) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) {
    const float gradient = load(g[i]), x = load(gate[i]);
    const float s = sigmoid(x);
    const float silu = x * s;
    store(dUp[i], gradient * silu);
    store(dGate[i], gradient * load(up[i]) * (s + silu * (1.0f - s)));
  }
}

template <typename T>
PERENNIAL_INLINE void rotate(const T* x, const float* cos, const float* sin, T* y, int64_t half, float direction) {
#pragma omp simd
  for (int64_t i = 0; i < half; ++i) {
    const float a = load(x[i]), b = load(x[i + half]);
    const float c = cos[i], s = direction * sin[i];
    store(y[i], a * c - b * s);
    store(y[i + half], b * c + a * s);
  }
}

template <typename In, typename Out>
PERENNIAL_INLINE void scale(const In* x, int64_t ldx, Out* y, int64_t ldy, int64_t rows, int64_t n, float factor) {
  for (int64_t row = 0; row < rows; ++row, x += ldx, y += ldy) {
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) store(y[i], load(x[i]) * factor);
  }
}

template <bool kCopy>
PERENNIAL_INLINE void adamw(float* w, const float* g, float* m, float* v, Bf16* copy, int64_t n, const AdamW& s) {
  const float stepSize = s.learningRate / s.correction1;
  const float inverseRoot = 1.0f / s.rootCorrection2;
  const float keep = 1.0f - s.learningRate * s.decay;
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) {
    const float gradient = g[i] * s.gradScale;
    const float first = s.beta1 * m[i] + (1.0f - s.beta1) * gradient;
    const float second = s.beta2 * v[i] + (1.0f - s.beta2) * gradient * gradient;
    m[i] = first;
    v[i] = second;
    const float weight = w[i] * keep - stepSize * first / (std::sqrt(second) * inverseRoot + s.eps);
    w[i] = weight;
    if (kCopy) store(copy[i], weight);
  }
}

}  // namespace

#define KERNEL(RESULT, NAME, PARAMETERS, BODY) PERENNIAL_MULTIVERSION RESULT NAME PARAMETERS { return BODY; }

KERNEL(float, rmsNormRow, (const float* x, const float* w, float* y, int64_t n, float eps), rmsNorm(x, w, y, n, eps))
KERNEL(float, rmsNormRow, (const float* x, const float* w, Bf16* y, int64_t n, float eps), rmsNorm(x, w, y, n, eps))
KERNEL(float, addRmsNormRow, (const float* x, const float* z, const float* w, float* sum, float* y, int64_t n, float eps), addRmsNorm(x, z, w, sum, y, n, eps))
KERNEL(float, addRmsNormRow, (const float* x, const float* z, const float* w, float* sum, Bf16* y, int64_t n, float eps), addRmsNorm(x, z, w, sum, y, n, eps))
KERNEL(float, addRmsNormRow, (const Bf16* x, const float* z, const float* w, float* sum, Bf16* y, int64_t n, float eps), addRmsNorm(x, z, w, sum, y, n, eps))
KERNEL(float, addRmsNormRow, (const Bf16* x, const float* z, const float* w, float* sum, float* y, int64_t n, float eps), addRmsNorm(x, z, w, sum, y, n, eps))
KERNEL(void, rmsNormRowBackward, (const float* g, const float* x, const float* w, float r, const float* extra, float* dx, float* dw, int64_t n), rmsNormBackward(g, x, w, r, extra, dx, dw, n))
KERNEL(void, rmsNormRowBackward, (const Bf16* g, const float* x, const float* w, float r, const float* extra, float* dx, float* dw, int64_t n), rmsNormBackward(g, x, w, r, extra, dx, dw, n))
KERNEL(void, swigluRow, (const float* gate, const float* up, float* y, int64_t n), swiglu(gate, up, y, n))
KERNEL(void, swigluRow, (const Bf16* gate, const Bf16* up, Bf16* y, int64_t n), swiglu(gate, up, y, n))
KERNEL(void, swigluRowBackward, (const float* g, const float* gate, const float* up, float* dGate, float* dUp, int64_t n), swigluBackward(g, gate, up, dGate, dUp, n))
KERNEL(void, swigluRowBackward, (const Bf16* g, const Bf16* gate, const Bf16* up, Bf16* dGate, Bf16* dUp, int64_t n), swigluBackward(g, gate, up, dGate, dUp, n))
KERNEL(void, ropeRow, (const float* x, const float* cos, const float* sin, float* y, int64_t half, float direction), rotate(x, cos, sin, y, half, direction))
KERNEL(void, ropeRow, (const Bf16* x, const float* cos, const float* sin, Bf16* y, int64_t half, float direction), rotate(x, cos, sin, y, half, direction))
KERNEL(void, scaleRows, (const float* x, int64_t ldx, float* y, int64_t ldy, int64_t rows, int64_t n, float factor), scale(x, ldx, y, ldy, rows, n, factor))
KERNEL(void, scaleRows, (const Bf16* x, int64_t ldx, float* y, int64_t ldy, int64_t rows, int64_t n, float factor), scale(x, ldx, y, ldy, rows, n, factor))
KERNEL(void, scaleRows, (const float* x, int64_t ldx, Bf16* y, int64_t ldy, int64_t rows, int64_t n, float factor), scale(x, ldx, y, ldy, rows, n, factor))
KERNEL(void, adamwRow, (float* w, const float* g, float* m, float* v, int64_t n, const AdamW& s), adamw<false>(w, g, m, v, nullptr, n, s))
KERNEL(void, adamwRow, (float* w, const float* g, float* m, float* v, Bf16* copy, int64_t n, const AdamW& s), adamw<true>(w, g, m, v, copy, n, s))
#undef KERNEL

PERENNIAL_MULTIVERSION
void exponentialRow(float* x, int64_t n, float* max, float* sum) {
  float m = x[0];
#pragma omp simd reduction(max : m)
  for (int64_t i = 0; i < n; ++i) m = x[i] > m ? x[i] : m;
  float s = 0;
#pragma omp simd reduction(+ : s)
  for (int64_t i = 0; i < n; ++i) {
    const float e = fastExp(x[i] - m);
    x[i] = e;
    s += e;
  }
  *max = m;
  *sum = s;
}

PERENNIAL_MULTIVERSION
float dotRow(const float* x, const float* y, int64_t n) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < n; ++i) sum += x[i] * y[i];
  return sum;
}

PERENNIAL_MULTIVERSION
void transposeTile(const float* x, int64_t ldx, float* y, int64_t ldy, int64_t rows, int64_t columns) {
  // 16 × 16 at a time in registers: four rounds, each of which exchanges blocks of half the size.
  typedef float Lanes __attribute__((vector_size(64), aligned(4)));
  for (int64_t i = 0; i < rows; i += 16) {
    for (int64_t j = 0; j < columns; j += 16) {
      Lanes a[16], b[16];
      for (int k = 0; k < 16; ++k) std::memcpy(&a[k], x + (i + k) * ldx + j, sizeof a[k]);
      for (int k = 0; k < 8; ++k) {
        b[k] = __builtin_shufflevector(a[k], a[k + 8], 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
        b[k + 8] = __builtin_shufflevector(a[k], a[k + 8], 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
      }
      for (int h = 0; h < 16; h += 8)
        for (int k = h; k < h + 4; ++k) {
          a[k] = __builtin_shufflevector(b[k], b[k + 4], 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27);
          a[k + 4] = __builtin_shufflevector(b[k], b[k + 4], 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31);
        }
      for (int h = 0; h < 16; h += 4)
        for (int k = h; k < h + 2; ++k) {
          b[k] = __builtin_shufflevector(a[k], a[k + 2], 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29);
          b[k + 2] = __builtin_shufflevector(a[k], a[k + 2], 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
        }
      for (int k = 0; k < 16; k += 2) {
        a[k] = __builtin_shufflevector(b[k], b[k + 1], 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30);
        a[k + 1] = __builtin_shufflevector(b[k], b[k + 1], 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31);
      }
      for (int k = 0; k < 16; ++k) std::memcpy(y + (j + k) * ldy + i, &a[k], sizeof a[k]);
    }
  }
}

PERENNIAL_MULTIVERSION
float onlineSoftmaxRow(float* x, int64_t valid, int64_t n, float* max, float* sum) {
  float m = *max;
#pragma omp simd reduction(max : m)
  for (int64_t i = 0; i < valid; ++i) m = x[i] > m ? x[i] : m;
  float s = 0;
#pragma omp simd reduction(+ : s)
  for (int64_t i = 0; i < valid; ++i) {
    const float e = fastExp(x[i] - m);
    x[i] = e;
    s += e;
  }
  for (int64_t i = valid; i < n; ++i) x[i] = 0;
  const float factor = *max == m ? 1.0f : fastExp(*max - m);
  *max = m;
  *sum = *sum * factor + s;
  return factor;
}

PERENNIAL_MULTIVERSION
void attentionGradientTile(float* p, float* d, int64_t rows, int64_t first, const float* lse, const float* delta) {
  for (int64_t row = 0; row < rows; ++row, p += 64, d += 64, ++first) {
    const int hidden = static_cast<int>(first < 0 ? 0 : first > 64 ? 64 : first);
#pragma omp simd
    for (int i = 0; i < 64; ++i) {
      const float probability = i < hidden ? 0.0f : fastExp(p[i] - lse[i]);
      p[i] = probability;
      d[i] = probability * (d[i] - delta[i]);
    }
  }
}

PERENNIAL_MULTIVERSION
double sumOfSquaresRow(const float* x, int64_t n) {
  // Blocks in float, their sums in double: fast, and exact enough for any number of elements.
  double total = 0;
  for (int64_t start = 0; start < n; start += 4096) {
    const int64_t end = start + 4096 < n ? start + 4096 : n;
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = start; i < end; ++i) sum += x[i] * x[i];
    total += sum;
  }
  return total;
}

}  // namespace perennial::fused
