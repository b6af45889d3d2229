// Code points: UTF-8 in and out, character classes, case mapping, normalization forms.
#pragma once
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace perennial::unicode {

#include "unicode_tables.inc"

enum Category : uint8_t {
  Cn, Cc, Cf, Co, Cs, Ll, Lm, Lo, Lt, Lu, Mc, Me, Mn, Nd, Nl, No, Pc, Pd, Pe, Pf, Pi, Po, Ps, Sc, Sk, Sm, So, Zl, Zp, Zs
};
inline constexpr int kNumCategories = 30;

inline constexpr uint8_t kWord = 0x20, kNfcUnsafe = 0x40, kSpace = 0x80;
inline constexpr uint8_t kPunctuation = 0x01, kMark = 0x02, kControl = 0x04, kNumeric = 0x08, kExtendsCluster = 0x10,
                         kBeginsCluster = 0x20, kBreaksCluster = 0x40;

inline uint8_t property(uint32_t cp) { return kPropertyBlocks[kPropertyIndex[cp >> 8] * 256 + (cp & 255)]; }
inline uint8_t trait(uint32_t cp) { return kTraitBlocks[kTraitIndex[cp >> 8] * 256 + (cp & 255)]; }
inline Category category(uint32_t cp) { return static_cast<Category>(property(cp) & 0x1f); }
inline bool isSpace(uint32_t cp) { return property(cp) & kSpace; }
inline bool isWord(uint32_t cp) { return property(cp) & kWord; }
inline bool isNumeric(uint32_t cp) { return trait(cp) & kNumeric; }
inline bool isPunctuation(uint32_t cp) {
  if (cp < 0x80) return (cp >= '!' && cp <= '/') || (cp >= ':' && cp <= '@') || (cp >= '[' && cp <= '`') || (cp >= '{' && cp <= '~');
  return trait(cp) & kPunctuation;
}

/** Decodes the code point at `p` of valid UTF-8 and moves `p` behind it. */
inline uint32_t next(const char*& p) {
  const auto* u = reinterpret_cast<const uint8_t*>(p);
  if (u[0] < 0x80) {
    p += 1;
    return u[0];
  }
  if (u[0] < 0xe0) {
    p += 2;
    return (u[0] & 0x1fu) << 6 | (u[1] & 0x3fu);
  }
  if (u[0] < 0xf0) {
    p += 3;
    return (u[0] & 0x0fu) << 12 | (u[1] & 0x3fu) << 6 | (u[2] & 0x3fu);
  }
  p += 4;
  return (u[0] & 0x07u) << 18 | (u[1] & 0x3fu) << 12 | (u[2] & 0x3fu) << 6 | (u[3] & 0x3fu);
}

inline uint32_t peek(const char* p) { return next(p); }

/** The start of the code point that ends at `p`. */
inline const char* before(const char* p) {
  do --p;
  while ((static_cast<uint8_t>(*p) & 0xc0) == 0x80);
  return p;
}

inline int lengthOf(uint8_t lead) { return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4; }

void append(std::string& out, uint32_t cp);

/** True for well-formed UTF-8. */
bool isValid(std::string_view text);

/** Every maximal ill-formed part becomes one U+FFFD, as WHATWG decoders, Rust's from_utf8_lossy and Python's "replace" do. */
std::string repaired(std::string_view text);

uint32_t lowered(uint32_t cp);                            // simple mapping; U+0130 is handled by lowercase()
void lowercase(std::string_view text, std::string& out);  // each character by itself, without context

enum class Form { nfc, nfd, nfkc, nfkd };
/** Normalizes; returns false and leaves `out` alone when the text is in that form already. */
bool normalize(Form form, std::string_view text, std::string& out);

}  // namespace perennial::unicode
