// Flat hash tables with open addressing, for the few shapes that the tokenizer needs.
#pragma once
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace perennial {

inline uint64_t mix(uint64_t x) {
  x ^= x >> 32;
  x *= 0x9e3779b97f4a7c15ull;
  x ^= x >> 29;
  x *= 0xbf58476d1ce4e5b9ull;
  return x ^ x >> 32;
}

inline uint64_t hashBytes(std::string_view text) {
  uint64_t hash = 0x2545f4914f6cdd1dull ^ text.size();
  const char* p = text.data();
  size_t left = text.size();
  for (; left >= 8; p += 8, left -= 8) {
    uint64_t word;
    std::memcpy(&word, p, 8);
    hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
    hash ^= hash >> 32;
  }
  uint64_t word = 0;
  std::memcpy(&word, p, left);
  return mix(hash ^ word);
}

/** uint64 key → Value; the key ~0 is reserved. */
template <typename Value>
class FlatMap {
 public:
  explicit FlatMap(size_t expected = 0) { reserve(expected); }
  void reserve(size_t expected) {
    size_t capacity = 16;
    while (capacity < expected * 2) capacity *= 2;
    if (capacity > slots_.size()) rehash(capacity);
  }
  const Value* find(uint64_t key) const {
    for (size_t i = mix(key) & mask_;; i = (i + 1) & mask_) {
      if (slots_[i].key == key) return &slots_[i].value;
      if (slots_[i].key == kEmpty) return nullptr;
    }
  }
  Value& operator[](uint64_t key) {
    if ((size_ + 1) * 2 > slots_.size()) rehash(slots_.size() * 2);
    size_t i = mix(key) & mask_;
    while (slots_[i].key != key) {
      if (slots_[i].key == kEmpty) {
        slots_[i] = {key, Value{}};
        size_++;
        break;
      }
      i = (i + 1) & mask_;
    }
    return slots_[i].value;
  }
  size_t size() const { return size_; }
  template <typename Visit>
  void forEach(Visit&& visit) const {
    for (const auto& slot : slots_)
      if (slot.key != kEmpty) visit(slot.key, slot.value);
  }

 private:
  static constexpr uint64_t kEmpty = ~0ull;
  struct Slot {
    uint64_t key = kEmpty;
    Value value{};
  };
  void rehash(size_t capacity) {
    std::vector<Slot> old(capacity);
    old.swap(slots_);
    mask_ = capacity - 1;
    size_ = 0;
    for (auto& slot : old)
      if (slot.key != kEmpty) {
        size_t i = mix(slot.key) & mask_;
        while (slots_[i].key != kEmpty) i = (i + 1) & mask_;
        slots_[i] = std::move(slot);
        size_++;
      }
  }
  std::vector<Slot> slots_;
  size_t mask_ = 0, size_ = 0;
};

inline uint64_t pairKey(uint32_t a, uint32_t b) { return static_cast<uint64_t>(a) << 32 | b; }

/** The token strings, in one buffer, with their ids: text → id. A text that stands twice keeps its last id, as in JSON. */
class Vocabulary {
 public:
  void add(std::string_view token, int32_t id) { pending_.emplace_back(token, id); }
  /** `bytes` must stay where they are. */
  void build() {
    size_t capacity = 16;
    while (capacity < pending_.size() * 2) capacity *= 2;
    slots_.assign(capacity, {});
    mask_ = capacity - 1;
    for (auto& [token, id] : pending_) {
      const uint64_t hash = hashBytes(token);
      size_t i = hash & mask_;
      while (slots_[i].id >= 0 && !(slots_[i].hash == hash && slots_[i].token == token)) i = (i + 1) & mask_;
      slots_[i] = {hash, token, id};
    }
    pending_.clear();
    pending_.shrink_to_fit();
  }
  /** −1 when it is no token. */
  int32_t find(std::string_view token) const {
    const uint64_t hash = hashBytes(token);
    for (size_t i = hash & mask_; slots_[i].id >= 0; i = (i + 1) & mask_)
      if (slots_[i].hash == hash && slots_[i].token == token) return slots_[i].id;
    return -1;
  }

 private:
  struct Slot {
    uint64_t hash = 0;
    std::string_view token;
    int32_t id = -1;
  };
  std::vector<std::pair<std::string_view, int32_t>> pending_;
  std::vector<Slot> slots_;
  size_t mask_ = 0;
};

}  // namespace perennial
