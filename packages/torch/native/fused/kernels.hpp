// Row kernels of the fused operators; arithmetic in float, rows in float or bfloat16. n: length of a row.
#pragma once

#include <cstdint>

#include "simd.hpp"

namespace perennial::fused {

// y = x · r · w with r = 1 / √(mean(x²) + eps); returns r.
float rmsNormRow(const float* x, const float* w, float* y, int64_t n, float eps);
float rmsNormRow(const float* x, const float* w, Bf16* y, int64_t n, float eps);
// sum = x + residual, then as rmsNormRow over sum.
float addRmsNormRow(const float* x, const float* residual, const float* w, float* sum, float* y, int64_t n, float eps);
float addRmsNormRow(const float* x, const float* residual, const float* w, float* sum, Bf16* y, int64_t n, float eps);
float addRmsNormRow(const Bf16* x, const float* residual, const float* w, float* sum, Bf16* y, int64_t n, float eps);
float addRmsNormRow(const Bf16* x, const float* residual, const float* w, float* sum, float* y, int64_t n, float eps);
// dx = g·w·r − x · r³/n · Σ g·w·x (+ extra), dw += g·x·r. `extra` may be null.
void rmsNormRowBackward(const float* g, const float* x, const float* w, float r, const float* extra, float* dx, float* dw, int64_t n);
void rmsNormRowBackward(const Bf16* g, const float* x, const float* w, float r, const float* extra, float* dx, float* dw, int64_t n);

// y = gate · sigmoid(gate) · up
void swigluRow(const float* gate, const float* up, float* y, int64_t n);
void swigluRow(const Bf16* gate, const Bf16* up, Bf16* y, int64_t n);
void swigluRowBackward(const float* g, const float* gate, const float* up, float* dGate, float* dUp, int64_t n);
void swigluRowBackward(const Bf16* g, const Bf16* gate, const Bf16* up, Bf16* dGate, Bf16* dUp, int64_t n);

// Rotates the two halves of a head: y1 = x1·cos − x2·sin, y2 = x2·cos + x1·sin; `direction` −1 turns back. half: n / 2.
void ropeRow(const float* x, const float* cos, const float* sin, float* y, int64_t half, float direction);
void ropeRow(const Bf16* x, const float* cos, const float* sin, Bf16* y, int64_t half, float direction);

// x ← exp(x − max), with the largest element and Σ exp(x − max).
void exponentialRow(float* x, int64_t n, float* max, float* sum);

// y [rows,n] = factor · x [rows,n], between the two dtypes; ldx, ldy: from row to row.
void scaleRows(const float* x, int64_t ldx, float* y, int64_t ldy, int64_t rows, int64_t n, float factor);
void scaleRows(const Bf16* x, int64_t ldx, float* y, int64_t ldy, int64_t rows, int64_t n, float factor);
void scaleRows(const float* x, int64_t ldx, Bf16* y, int64_t ldy, int64_t rows, int64_t n, float factor);
float dotRow(const float* x, const float* y, int64_t n);
// x [rows,columns] with ldx → y [columns,rows] with ldy; rows and columns are multiples of 16.
void transposeTile(const float* x, int64_t ldx, float* y, int64_t ldy, int64_t rows, int64_t columns);

// One row of an online softmax: x[0..valid) ← exp(x − m), the rest of x[0..n) ← 0, m = max(*max, x). *sum grows by the
// new terms; returns the factor exp(old max − m) that what was summed before must be multiplied with.
float onlineSoftmaxRow(float* x, int64_t valid, int64_t n, float* max, float* sum);
// A tile of attention's backward, keys × queries, 64 queries wide: p ← exp(p − lse), d ← p · (d − delta); query lanes
// below `first` (they come before the key) become 0 in both. `first` grows by one from row to row.
void attentionGradientTile(float* p, float* d, int64_t rows, int64_t first, const float* lse, const float* delta);

// One AdamW update of n elements; see optim/adamw.ts. `gradScale` multiplies the gradient first.
struct AdamW {
  float learningRate, beta1, beta2, eps, decay, correction1, rootCorrection2, gradScale;
};
void adamwRow(float* w, const float* g, float* m, float* v, int64_t n, const AdamW& settings);
// The same, and the new weight rounded into `copy`.
void adamwRow(float* w, const float* g, float* m, float* v, Bf16* copy, int64_t n, const AdamW& settings);
double sumOfSquaresRow(const float* x, int64_t n);

}  // namespace perennial::fused
