// A small backtracking matcher over UTF-8 for programs compiled in TypeScript (src/tokenizer/regex.ts).
// It is the plain reference of the hand-written matchers (matchers.h) and runs every pattern that has none.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace perennial {

/** A set of code points: two-stage bit table. */
class CharacterSet {
 public:
  /** Postfix program: 0 first last | 1 categoryMask | 2 (white space) | 3 (not) | 4 (or) | 5 (and) | 6 (word). */
  explicit CharacterSet(std::span<const int32_t> program);
  bool has(uint32_t cp) const {
    if (cp < 128) return ascii_[cp >> 6] >> (cp & 63) & 1;
    const uint32_t* block = &blocks_[index_[cp >> 8] * 8];
    return block[cp >> 5 & 7] >> (cp & 31) & 1;
  }

 private:
  uint64_t ascii_[2] = {0, 0};
  std::vector<uint16_t> index_;
  std::vector<uint32_t> blocks_;
};

class Regex {
 public:
  enum Op : int32_t { match, set, split, jump, run, assertion, look, atomic };
  enum Assertion : int32_t { lineBegin, lineEnd, textBegin, textEnd, textEndOrNewline, wordBoundary, noWordBoundary };

  /** Throws std::invalid_argument when the program is not well formed. */
  Regex(std::span<const int32_t> program, std::vector<CharacterSet> sets);

  /** The leftmost match that begins at or after `from`; both -1 when there is none. Offsets are bytes. */
  std::pair<int64_t, int64_t> find(std::string_view text, size_t from) const;

 private:
  struct Frame {
    int32_t pc;
    const char* pos;
    const char* least;  // of a run: may be given back down to here; null otherwise
    int32_t more;       // of a lazy run: how many may still be taken
  };
  struct Search {
    const char *begin, *end;
    std::vector<Frame>& stack;
    int64_t steps;
  };
  const char* matchAt(int32_t pc, const char* p, Search& search) const;
  void verify(size_t pc, size_t end, int depth) const;

  std::vector<int32_t> program_;
  std::vector<CharacterSet> sets_;
};

}  // namespace perennial
