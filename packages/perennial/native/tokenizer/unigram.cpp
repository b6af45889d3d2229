#include <algorithm>
#include <cstdio>
#include <limits>
#include <stdexcept>

#include "models.h"
#include "unicode.h"

namespace perennial {

Unigram::Unigram(Tokens tokens, std::vector<double> scores, int32_t unkId, bool byteFallback)
    : tokens_(std::move(tokens)), scores_(std::move(scores)), unkId_(unkId), byteFallback_(byteFallback) {
  double least = std::numeric_limits<double>::infinity();
  idAtNode_.push_back(-1);
  for (size_t i = 0; i < tokens_.size(); i++) {
    const auto token = tokens_.at(i);
    vocabulary_.add(token, static_cast<int32_t>(i));
    least = std::min(least, scores_[i]);
    uint32_t node = 0;
    for (const char c : token) {
      uint32_t& child = edges_[static_cast<uint64_t>(node) << 8 | static_cast<uint8_t>(c)];
      if (child == 0) {
        child = static_cast<uint32_t>(idAtNode_.size());
        idAtNode_.push_back(-1);
      }
      node = child;
    }
    if (node != 0) idAtNode_[node] = static_cast<int32_t>(i);
  }
  vocabulary_.build();
  unkScore_ = least - 10.0;
  for (int byte = 0; byte < 256; byte++) {
    char name[8];
    std::snprintf(name, sizeof name, "<0x%02X>", byte);
    byteIds_[byte] = vocabulary_.find(name);
  }
}

void Unigram::encode(std::string_view piece, Workspace& workspace, std::vector<int32_t>& out) const {
  if (workspace.cache.find(piece, out)) return;
  const size_t from = out.size(), n = piece.size();
  if (n > std::numeric_limits<uint32_t>::max() - 2) throw std::length_error("a piece of more than 4 GiB");
  constexpr uint32_t kOpen = std::numeric_limits<uint32_t>::max();
  auto& score = workspace.scores;     // best score of a path that ends at byte i
  auto& begin = workspace.previous;   // where its last token begins
  auto& id = workspace.symbols;       // and which token it is
  score.assign(n + 1, 0.0);
  begin.assign(n + 1, kOpen);
  id.assign(n + 1, 0);
  const auto offer = [&](size_t end, size_t start, double candidate, int32_t token) {
    if (begin[end] != kOpen && !(candidate > score[end])) return;
    score[end] = candidate;
    begin[end] = static_cast<uint32_t>(start);
    id[end] = static_cast<uint32_t>(token);
  };
  for (size_t start = 0; start < n;) {
    const size_t length = unicode::lengthOf(static_cast<uint8_t>(piece[start]));
    bool single = false;
    uint32_t node = 0;
    for (size_t end = start; end < n;) {
      const uint32_t* child = edges_.find(static_cast<uint64_t>(node) << 8 | static_cast<uint8_t>(piece[end]));
      if (child == nullptr) break;
      node = *child;
      end++;
      if (idAtNode_[node] < 0) continue;
      offer(end, start, scores_[idAtNode_[node]] + score[start], idAtNode_[node]);
      if (end - start == length) single = true;
    }
    if (!single) {
      if (unkId_ < 0) throw std::runtime_error("model.unk_id is missing, and the text has a character without a token");
      offer(start + length, start, unkScore_ + score[start], unkId_);
    }
    start += length;
  }
  // Backwards over the best path; `next` collects where tokens begin, neighboring unknown ones fused.
  auto& cuts = workspace.next;
  cuts.clear();
  bool inUnknown = false;
  for (size_t end = n; end > 0; end = begin[end]) {
    const bool unknown = static_cast<int32_t>(id[end]) == unkId_;
    if (unknown && inUnknown) cuts.back() = begin[end];
    else cuts.push_back(begin[end]);
    inUnknown = unknown;
  }
  for (size_t i = cuts.size(); i-- > 0;) {
    const size_t end = i == 0 ? n : cuts[i - 1];
    emit(piece.substr(cuts[i], end - cuts[i]), out);
  }
  workspace.cache.add(piece, out.data() + from, out.size() - from);
}

void Unigram::emit(std::string_view text, std::vector<int32_t>& out) const {
  const int32_t id = vocabulary_.find(text);
  if (id >= 0) {
    out.push_back(id);
  } else if (byteFallback_ && std::all_of(text.begin(), text.end(), [&](char c) { return byteIds_[static_cast<uint8_t>(c)] >= 0; })) {
    for (const char c : text) out.push_back(byteIds_[static_cast<uint8_t>(c)]);
  } else if (unkId_ >= 0) {
    out.push_back(unkId_);
  } else {
    throw std::runtime_error("model.unk_id is missing, and the text has a character without a token");
  }
}

}  // namespace perennial
