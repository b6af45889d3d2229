// Added tokens: strings that become one id before (or after) normalization, whatever the model would do with them.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hash.h"

namespace perennial {

struct AddedToken {
  std::string content;
  int32_t id;
  bool singleWord, lstrip, rstrip, normalized, special;
};

/** Finds tokens leftmost-longest. */
class AddedTokenFinder {
 public:
  void add(const std::string& pattern, const AddedToken& token);
  bool empty() const { return tokens_.empty(); }

  struct Match {
    size_t begin, end;  // with stripped white space
    int32_t id;
  };
  /** Calls text(begin, end) and token(id) in order; together they cover `text`. `skipSpecial` leaves special tokens as text. */
  template <typename OnText, typename OnToken>
  void split(std::string_view text, bool skipSpecial, OnText&& onText, OnToken&& onToken) const {
    size_t from = 0, done = 0;
    while (from < text.size()) {
      const std::optional<Found> found = next(text, from);
      if (!found) break;
      from = found->end;
      const auto match = accepted(text, *found, done, skipSpecial);
      if (!match) continue;
      if (done < match->begin) onText(done, match->begin);
      onToken(match->id);
      done = match->end;
    }
    if (done < text.size()) onText(done, text.size());
  }

 private:
  struct Found {
    size_t begin, end;
    uint32_t token;
  };
  std::optional<Found> next(std::string_view text, size_t from) const;
  std::optional<Match> accepted(std::string_view text, const Found& found, size_t done, bool skipSpecial) const;

  std::vector<AddedToken> tokens_;
  std::array<bool, 256> first_{};
  FlatMap<uint32_t> edges_;
  std::vector<int32_t> tokenAtNode_{-1};
};

}  // namespace perennial
