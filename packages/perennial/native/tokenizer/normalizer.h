// The normalizers of tokenizer.json, as a list of operations on one text.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "regex.h"
#include "unicode.h"

namespace perennial {

/** SentencePiece's compiled character map: a double-array trie from UTF-8 to offsets of zero-terminated replacements. */
class CharacterMap {
 public:
  /** Throws std::invalid_argument when the blob is damaged. */
  explicit CharacterMap(std::string_view blob);
  bool apply(std::string_view text, std::string& out) const;

 private:
  bool transform(std::string_view chunk, std::string_view& replacement) const;
  std::vector<uint32_t> units_;
  std::string replacements_;
};

namespace normalizers {
struct UnicodeForm { unicode::Form form; };
struct Lowercase {};
struct StripAccents {};
struct Nmt {};
struct ByteLevel {};
struct Strip { bool left, right; };
struct Prepend { std::string text; };
struct Replace { std::string literal; std::shared_ptr<Regex> regex; std::string content; };  // literal when there is no regex
struct Precompiled { std::shared_ptr<CharacterMap> map; };
struct Bert { bool cleanText, handleChineseChars, stripAccents, lowercase; };
}  // namespace normalizers

using Normalizer = std::variant<normalizers::UnicodeForm, normalizers::Lowercase, normalizers::StripAccents, normalizers::Nmt,
                                normalizers::ByteLevel, normalizers::Strip, normalizers::Prepend, normalizers::Replace,
                                normalizers::Precompiled, normalizers::Bert>;

/** Applies one normalizer; returns false and leaves `out` undefined when nothing changes. `text` and `out` must not overlap. */
bool apply(const Normalizer& normalizer, std::string_view text, std::string& out);

/** Each byte as the character that stands for it in byte-level vocabularies. */
void appendByteCharacters(std::string_view bytes, std::string& out);

}  // namespace perennial
