// build: -O3 -fopenmp-simd -fno-math-errno -fno-trapping-math
#include "kernels.hpp"

#include "simd.hpp"

namespace perennial::fused {

PERENNIAL_MULTIVERSION
float rmsNormRow(const float* x, const float* w, float* y, int64_t n, float eps) {
  float square = 0;
#pragma omp simd reduction(+ : square)
  for (int64_t i = 0; i < n; ++i) square += x[i] * x[i];
  const float r = 1.0f / std::sqrt(square / static_cast<float>(n) + eps);
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) y[i] = x[i] * r * w[i];
  return r;
}

PERENNIAL_MULTIVERSION
float addRmsNormRow(const float* x, const float* residual, const float* w, float* sum, float* y, int64_t n, float eps) {
  float square = 0;
#pragma omp simd reduction(+ : square)
  for (int64_t i = 0; i < n; ++i) {
    const float s = x[i] + residual[i];
    sum[i] = s;
    square += s * s;
  }
  const float r = 1.0f / std::sqrt(square / static_cast<float>(n) + eps);
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) y[i] = sum[i] * r * w[i];
  return r;
}

PERENNIAL_MULTIVERSION
void rmsNormRowBackward(const float* g, const float* x, const float* w, float r, const float* extra, float* dx, float* dw, int64_t n) {
  float dot = 0;
#pragma omp simd reduction(+ : dot)
  for (int64_t i = 0; i < n; ++i) dot += g[i] * w[i] * x[i];
  const float c = dot * r * r * r / static_cast<float>(n);
  if (extra == nullptr) {
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) {
      dx[i] = g[i] * w[i] * r - x[i] * c;
      dw[i] += g[i] * x[i] * r;
    }
  } else {
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) {
      dx[i] = g[i] * w[i] * r - x[i] * c + extra[i];
      dw[i] += g[i] * x[i] * r;
    }
  }
}

PERENNIAL_MULTIVERSION
void swigluRow(const float* gate, const float* up, float* y, int64_t n) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) y[i] = gate[i] * sigmoid(gate[i]) * up[i];
}

PERENNIAL_MULTIVERSION
void swigluRowBackward(const float* g, const float* gate, const float* up, float* dGate, float* dUp, int64_t n) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) {
    const float s = sigmoid(gate[i]);
    const float silu = gate[i] * s;
    dUp[i] = g[i] * silu;
    dGate[i] = g[i] * up[i] * (s + silu * (1.0f - s));
  }
}

PERENNIAL_MULTIVERSION
void ropeRow(const float* x, const float* cos, const float* sin, float* y, int64_t half, float direction) {
#pragma omp simd
  for (int64_t i = 0; i < half; ++i) {
    const float a = x[i], b = x[i + half];
    const float c = cos[i], s = direction * sin[i];
    y[i] = a * c - b * s;
    y[i + half] = b * c + a * s;
  }
}

PERENNIAL_MULTIVERSION
void logSumExpRow(const float* x, int64_t n, float* max, float* sum) {
  float m = x[0];
#pragma omp simd reduction(max : m)
  for (int64_t i = 0; i < n; ++i) m = x[i] > m ? x[i] : m;
  float s = 0;
#pragma omp simd reduction(+ : s)
  for (int64_t i = 0; i < n; ++i) s += fastExp(x[i] - m);
  *max = m;
  *sum = s;
}

PERENNIAL_MULTIVERSION
void softmaxRow(float* x, int64_t n, float max, float inverseSum, float scale) {
  const float factor = inverseSum * scale;
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) x[i] = fastExp(x[i] - max) * factor;
}

PERENNIAL_MULTIVERSION
void adamwRow(float* w, const float* g, float* m, float* v, int64_t n, const AdamW& s) {
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
    w[i] = w[i] * keep - stepSize * first / (std::sqrt(second) * inverseRoot + s.eps);
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
