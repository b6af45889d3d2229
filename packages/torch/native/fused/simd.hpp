// Row kernels are written as plain loops that the compiler vectorizes; one copy per instruction set is made, and the
// right one is chosen when the addon is loaded.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define PERENNIAL_MULTIVERSION __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define PERENNIAL_MULTIVERSION
#endif
#define PERENNIAL_INLINE inline __attribute__((always_inline))

namespace perennial::fused {

// The upper half of a float. libtorch's own type has constructors that keep loops over it from being vectorized.
struct Bf16 {
  uint16_t bits;
};

PERENNIAL_INLINE float load(float x) { return x; }
PERENNIAL_INLINE float load(Bf16 x) {
  const uint32_t bits = static_cast<uint32_t>(x.bits) << 16;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

PERENNIAL_INLINE void store(float& to, float value) { to = value; }
// Rounds to nearest, ties to even. NaN stays NaN: its lowest kept bit is set.
PERENNIAL_INLINE void store(Bf16& to, float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  const uint32_t quiet = (bits >> 16) | 0x40u;
  to.bits = static_cast<uint16_t>((bits & 0x7fffffffu) > 0x7f800000u ? quiet : rounded);
}

// exp for float, within 2 units in the last place, without branches so that loops over it vectorize.
// x = n ln 2 + r, |r| <= ln 2 / 2, exp(r) by a polynomial (Cephes), then the exponent is shifted in by bits.
PERENNIAL_INLINE float fastExp(float x) {
  x = x > 88.3762626647949f ? 88.3762626647949f : x;
  x = x < -87.3365447504019f ? -87.3365447504019f : x;
  const float n = __builtin_rintf(x * 1.44269504088896341f);
  float r = x - n * 0.693359375f;
  r = r - n * -2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  const int32_t bits = (static_cast<int32_t>(n) + 127) << 23;
  float scale;
  std::memcpy(&scale, &bits, sizeof scale);
  return p * scale;
}

PERENNIAL_INLINE float sigmoid(float x) { return 1.0f / (1.0f + fastExp(-x)); }

}  // namespace perennial::fused
