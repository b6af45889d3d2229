#include "normalizer.h"

#include <array>
#include <cstring>
#include <stdexcept>

namespace perennial {

namespace {

/** GPT-2's bytes_to_unicode: printable Latin-1 stands for itself, the others for U+0100 and up. */
const std::array<uint32_t, 256> kByteCharacters = [] {
  std::array<uint32_t, 256> table{};
  uint32_t extra = 0x100;
  for (uint32_t b = 0; b < 256; b++) {
    const bool itself = (b >= 0x21 && b <= 0x7e) || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
    table[b] = itself ? b : extra++;
  }
  return table;
}();

template <typename Map>
void mapCharacters(std::string_view text, std::string& out, Map&& map) {
  out.clear();
  out.reserve(text.size());
  for (const char *p = text.data(), *end = p + text.size(); p < end;) map(unicode::next(p));
}

bool isChinese(uint32_t c) {
  return (c >= 0x4e00 && c <= 0x9fff) || (c >= 0x3400 && c <= 0x4dbf) || (c >= 0x20000 && c <= 0x2a6df) || (c >= 0x2a700 && c <= 0x2b73f) ||
         (c >= 0x2b740 && c <= 0x2b81f) || (c >= 0x2b920 && c <= 0x2ceaf) || (c >= 0xf900 && c <= 0xfaff) || (c >= 0x2f800 && c <= 0x2fa1f);
}

struct Applier {
  std::string_view text;
  std::string& out;

