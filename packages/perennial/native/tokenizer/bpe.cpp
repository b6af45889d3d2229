#include <algorithm>
#include <cstdio>
#include <limits>
#include <stdexcept>

#include "models.h"
#include "unicode.h"

namespace perennial {

namespace {
constexpr size_t kShort = 128;  // symbols; above it the heap is faster
constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();
constexpr std::string_view kBlankMark = "\xe2\x96\x81";
}  // namespace

Bpe::Bpe(Tokens tokens, const std::vector<int32_t>& merges, BpeOptions options)
    : tokens_(std::move(tokens)), merges_(merges.size() / 3), options_(std::move(options)) {
  for (size_t i = 0; i < tokens_.size(); i++) vocabulary_.add(tokens_.at(i), tokens_.ids[i]);
  vocabulary_.build();
  for (size_t i = 0; i + 2 < merges.size(); i += 3)
    merges_[pairKey(merges[i], merges[i + 1])] = {static_cast<uint32_t>(i / 3), static_cast<uint32_t>(merges[i + 2])};
  for (int byte = 0; byte < 256; byte++) {
    char name[8];
    std::snprintf(name, sizeof name, "<0x%02X>", byte);
    const char raw = static_cast<char>(byte);
    byteIds_[byte] = vocabulary_.find(options_.byteLevel ? std::string_view(&raw, 1) : std::string_view(name));
  }
  if (options_.byteLevel) {
    if (std::any_of(byteIds_.begin(), byteIds_.end(), [](int32_t id) { return id < 0; }))
      throw std::invalid_argument("model.vocab: a byte-level vocabulary needs a token for every byte");
    return;
  }
  for (size_t i = 0; i < tokens_.size(); i++) {
    const auto token = tokens_.at(i);
    if (!token.empty() && unicode::lengthOf(static_cast<uint8_t>(token[0])) == static_cast<int>(token.size()))
      characterIds_[unicode::peek(token.data())] = vocabulary_.find(token);
  }
}

void Bpe::encode(std::string_view piece, Workspace& workspace, std::vector<int32_t>& out) const {
  if (!options_.cutBeforeBlankMark) return encodePart(piece, workspace, out);
  size_t from = 0;
  while (from < piece.size()) {
    size_t cut = from;
    while (piece.substr(cut).starts_with(kBlankMark)) cut += kBlankMark.size();
    cut = piece.find(kBlankMark, cut);
    if (cut == std::string_view::npos) cut = piece.size();
    encodePart(piece.substr(from, cut - from), workspace, out);
    from = cut;
  }
}

void Bpe::encodePart(std::string_view piece, Workspace& workspace, std::vector<int32_t>& out) const {
  if (workspace.cache.find(piece, out)) return;
  const size_t from = out.size();
  const int32_t whole = options_.ignoreMerges ? vocabulary_.find(piece) : -1;
  if (whole >= 0) {
    out.push_back(whole);
  } else {
    symbolsOf(piece, workspace);
    if (workspace.symbols.size() <= kShort) mergeShort(workspace);
    else mergeLong(workspace);
    out.insert(out.end(), workspace.symbols.begin(), workspace.symbols.end());
  }
  workspace.cache.add(piece, out.data() + from, out.size() - from);
}

void Bpe::symbolsOf(std::string_view piece, Workspace& workspace) const {
  auto& symbols = workspace.symbols;
  symbols.clear();
  if (options_.byteLevel) {
    for (const char c : piece) symbols.push_back(static_cast<uint32_t>(byteIds_[static_cast<uint8_t>(c)]));
    return;
  }
  const bool plain = options_.prefix.empty() && options_.suffix.empty();
  bool unknown = false;  // an unknown symbol waits to be fused with the next
  const auto flush = [&] {
    if (unknown) symbols.push_back(static_cast<uint32_t>(options_.unkId));
    unknown = false;
  };
  for (const char *p = piece.data(), *end = p + piece.size(); p < end;) {
    const char* const begin = p;
    const uint32_t cp = unicode::next(p);
    int32_t id;
    std::string_view text(begin, p - begin);
    if (plain) {
      const int32_t* found = characterIds_.find(cp);
      id = found ? *found : -1;
    } else {
      workspace.text.clear();
      if (begin != piece.data()) workspace.text += options_.prefix;
      workspace.text.append(begin, p - begin);
      if (p == end) workspace.text += options_.suffix;
      text = workspace.text;
      id = vocabulary_.find(text);
    }
    if (id >= 0) {
      flush();
      symbols.push_back(static_cast<uint32_t>(id));
      continue;
    }
    if (options_.byteFallback &&
        std::all_of(text.begin(), text.end(), [&](char c) { return byteIds_[static_cast<uint8_t>(c)] >= 0; })) {
      // As in the reference, a waiting unknown symbol stays behind the bytes.
      for (const char c : text) symbols.push_back(static_cast<uint32_t>(byteIds_[static_cast<uint8_t>(c)]));
      continue;
    }
    if (options_.unkId < 0) continue;  // without an unknown token the character is dropped
    if (!options_.fuseUnk) flush();
    unknown = true;
  }
  flush();
}

void Bpe::mergeShort(Workspace& workspace) const {
  auto& symbols = workspace.symbols;
  size_t n = symbols.size();
  if (n < 2) return;
  uint32_t ranks[kShort], results[kShort];
  const auto look = [&](size_t i) {
    const Merge* merge = mergeOf(symbols[i], symbols[i + 1]);
    ranks[i] = merge ? merge->rank : kNone;
    results[i] = merge ? merge->id : 0;
  };
  for (size_t i = 0; i + 1 < n; i++) look(i);
  for (;;) {
    size_t best = 0;
    uint32_t rank = kNone;
    for (size_t i = 0; i + 1 < n; i++)
      if (ranks[i] < rank) {
        rank = ranks[i];
        best = i;
      }
    if (rank == kNone) break;
    symbols[best] = results[best];
    for (size_t i = best + 1; i + 1 < n; i++) {
      symbols[i] = symbols[i + 1];
      ranks[i] = ranks[i + 1];
      results[i] = results[i + 1];
    }
    n--;
    if (best + 1 < n) look(best);
    if (best > 0) look(best - 1);
    if (n < 2) break;
  }
  symbols.resize(n);
}

void Bpe::mergeLong(Workspace& workspace) const {
  auto& symbols = workspace.symbols;
  auto& next = workspace.next;
  auto& previous = workspace.previous;
  auto& heap = workspace.heap;  // rank, position, result
  const auto n = static_cast<uint32_t>(symbols.size());
  next.resize(n);
  previous.resize(n);
  for (uint32_t i = 0; i < n; i++) {
    next[i] = i + 1;
    previous[i] = i - 1;
  }
  constexpr uint32_t kRemoved = kNone;
  heap.clear();
  const auto later = [](const auto& a, const auto& b) { return a[0] != b[0] ? a[0] > b[0] : a[1] > b[1]; };
  for (uint32_t i = 0; i + 1 < n; i++)
    if (const Merge* merge = mergeOf(symbols[i], symbols[i + 1])) heap.push_back({merge->rank, i, merge->id});
  std::make_heap(heap.begin(), heap.end(), later);
  const auto push = [&](uint32_t left, uint32_t right) {
    if (const Merge* merge = mergeOf(symbols[left], symbols[right])) {
      heap.push_back({merge->rank, left, merge->id});
      std::push_heap(heap.begin(), heap.end(), later);
    }
  };
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), later);
    const auto [rank, left, result] = heap.back();
    heap.pop_back();
    if (symbols[left] == kRemoved || next[left] >= n) continue;
    const uint32_t right = next[left];
    const Merge* current = mergeOf(symbols[left], symbols[right]);
    if (current == nullptr || current->id != result) continue;  // an expired entry
    symbols[left] = result;
    symbols[right] = kRemoved;
    next[left] = next[right];
    if (next[left] < n) previous[next[left]] = left;
    if (left > 0 && previous[left] != kNone) push(previous[left], left);
    if (next[left] < n) push(left, next[left]);
  }
  std::erase(symbols, kRemoved);
}

}  // namespace perennial
