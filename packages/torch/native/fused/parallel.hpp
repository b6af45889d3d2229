// How work is cut for threads.
#pragma once

#include <algorithm>
#include <cstdint>

namespace perennial::fused {

// Rows per task: about 32 KiB of data, so that short rows do not drown in scheduling.
inline int64_t grain(int64_t rowLength) { return std::max<int64_t>(1, 8192 / std::max<int64_t>(1, rowLength)); }

constexpr int64_t kElementsPerTask = 16384;

inline int64_t roundUp(int64_t n, int64_t step) { return (n + step - 1) / step * step; }

}  // namespace perennial::fused