  bool operator()(const normalizers::UnicodeForm& n) const { return unicode::normalize(n.form, text, out); }
  bool operator()(const normalizers::Lowercase&) const {
    unicode::lowercase(text, out);
    return true;
  }
  bool operator()(const normalizers::StripAccents&) const {
    mapCharacters(text, out, [&](uint32_t cp) {
      if (!(unicode::trait(cp) & unicode::kMark)) unicode::append(out, cp);
    });
    return true;
  }
  bool operator()(const normalizers::Nmt&) const {
    mapCharacters(text, out, [&](uint32_t cp) {
      if ((cp >= 1 && cp <= 8) || cp == 0xb || (cp >= 0xe && cp <= 0x1f) || cp == 0x7f || cp == 0x8f || cp == 0x9f) return;
      const bool blank = cp == 9 || cp == 0xa || cp == 0xc || cp == 0xd || cp == 0x1680 || (cp >= 0x200b && cp <= 0x200f) || cp == 0x2028 ||
                         cp == 0x2029 || cp == 0x2581 || cp == 0xfeff || cp == 0xfffd;
      unicode::append(out, blank ? ' ' : cp);
    });
    return true;
  }
  bool operator()(const normalizers::ByteLevel&) const {
    out.clear();
    appendByteCharacters(text, out);
    return true;
  }
  bool operator()(const normalizers::Strip& n) const {
    const char *begin = text.data(), *end = begin + text.size();
    while (n.left && begin < end && unicode::isSpace(unicode::peek(begin))) begin += unicode::lengthOf(static_cast<uint8_t>(*begin));
    while (n.right && begin < end && unicode::isSpace(unicode::peek(unicode::before(end)))) end = unicode::before(end);
    out.assign(begin, end - begin);
    return true;
  }
  bool operator()(const normalizers::Prepend& n) const {
    if (text.empty()) return false;
    out.assign(n.text);
    out.append(text);
    return true;
  }
  bool operator()(const normalizers::Replace& n) const {
    if (text.empty()) return false;
    out.clear();
    size_t copied = 0;
    if (n.regex) {
      for (size_t from = 0; from <= text.size();) {
        const auto [begin, end] = n.regex->find(text, from);
        if (begin < 0) break;
        out.append(text.substr(copied, begin - copied));
        out.append(n.content);
        copied = end;
        from = end > begin ? end : end + (static_cast<size_t>(end) < text.size() ? unicode::lengthOf(static_cast<uint8_t>(text[end])) : 1);
      }
    } else {
      for (size_t at; (at = text.find(n.literal, copied)) != std::string_view::npos; copied = at + n.literal.size()) {
        out.append(text.substr(copied, at - copied));
        out.append(n.content);
      }
    }
    if (copied == 0 && out.empty()) return false;
    out.append(text.substr(copied));
    return true;
  }
  bool operator()(const normalizers::Precompiled& n) const { return n.map->apply(text, out); }
  bool operator()(const normalizers::Bert& n) const {
    mapCharacters(text, out, [&](uint32_t cp) {
      if (n.cleanText) {
        if (cp == 0 || cp == 0xfffd || (unicode::trait(cp) & unicode::kControl)) return;
        if (unicode::isSpace(cp)) cp = ' ';
      }
      const bool apart = n.handleChineseChars && isChinese(cp);
      if (apart) out.push_back(' ');
      unicode::append(out, cp);
      if (apart) out.push_back(' ');
    });
    std::string other;
    if (n.stripAccents) {
      if (unicode::normalize(unicode::Form::nfd, out, other)) out.swap(other);
      mapCharacters(out, other, [&](uint32_t cp) {
        if (unicode::category(cp) != unicode::Mn) unicode::append(other, cp);
      });
      out.swap(other);
    }
    if (n.lowercase) {
      unicode::lowercase(out, other);
      out.swap(other);
    }
    return true;
  }
};

}  // namespace

bool apply(const Normalizer& normalizer, std::string_view text, std::string& out) { return std::visit(Applier{text, out}, normalizer); }

void appendByteCharacters(std::string_view bytes, std::string& out) {
  for (const char c : bytes) unicode::append(out, kByteCharacters[static_cast<uint8_t>(c)]);
}

CharacterMap::CharacterMap(std::string_view blob) {
  uint32_t size = 0;
  if (blob.size() < 4) throw std::invalid_argument("the character map is too short");
  std::memcpy(&size, blob.data(), 4);  // little-endian, as all supported machines
  if (size % 4 != 0 || size < 4 || size > blob.size() - 4) throw std::invalid_argument("the character map gives a wrong size");
  units_.resize(size / 4);
  std::memcpy(units_.data(), blob.data() + 4, size);
  replacements_.assign(blob.substr(4 + size));
  // Everything behind a normalizer relies on well-formed text.
  if (!unicode::isValid(replacements_)) throw std::invalid_argument("the character map has replacements that are not UTF-8");
}

bool CharacterMap::transform(std::string_view chunk, std::string_view& replacement) const {
  const auto offset = [](uint32_t unit) { return unit >> 10 << ((unit & 1u << 9) >> 6); };
  size_t node = offset(units_[0]);
  for (const char c : chunk) {
    if (c == '\0') return false;
    node ^= static_cast<uint8_t>(c);
    if (node >= units_.size()) return false;
    const uint32_t unit = units_[node];
    if ((unit & (1u << 31 | 0xff)) != static_cast<uint8_t>(c)) return false;
    node ^= offset(unit);
    if (unit >> 8 & 1) {  // a leaf: as in the reference, the shortest key that begins the chunk decides
      if (node >= units_.size()) return false;
      const uint32_t at = units_[node] & 0x7fffffff;
      if (at >= replacements_.size() || (static_cast<uint8_t>(replacements_[at]) & 0xc0) == 0x80) return false;
      replacement = std::string_view(replacements_).substr(at);
      replacement = replacement.substr(0, replacement.find('\0'));
      return true;
    }
  }
  return false;
}

bool CharacterMap::apply(std::string_view text, std::string& out) const {
  using namespace unicode;
  out.clear();
  out.reserve(text.size());
  bool changed = false;
  std::string_view replacement;
  for (const char *p = text.data(), *end = p + text.size(); p < end;) {
    // One grapheme cluster, as far as it matters here: only clusters below 6 bytes are looked up as a whole.
    const char* const begin = p;
    uint32_t cp = next(p);
    if (cp == '\r' && p < end && *p == '\n') {
      p++;
    } else if (!(trait(cp) & kBreaksCluster)) {
      while ((trait(cp) & kBeginsCluster) && p < end && !(trait(peek(p)) & kBreaksCluster)) cp = next(p);
      while (p < end && (trait(peek(p)) & kExtendsCluster)) next(p);
    }
    const std::string_view cluster(begin, p - begin);
    if (cluster.size() < 6 && transform(cluster, replacement)) {
      out.append(replacement);
      changed = true;
      continue;
    }
    for (const char* q = begin; q < p;) {
      const char* const from = q;
      next(q);
      const std::string_view character(from, q - from);
      if (transform(character, replacement)) {
        out.append(replacement);
        changed = true;
      } else {
        out.append(character);
      }
    }
  }
  return changed;
}

}  // namespace perennial
