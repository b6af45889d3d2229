// WordPiece and WordLevel.
#include <algorithm>
#include <stdexcept>

#include "models.h"
#include "unicode.h"

namespace perennial {

namespace {
void fill(Vocabulary& vocabulary, const Tokens& tokens) {
  for (size_t i = 0; i < tokens.size(); i++) vocabulary.add(tokens.at(i), tokens.ids[i]);
  vocabulary.build();
}
[[noreturn]] void missingUnknown() { throw std::runtime_error("model.unk_token is not in the vocabulary, and the text has a word without a token"); }
}  // namespace

WordPiece::WordPiece(Tokens tokens, int32_t unkId, std::string prefix, size_t maxCharacters)
    : tokens_(std::move(tokens)), unkId_(unkId), prefix_(std::move(prefix)), maxCharacters_(maxCharacters) {
  fill(vocabulary_, tokens_);
  for (size_t i = 0; i < tokens_.size(); i++) maxTokenBytes_ = std::max(maxTokenBytes_, tokens_.at(i).size());
}

void WordPiece::encode(std::string_view piece, Workspace& workspace, std::vector<int32_t>& out) const {
  if (workspace.cache.find(piece, out)) return;
  const size_t from = out.size();
  const auto unknown = [&] {
    if (unkId_ < 0) missingUnknown();
    out.resize(from);
    out.push_back(unkId_);
  };
  const auto characters =
      static_cast<size_t>(std::count_if(piece.begin(), piece.end(), [](char c) { return (static_cast<uint8_t>(c) & 0xc0) != 0x80; }));
  if (characters > maxCharacters_) {
    unknown();
  } else {
    for (size_t start = 0; start < piece.size();) {
      size_t end = std::min(piece.size(), start + maxTokenBytes_);
      while (end < piece.size() && (static_cast<uint8_t>(piece[end]) & 0xc0) == 0x80) end--;
      int32_t id = -1;
      for (; end > start; end = unicode::before(piece.data() + end) - piece.data()) {
        workspace.text.assign(start > 0 ? prefix_ : std::string());
        workspace.text.append(piece.substr(start, end - start));
        id = vocabulary_.find(workspace.text);
        if (id >= 0) break;
      }
      if (id < 0) {
        unknown();
        break;
      }
      out.push_back(id);
      start = end;
    }
  }
  workspace.cache.add(piece, out.data() + from, out.size() - from);
}

WordLevel::WordLevel(Tokens tokens, int32_t unkId) : tokens_(std::move(tokens)), unkId_(unkId) { fill(vocabulary_, tokens_); }

void WordLevel::encode(std::string_view piece, Workspace&, std::vector<int32_t>& out) const {
  const int32_t id = vocabulary_.find(piece);
  if (id < 0 && unkId_ < 0) missingUnknown();
  out.push_back(id >= 0 ? id : unkId_);
}

}  // namespace perennial
