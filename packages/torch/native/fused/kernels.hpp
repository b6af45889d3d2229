// Row kernels of the fused operators, in float. n: length of a row.
#pragma once

#include <cstdint>

namespace perennial::fused {

// y = x · r · w with r = 1 / √(mean(x²) + eps); returns r.
float rmsNormRow(const float* x, const float* w, float* y, int64_t n, float eps);
// sum = x + residual, then as rmsNormRow over sum.
float addRmsNormRow(const float* x, const float* residual, const float* w, float* sum, float* y, int64_t n, float eps);
// dx = g·w·r − x · r³/n · Σ g·w·x (+ extra), dw += g·x·r. `extra` may be null.
void rmsNormRowBackward(const float* g, const float* x, const float* w, float r, const float* extra, float* dx, float* dw, int64_t n);

// y = gate · sigmoid(gate) · up
void swigluRow(const float* gate, const float* up, float* y, int64_t n);
void swigluRowBackward(const float* g, const float* gate, const float* up, float* dGate, float* dUp, int64_t n);

// Rotates the two halves of a head: y1 = x1·cos − x2·sin, y2 = x2·cos + x1·sin; `direction` −1 turns back. half: n / 2.
void ropeRow(const float* x, const float* cos, const float* sin, float* y, int64_t half, float direction);

// Largest element, and Σ exp(x − max).
void logSumExpRow(const float* x, int64_t n, float* max, float* sum);
// x ← scale · softmax(x), given max and 1 / Σ exp(x − max).
void softmaxRow(float* x, int64_t n, float max, float inverseSum, float scale);

// One AdamW update of n elements; see optim/adamw.ts. `gradScale` multiplies the gradient first.
struct AdamW {
  float learningRate, beta1, beta2, eps, decay, correction1, rootCorrection2, gradScale;
};
void adamwRow(float* w, const float* g, float* m, float* v, int64_t n, const AdamW& settings);
double sumOfSquaresRow(const float* x, int64_t n);

}  // namespace perennial::fused
