// Pieces repeat: most of a text is a few thousand different ones. A direct-mapped cache of piece → ids, one a thread;
// a newer piece replaces the older one in its place, so that memory is fixed and the working set stays.
#pragma once
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "hash.h"

namespace perennial {

class PieceCache {
 public:
  /** On a hit appends the ids. The piece is not empty. */
  bool find(std::string_view piece, std::vector<int32_t>& out) {
    if (piece.size() <= kSmallKey) {
      if (!small_) allocate();
      uint64_t low, high;
      loadKey(piece, low, high);
      Small& entry = small_[smallIndex(low, high)];
      if (entry.low != low || entry.high != high) return false;
      if (entry.count == 1) out.push_back(entry.ids[0]);
      else out.insert(out.end(), entry.ids, entry.ids + entry.count);
      return true;
    }
    if (piece.size() > kLargeKey) return false;
    if (!small_) allocate();
    const Large& entry = large_[hashBytes(piece) & (kLargeEntries - 1)];
    if (entry.length != piece.size() || std::memcmp(entry.key, piece.data(), piece.size()) != 0) return false;
    out.insert(out.end(), entry.ids, entry.ids + entry.count);
    return true;
  }

  void add(std::string_view piece, const int32_t* ids, size_t count) {
    if (piece.size() <= kSmallKey) {
      if (count > kSmallIds) return;
      uint64_t low, high;
      loadKey(piece, low, high);
      Small& entry = small_[smallIndex(low, high)];
      entry.low = low;
      entry.high = high;
      entry.count = static_cast<uint32_t>(count);
      std::memcpy(entry.ids, ids, count * sizeof(int32_t));
    } else if (piece.size() <= kLargeKey && count <= kLargeIds) {
      Large& entry = large_[hashBytes(piece) & (kLargeEntries - 1)];
      entry.length = static_cast<uint8_t>(piece.size());
      entry.count = static_cast<uint8_t>(count);
      std::memcpy(entry.key, piece.data(), piece.size());
      std::memcpy(entry.ids, ids, count * sizeof(int32_t));
    }
  }

 private:
  static constexpr size_t kSmallKey = 15, kSmallIds = 3, kSmallEntries = 1 << 16;
  static constexpr size_t kLargeKey = 62, kLargeIds = 16, kLargeEntries = 1 << 14;
  struct alignas(32) Small {
    uint64_t low, high;  // the bytes, zero-padded; the last byte holds length + 1, so that an unused entry matches nothing
    uint32_t count;
    int32_t ids[kSmallIds];
  };
  struct alignas(64) Large {
    uint8_t length, count;
    char key[kLargeKey];
    int32_t ids[kLargeIds];
  };
  static_assert(sizeof(Small) == 32 && sizeof(Large) == 128);

  void allocate() {
    small_ = std::make_unique<Small[]>(kSmallEntries);
    large_ = std::make_unique<Large[]>(kLargeEntries);
  }

  /** Reads 16 bytes at once where they cannot cross into another page (memory is mapped by pages of at least 4 KiB). */
  __attribute__((no_sanitize("address"))) static void loadKey(std::string_view piece, uint64_t& low, uint64_t& high) {
    const size_t n = piece.size();
    if ((reinterpret_cast<uintptr_t>(piece.data()) & 4095) <= 4096 - 16) {
      std::memcpy(&low, piece.data(), 8);
      std::memcpy(&high, piece.data() + 8, 8);
      if (n < 8) {
        low &= (1ull << 8 * n) - 1;
        high = 0;
      } else {
        high &= (1ull << 8 * (n - 8)) - 1;
      }
    } else {
      low = high = 0;
      char bytes[16] = {};
      std::memcpy(bytes, piece.data(), n);
      std::memcpy(&low, bytes, 8);
      std::memcpy(&high, bytes + 8, 8);
    }
    high |= static_cast<uint64_t>(n + 1) << 56;
  }

  static size_t smallIndex(uint64_t low, uint64_t high) {
    uint64_t x = (low ^ (high * 0x9e3779b97f4a7c15ull)) * 0xbf58476d1ce4e5b9ull;
    x ^= x >> 32;
    x *= 0x94d049bb133111ebull;
    return x >> 48;
  }

  std::unique_ptr<Small[]> small_;
  std::unique_ptr<Large[]> large_;
};

}  // namespace perennial
