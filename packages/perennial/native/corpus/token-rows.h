// What fastText looks up for a token, remembered: the same words come again and again, and finding the rows of one takes far longer than adding them.
#pragma once
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace perennial {

/// Tokens with their rows, a few megabytes at most: when it is full it begins anew.
class TokenRows {
 public:
  /// The rows of `token`, or nothing when it is not known; valid until `add`.
  std::optional<std::span<const int32_t>> find(std::string_view token, uint32_t hash) const {
    if (slots_.empty()) return std::nullopt;
    for (size_t slot = hash & (kSlots - 1); slots_[slot] != 0; slot = (slot + 1) & (kSlots - 1)) {
      const Entry& entry = entries_[slots_[slot] - 1];
      if (entry.hash != hash || entry.length != token.size() || std::memcmp(text_.data() + entry.textAt, token.data(), token.size()) != 0) continue;
      return std::span(rows_.data() + entry.rowsAt, entry.numRows);
    }
    return std::nullopt;
  }

  /// Remembers a token that `find` did not know, unless it is so long that it will hardly come again.
  void add(std::string_view token, uint32_t hash, std::span<const int32_t> rows) {
    if (token.size() > kMaxTokenBytes) return;
    if (slots_.empty() || entries_.size() >= kSlots / 2 || rows_.size() >= kMaxRows) clear();
    entries_.push_back({hash, static_cast<uint32_t>(token.size()), static_cast<uint32_t>(text_.size()), static_cast<uint32_t>(rows_.size()),
                        static_cast<uint32_t>(rows.size())});
    text_.append(token);
    rows_.insert(rows_.end(), rows.begin(), rows.end());
    size_t slot = hash & (kSlots - 1);
    while (slots_[slot] != 0) slot = (slot + 1) & (kSlots - 1);
    slots_[slot] = static_cast<uint32_t>(entries_.size());
  }

 private:
  struct Entry { uint32_t hash, length, textAt, rowsAt, numRows; };
  static constexpr size_t kSlots = 1 << 16, kMaxRows = 1 << 20, kMaxTokenBytes = 64;

  void clear() {
    slots_.assign(kSlots, 0);
    entries_.clear();
    text_.clear();
    rows_.clear();
  }

  std::vector<uint32_t> slots_;  // open addressing: entry number + 1, 0 free
  std::vector<Entry> entries_;
  std::string text_;
  std::vector<int32_t> rows_;
};

}  // namespace perennial
