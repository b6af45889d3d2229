#include "matchers.h"

#include <array>

#include "unicode.h"

namespace perennial {

namespace {

enum Kind : uint8_t { kOther = 0, kLetter = 1, kNumber = 2, kBlank = 4, kUpper = 8, kLower = 16 };  // kUpper = U, kLower = W

constexpr std::array<uint8_t, 256> kindOfProperty = [] {
  std::array<uint8_t, 256> table{};
  for (int property = 0; property < 256; property++) {
    using namespace unicode;
    const int c = property & 0x1f;
    uint8_t kind = kOther;
    if (c == Ll || c == Lm || c == Lo || c == Lt || c == Lu) kind |= kLetter;
    if (c == Nd || c == Nl || c == No) kind |= kNumber;
    if (c == Lu || c == Lt || c == Lm || c == Lo || c == Mc || c == Me || c == Mn) kind |= kUpper;
    if (c == Ll || c == Lm || c == Lo || c == Mc || c == Me || c == Mn) kind |= kLower;
    if (property & kSpace) kind |= kBlank;
    table[property] = kind;
  }
  return table;
}();

constexpr std::array<uint8_t, 128> kindOfAscii = [] {
  std::array<uint8_t, 128> table{};
  for (int c = 0; c < 128; c++) table[c] = kindOfProperty[unicode::kPropertyBlocks[unicode::kPropertyIndex[0] * 256 + c]];
  return table;
}();

/** The kind of the character at `p`; `p` moves behind it. */
inline uint8_t nextKind(const char*& p) {
  const auto lead = static_cast<uint8_t>(*p);
  if (lead < 0x80) {
    p++;
    return kindOfAscii[lead];
  }
  return kindOfProperty[unicode::property(unicode::next(p))];
}

inline uint8_t kindAt(const char* p) { return nextKind(p); }

/** The end of the longest run from `p` whose kinds have one of `wanted` (or, with 0, are plain `kOther`-like: no letter, number, blank). */
inline const char* runOf(uint8_t wanted, const char* p, const char* end) {
  while (p < end) {
    const char* q = p;
    if (!(nextKind(q) & wanted)) break;
    p = q;
  }
  return p;
}

inline bool isSymbol(uint8_t kind) { return !(kind & (kLetter | kNumber | kBlank)); }

inline const char* runOfSymbols(const char* p, const char* end) {
  while (p < end) {
    const char* q = p;
    if (!isSymbol(nextKind(q))) break;
    p = q;
  }
  return p;
}

inline bool isNewline(char c) { return c == '\n' || c == '\r'; }

/** 's 't 're 've 'm 'll 'd at `p` (which holds an apostrophe), or null. Without case, U+017F counts as s. */
const char* contraction(const char* p, const char* end, bool anyCase) {
  const auto fold = [&](char c) { return anyCase && c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  if (p + 1 >= end) return nullptr;
  const char first = fold(p[1]);
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return p + 2;
  if (p + 2 >= end) return nullptr;
  if (anyCase && p[1] == '\xc5' && p[2] == '\xbf') return p + 3;
  const char second = fold(p[2]);
  if ((first == 'r' && second == 'e') || (first == 'v' && second == 'e') || (first == 'l' && second == 'l')) return p + 3;
  return nullptr;
}

/** \s+(?!\S)|\s+ at a blank. */
const char* blanks(const char* p, const char* end) {
  const char* stop = runOf(kBlank, p, end);
  if (stop == end) return stop;
  const char* last = unicode::before(stop);
  return last == p ? stop : last;
}

/** \s*[\r\n]+|\s+(?!\S)|\s+ at a blank. */
const char* lines(const char* p, const char* end) {
  const char* stop = runOf(kBlank, p, end);
  for (const char* q = stop; q > p; q--)
    if (isNewline(q[-1])) return q;
  if (stop == end) return stop;
  const char* last = unicode::before(stop);
  return last == p ? stop : last;
}

const char* numbers(const char* p, const char* end, int digits) {
  for (int i = 0; i < digits && p < end; i++) {
    const char* q = p;
    if (!(nextKind(q) & kNumber)) break;
    p = q;
  }
  return p;
}

/** U*W+ (`lowerNeeded`) or U+W* at `p`, or null. */
const char* casedWord(const char* p, const char* end, bool lowerNeeded) {
  const char* afterBoth = nullptr;  // behind the last character of the U run that is in W too
  const char* q = p;
  while (q < end) {
    const char* r = q;
    const uint8_t kind = nextKind(r);
    if (!(kind & kUpper)) break;
    if (kind & kLower) afterBoth = r;
    q = r;
  }
  if (!lowerNeeded) return q == p ? nullptr : runOf(kLower, q, end);
  const char* stop = runOf(kLower, q, end);
  return stop > q ? stop : afterBoth;
}

}  // namespace

const char* matchGpt2(const char* p, const char* end) {
  if (*p == '\'')
    if (const char* stop = contraction(p, end, false)) return stop;
  const char* q = p;
  if (*p == ' ' && p + 1 < end) q = p + 1;
  const uint8_t kind = nextKind(q);
  if (kind & kLetter) return runOf(kLetter, q, end);
  if (kind & kNumber) return runOf(kNumber, q, end);
  if (!(kind & kBlank)) return runOfSymbols(q, end);
  return blanks(p, end);
}

const char* matchCl100k(const char* p, const char* end, int digits) {
  if (*p == '\'')
    if (const char* stop = contraction(p, end, true)) return stop;
  const char* q = p;
  const uint8_t kind = nextKind(q);
  if (kind & kLetter) return runOf(kLetter, q, end);
  if (kind & kNumber) return numbers(p, end, digits);
  if (q < end && !isNewline(*p)) {
    const char* r = q;
    const uint8_t second = nextKind(r);
    if (second & kLetter) return runOf(kLetter, r, end);
    if (*p == ' ' && isSymbol(second)) {
      r = runOfSymbols(r, end);
      while (r < end && isNewline(*r)) r++;
      return r;
    }
  }
  if (!(kind & kBlank)) {
    q = runOfSymbols(q, end);
    while (q < end && isNewline(*q)) q++;
    return q;
  }
  return lines(p, end);
}

const char* matchO200k(const char* p, const char* end, int digits, bool contractions) {
  const char* q = p;
  const uint8_t kind = nextKind(q);
  const bool canPrefix = !(kind & (kLetter | kNumber)) && !isNewline(*p);
  for (const bool lowerNeeded : {true, false}) {
    const char* stop = canPrefix && q < end ? casedWord(q, end, lowerNeeded) : nullptr;
    if (stop == nullptr) stop = casedWord(p, end, lowerNeeded);
    if (stop == nullptr) continue;
    if (contractions && stop < end && *stop == '\'')
      if (const char* longer = contraction(stop, end, true)) return longer;
    return stop;
  }
  if (kind & kNumber) return numbers(p, end, digits);
  const char* symbols = *p == ' ' && q < end && isSymbol(kindAt(q)) ? q : !(kind & kBlank) ? p : nullptr;
  if (symbols != nullptr) {
    q = runOfSymbols(symbols, end);
    while (q < end && (isNewline(*q) || *q == '/')) q++;
    return q;
  }
  return lines(p, end);
}

}  // namespace perennial
