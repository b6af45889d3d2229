#include "fold.h"

namespace perennial {

namespace {

constexpr uint32_t kIdentity = 15u << 20;
constexpr uint32_t kRemoved = 0;

/// The code point at `at`, and `at` moved behind it.
uint32_t next(const std::u16string& text, size_t& at) {
  const uint32_t unit = text[at++];
  if ((unit & 0xF800) != 0xD800) return unit;
  if (unit < 0xDC00 && at < text.size() && (text[at] & 0xFC00) == 0xDC00) return 0x10000 + ((unit - 0xD800) << 10) + (text[at++] - 0xDC00);
  return 0xFFFD;
}

uint32_t previous(const std::u16string& text, size_t& at) {
  const uint32_t unit = text[--at];
  if ((unit & 0xFC00) == 0xDC00 && at > 0 && (text[at - 1] & 0xFC00) == 0xD800) return 0x10000 + ((text[--at] - 0xD800u) << 10) + (unit - 0xDC00);
  return unit;
}

}  // namespace

void appendUtf8(uint32_t c, std::string& out) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | (c >> 6));
    out += static_cast<char>(0x80 | (c & 63));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | (c >> 12));
    out += static_cast<char>(0x80 | ((c >> 6) & 63));
    out += static_cast<char>(0x80 | (c & 63));
  } else {
    out += static_cast<char>(0xF0 | (c >> 18));
    out += static_cast<char>(0x80 | ((c >> 12) & 63));
    out += static_cast<char>(0x80 | ((c >> 6) & 63));
    out += static_cast<char>(0x80 | (c & 63));
  }
}

void toUtf8(const std::u16string& text, std::string& out) {
  for (size_t at = 0; at < text.size();) appendUtf8(next(text, at), out);
}

uint32_t FoldTable::entry(uint32_t c) const {
  if (c < entries_.size()) return entries_[c];
  return c >= 0xE0100 && c <= 0xE01EF ? kRemoved | kCaseIgnorable : kIdentity;  // variation selectors are non-spacing marks
}

/// Unicode's Final_Sigma: a cased letter before Σ and none behind it, case-ignorable characters between.
bool FoldTable::isFinalSigma(const std::u16string& text, size_t at) const {
  size_t before = at, behind = at + 1;
  bool casedBefore = false;
  while (before > 0) {
    const uint32_t e = entry(previous(text, before));
    if (e & kCaseIgnorable) continue;
    casedBefore = e & kCased;
    break;
  }
  if (!casedBefore) return false;
  while (behind < text.size()) {
    const uint32_t e = entry(next(text, behind));
    if (!(e & kCaseIgnorable)) return !(e & kCased);
  }
  return true;
}

/// The end of the number that starts at `at`: digits, then at most once a decimal separator with digits behind it.
size_t FoldTable::numberEnd(const std::u16string& text, size_t at) const {
  const auto digits = [&](size_t from) {
    for (size_t end = from; end < text.size(); from = end)
      if (!(entry(next(text, end)) & kDigit)) break;
    return from;
  };
  const size_t whole = digits(at);
  if (whole == text.size()) return whole;
  size_t fraction = whole;
  if (!(entry(next(text, fraction)) & kDecimalSeparator)) return whole;
  const size_t end = digits(fraction);
  return end == fraction ? whole : end;
}

void FoldTable::fold(const std::u16string& text, std::string& out) const {
  bool space = false;  // a separator is due before the next character
  const auto emit = [&](uint32_t c) {
    if (space && !out.empty()) out += ' ';
    space = false;
    appendUtf8(c, out);
  };
  for (size_t at = 0; at < text.size();) {
    const size_t start = at;
    const uint32_t c = next(text, at);
    const uint32_t e = entry(c);
    if (e & kSpace) {
      space = true;
    } else if (e & kDigit) {
      at = numberEnd(text, start);
      emit('0');
    } else if (c == 0x3A3) {
      emit(isFinalSigma(text, start) ? 0x3C2 : 0x3C3);
    } else if ((e & kIdentity) == kIdentity) {
      emit(c);
    } else {
      const size_t begin = e & 0xFFFFF, length = (e >> 20) & 15;
      for (size_t i = begin; i < begin + length;) {
        const uint32_t folded = next(pool_, i);
        if (folded == ' ') space = true;
        else emit(folded);
      }
    }
  }
}

}  // namespace perennial
