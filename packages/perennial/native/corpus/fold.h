// Text normalisation before shingling; the rule and its plain form stand in src/corpus/deduplicate/normalize.ts.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace perennial {

/// What a code point becomes and how it behaves, one 32-bit word each, made by `foldTable()` in TypeScript:
/// bits 0–19 place in `pool`, bits 20–23 length there in UTF-16 units (15 = the code point stays as it is), bits 24–28 flags.
class FoldTable {
 public:
  static constexpr uint32_t kDigit = 1u << 24, kDecimalSeparator = 1u << 25, kSpace = 1u << 26, kCased = 1u << 27, kCaseIgnorable = 1u << 28;

  FoldTable(std::vector<uint32_t> entries, std::u16string pool) : entries_(std::move(entries)), pool_(std::move(pool)) {}

  /// The words of `text`, folded, UTF-8, separated by single spaces.
  void fold(const std::u16string& text, std::string& out) const;

 private:
  uint32_t entry(uint32_t codePoint) const;
  bool isFinalSigma(const std::u16string& text, size_t at) const;
  size_t numberEnd(const std::u16string& text, size_t at) const;

  std::vector<uint32_t> entries_;
  std::u16string pool_;
};

/// UTF-16 to UTF-8; a lone surrogate becomes U+FFFD.
void appendUtf8(uint32_t codePoint, std::string& out);
void toUtf8(const std::u16string& text, std::string& out);

}  // namespace perennial
