#include "added-tokens.h"

#include <algorithm>

#include "unicode.h"

namespace perennial {

void AddedTokenFinder::add(const std::string& pattern, const AddedToken& token) {
  if (pattern.empty()) return;
  first_[static_cast<uint8_t>(pattern[0])] = true;
  uint32_t node = 0;
  for (const char c : pattern) {
    uint32_t& child = edges_[static_cast<uint64_t>(node) << 8 | static_cast<uint8_t>(c)];
    if (child == 0) {
      child = static_cast<uint32_t>(tokenAtNode_.size());
      tokenAtNode_.push_back(-1);
    }
    node = child;
  }
  tokenAtNode_[node] = static_cast<int32_t>(tokens_.size());
  tokens_.push_back(token);
}

std::optional<AddedTokenFinder::Found> AddedTokenFinder::next(std::string_view text, size_t from) const {
  for (size_t begin = from; begin < text.size(); begin++) {
    if (!first_[static_cast<uint8_t>(text[begin])]) continue;
    std::optional<Found> longest;
    uint32_t node = 0;
    for (size_t end = begin; end < text.size();) {
      const uint32_t* child = edges_.find(static_cast<uint64_t>(node) << 8 | static_cast<uint8_t>(text[end]));
      if (child == nullptr) break;
      node = *child;
      end++;
      if (tokenAtNode_[node] >= 0) longest = Found{begin, end, static_cast<uint32_t>(tokenAtNode_[node])};
    }
    if (longest) return longest;
  }
  return std::nullopt;
}

std::optional<AddedTokenFinder::Match> AddedTokenFinder::accepted(std::string_view text, const Found& found, size_t done, bool skipSpecial) const {
  const AddedToken& token = tokens_[found.token];
  if (skipSpecial && token.special) return std::nullopt;
  const char *begin = text.data() + found.begin, *end = text.data() + found.end;
  const char* const textEnd = text.data() + text.size();
  if (token.singleWord) {
    if (begin > text.data() && unicode::isWord(unicode::peek(unicode::before(begin)))) return std::nullopt;
    if (end < textEnd && unicode::isWord(unicode::peek(end))) return std::nullopt;
  }
  if (token.lstrip) {
    while (begin > text.data() && unicode::isSpace(unicode::peek(unicode::before(begin)))) begin = unicode::before(begin);
    begin = std::max(begin, text.data() + done);
  }
  if (token.rstrip)
    while (end < textEnd && unicode::isSpace(unicode::peek(end))) end += unicode::lengthOf(static_cast<uint8_t>(*end));
  return Match{static_cast<size_t>(begin - text.data()), static_cast<size_t>(end - text.data()), token.id};
}

}  // namespace perennial
