#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "trainer.h"
#include "unicode.h"

namespace perennial {

namespace {

constexpr size_t kParts = 8;             // of the words, each with sums of its own: the same additions whatever the threads
constexpr size_t kMaxAlive = 1u << 24;   // positions whose runs are made longer at once: bounds the seeds' memory
constexpr size_t kMaxWordSymbols = 512;  // a longer word is learnt from in parts
constexpr double kLeastCount = 0.5;
constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();

double digamma(double x) {
  double result = 0;
  for (; x < 7; x++) result -= 1 / x;
  x -= 0.5;
  const double xx = 1 / x / x;
  return result + std::log(x) + xx / 24 - 7 * xx * xx / 960 + 31 * xx * xx * xx / 8064 - 127 * xx * xx * xx * xx / 30720;
}

double logAdd(double a, double b) {
  if (a < b) std::swap(a, b);
  return b == kMinusInfinity ? a : a + std::log1p(std::exp(b - a));
}

/** Runs of symbols as paths from the root; node 0 is the root, and child(0, s) that of the symbol s alone. */
class Trie {
 public:
  static constexpr uint32_t kNone = 0;
  uint32_t child(uint32_t node, uint32_t symbol) const {
    const uint32_t* found = edges_.find(pairKey(node, symbol));
    return found ? *found : kNone;
  }
  uint32_t make(uint32_t node, uint32_t symbol) {
    uint32_t& edge = edges_[pairKey(node, symbol)];
    if (edge == kNone) {
      edge = static_cast<uint32_t>(nodes_.size());
      nodes_.push_back({node, symbol});
    }
    return edge;
  }
  size_t size() const { return nodes_.size(); }
  uint32_t parent(uint32_t node) const { return nodes_[node].parent; }
  std::vector<uint32_t> path(uint32_t node) const {
    std::vector<uint32_t> symbols;
    for (; node != 0; node = nodes_[node].parent) symbols.push_back(nodes_[node].symbol);
    std::reverse(symbols.begin(), symbols.end());
    return symbols;
  }

 private:
  struct Node {
    uint32_t parent = 0, symbol = 0;
  };
  FlatMap<uint32_t> edges_;
  std::vector<Node> nodes_ = std::vector<Node>(1);
};

using Run = std::vector<uint32_t>;

std::string textOf(const Run& run, const UnigramOptions& options) {
  std::string text;
  for (const uint32_t symbol : run) text += options.tokens[symbol];
  return text;
}

/** Frequent runs of two symbols or more, the best first. Breadth first: a run is made longer only where it is frequent itself. */
std::vector<Run> seedsOf(const SymbolWords& words, const SymbolWords& forbidden, const UnigramOptions& options) {
  const auto inert = [&](uint32_t symbol) { return symbol < options.inert.size() && options.inert[symbol]; };
  Trie trie;
  std::vector<uint64_t> counts(1);
  struct Position {
    uint64_t at;  // of the run's next symbol
    uint32_t word, node;
  };
  std::vector<Position> alive;
  const auto extended = [&](uint32_t node, uint32_t symbol, int64_t count) {
    const uint32_t child = trie.make(node, symbol);
    if (child >= counts.size()) counts.resize(child + 1);
    counts[child] += static_cast<uint64_t>(count);
    return child;
  };
  for (uint32_t word = 0; word < words.size(); word++)
    for (uint32_t i = 0; i < words.lengths[word]; i++) {
      const uint32_t symbol = words.symbols[words.offsets[word] + i];
      if (!inert(symbol)) alive.push_back({words.offsets[word] + i + 1, word, extended(0, symbol, words.counts[word])});
    }
  const uint64_t least = std::max<uint64_t>(options.minFrequency, 1);
  for (size_t length = 2; length <= options.maxSymbols && !alive.empty(); length++) {
    uint64_t threshold = least;
    const auto open = [&](const Position& p) {
      return counts[p.node] >= threshold && p.at < words.offsets[p.word] + words.lengths[p.word] && !inert(words.symbols[p.at]);
    };
    while (static_cast<size_t>(std::count_if(alive.begin(), alive.end(), open)) > kMaxAlive) threshold *= 2;
    std::erase_if(alive, [&](const Position& p) { return !open(p); });
    for (Position& p : alive) {
      p.node = extended(p.node, words.symbols[p.at], words.counts[p.word]);
      p.at++;
    }
  }
  std::vector<bool> excluded(trie.size());
  // A run that is always followed by the same symbol is no unit of its own.
  for (uint32_t node = 1; node < trie.size(); node++)
    if (counts[node] == counts[trie.parent(node)]) excluded[trie.parent(node)] = true;
  for (uint32_t word = 0; word < forbidden.size(); word++)
    for (uint32_t i = 0; i < forbidden.lengths[word]; i++) {
      uint32_t node = 0;
      for (uint32_t j = i; j < forbidden.lengths[word]; j++) {
        node = trie.child(node, forbidden.symbols[forbidden.offsets[word] + j]);
        if (node == Trie::kNone) break;
        excluded[node] = true;
      }
    }
  struct Seed {
    uint64_t score;
    uint32_t node;
  };
  std::vector<Seed> seeds;
  for (uint32_t node = 1; node < trie.size(); node++) {
    if (excluded[node] || counts[node] < least || trie.parent(node) == 0) continue;
    seeds.push_back({counts[node] * trie.path(node).size(), node});
  }
  std::sort(seeds.begin(), seeds.end(), [](const Seed& a, const Seed& b) { return a.score != b.score ? a.score > b.score : a.node < b.node; });
  std::vector<Run> runs;
  std::unordered_set<std::string> texts = options.known;  // two runs may spell the same text: the better one stays
  for (const Seed& seed : seeds) {
    if (runs.size() == options.seedSize) break;
    Run run = trie.path(seed.node);
    if (texts.insert(textOf(run, options)).second) runs.push_back(std::move(run));
  }
  return runs;
}

/** Pieces 0 … numSymbols−1 are the symbols themselves, the others runs. */
class Pieces {
 public:
  Pieces(size_t numSymbols, std::vector<Run> runs) : numSymbols_(numSymbols), runs_(std::move(runs)) {
    scores.assign(numSymbols_ + runs_.size(), 0);
    build();
  }
  size_t size() const { return numSymbols_ + runs_.size(); }
  size_t numRuns() const { return runs_.size(); }
  size_t numSymbols() const { return numSymbols_; }
  const Run& run(size_t piece) const { return runs_[piece - numSymbols_]; }

  /** Calls visit(end, piece) for every piece of `symbols` that begins at `start`. */
  template <typename Visit>
  void from(const uint32_t* symbols, size_t start, size_t length, Visit&& visit) const {
    visit(start + 1, symbols[start]);
    uint32_t node = trie_.child(0, symbols[start]);
    for (size_t end = start + 1; node != Trie::kNone && end < length; end++) {
      node = trie_.child(node, symbols[end]);
      if (node != Trie::kNone && pieceAt_[node] != kNoPiece) visit(end + 1, pieceAt_[node]);
    }
  }

  /** Keeps the runs for which keep[run] holds, with their scores. `rebuild` pays where many go: walks get shorter. */
  void filter(const std::vector<bool>& keep, bool rebuild) {
    size_t to = 0;
    for (size_t i = 0; i < runs_.size(); i++) {
      pieceAt_[nodes_[i]] = kNoPiece;
      if (!keep[i]) continue;
      scores[numSymbols_ + to] = scores[numSymbols_ + i];
      nodes_[to] = nodes_[i];
      if (to != i) runs_[to] = std::move(runs_[i]);
      pieceAt_[nodes_[to]] = static_cast<uint32_t>(numSymbols_ + to);
      to++;
    }
    runs_.resize(to);
    nodes_.resize(to);
    scores.resize(numSymbols_ + to);
    if (rebuild) build();
  }

  std::vector<double> scores;

 private:
  static constexpr uint32_t kNoPiece = std::numeric_limits<uint32_t>::max();
  void build() {
    trie_ = Trie();
    pieceAt_.assign(1, kNoPiece);
    nodes_.resize(runs_.size());
    for (size_t i = 0; i < runs_.size(); i++) {
      uint32_t node = 0;
      for (const uint32_t symbol : runs_[i]) node = trie_.make(node, symbol);
      pieceAt_.resize(trie_.size(), kNoPiece);
      pieceAt_[node] = static_cast<uint32_t>(numSymbols_ + i);
      nodes_[i] = node;
    }
  }
  size_t numSymbols_;
  std::vector<Run> runs_;
  Trie trie_;
  std::vector<uint32_t> pieceAt_;  // by node of the trie
  std::vector<uint32_t> nodes_;    // by run
};

/** Words in kParts parts of equal size; body(part, word). */
template <typename Body>
void eachWord(const SymbolWords& words, unsigned threads, Body&& body) {
  parallel(kParts, threads, [&](size_t part) {
    const size_t begin = words.size() * part / kParts, end = words.size() * (part + 1) / kParts;
    for (size_t word = begin; word < end; word++) body(part, word);
  });
}

struct Expectation {
  std::vector<double> counts;
  double logLikelihood = 0;
};

struct Edge {
  uint32_t start, end, piece;
};

/** A word this short is summed over in plain numbers, scaled by a factor for each symbol; longer ones need logarithms. */
constexpr size_t kMaxPlain = 48;

Expectation expected(const SymbolWords& words, const Pieces& pieces, unsigned threads) {
  // With one factor for each symbol the sums of a word stay near 1: that of a typical symbol's probability.
  double mean = 0, uses = 0;
  for (size_t i = 0; i < words.size(); i++)
    for (size_t j = 0; j < words.lengths[i]; j++) {
      mean += static_cast<double>(words.counts[i]) * pieces.scores[words.symbols[words.offsets[i] + j]];
      uses += static_cast<double>(words.counts[i]);
    }
  const double factor = uses > 0 ? -mean / uses / 2 : 0;
  std::vector<double> scaled(pieces.size());
  for (size_t i = 0; i < scaled.size(); i++)
    scaled[i] = std::exp(pieces.scores[i] + factor * (i < pieces.numSymbols() ? 1.0 : static_cast<double>(pieces.run(i).size())));
  struct Part {
    Expectation sum;
    std::vector<double> alpha, beta;
    std::vector<Edge> edges;
  };
  std::vector<Part> parts(kParts);
  for (auto& part : parts) part.sum.counts.assign(pieces.size(), 0);
  eachWord(words, threads, [&](size_t index, size_t word) {
    const uint32_t* symbols = &words.symbols[words.offsets[word]];
    const size_t n = words.lengths[word];
    auto& [sum, alpha, beta, edges] = parts[index];
    edges.clear();
    for (size_t i = 0; i < n; i++)
      pieces.from(symbols, i, n, [&](size_t end, uint32_t piece) { edges.push_back({static_cast<uint32_t>(i), static_cast<uint32_t>(end), piece}); });
    const auto count = static_cast<double>(words.counts[word]);
    if (n <= kMaxPlain) {
      alpha.assign(n + 1, 0);
      beta.assign(n + 1, 0);
      alpha[0] = beta[n] = 1;
      for (const auto& [start, end, piece] : edges) alpha[end] += alpha[start] * scaled[piece];
      for (size_t i = edges.size(); i-- > 0;) beta[edges[i].start] += beta[edges[i].end] * scaled[edges[i].piece];
      sum.logLikelihood += count * (std::log(alpha[n]) - factor * static_cast<double>(n));
      for (const auto& [start, end, piece] : edges) sum.counts[piece] += count * alpha[start] * scaled[piece] * beta[end] / alpha[n];
      return;
    }
    const auto& scores = pieces.scores;
    alpha.assign(n + 1, kMinusInfinity);
    beta.assign(n + 1, kMinusInfinity);
    alpha[0] = beta[n] = 0;
    for (const auto& [start, end, piece] : edges) alpha[end] = logAdd(alpha[end], alpha[start] + scores[piece]);
    for (size_t i = edges.size(); i-- > 0;) beta[edges[i].start] = logAdd(beta[edges[i].start], beta[edges[i].end] + scores[edges[i].piece]);
    sum.logLikelihood += count * alpha[n];
    for (const auto& [start, end, piece] : edges) sum.counts[piece] += count * std::exp(alpha[start] + scores[piece] + beta[end] - alpha[n]);
  });
  for (size_t part = 1; part < kParts; part++) {
    parts[0].sum.logLikelihood += parts[part].sum.logLikelihood;
    for (size_t i = 0; i < pieces.size(); i++) parts[0].sum.counts[i] += parts[part].sum.counts[i];
  }
  return std::move(parts[0].sum);
}

/** Drops runs below half an occurrence and gives the others, and the symbols, the scores of their counts. */
void maximize(Pieces& pieces, std::vector<double>& counts) {
  const size_t symbols = pieces.numSymbols();
  std::vector<bool> keep(pieces.numRuns());
  size_t to = symbols;
  for (size_t i = 0; i < pieces.numRuns(); i++) {
    keep[i] = counts[symbols + i] >= kLeastCount;
    if (keep[i]) counts[to++] = counts[symbols + i];
  }
  counts.resize(to);
  pieces.filter(keep, false);
  double sum = 0;
  for (double& count : counts) sum += count = std::max(count, kLeastCount);
  const double logSum = digamma(sum);
  for (size_t i = 0; i < counts.size(); i++) pieces.scores[i] = digamma(counts[i]) - logSum;
}

/** The best segmentation of `symbols` into pieces other than `except`; returns its score. */
double viterbi(const Pieces& pieces, const uint32_t* symbols, size_t n, uint32_t except, std::vector<uint32_t>& path) {
  thread_local std::vector<double> best;
  thread_local std::vector<uint32_t> begin, id;
  best.assign(n + 1, kMinusInfinity);
  begin.assign(n + 1, 0);
  id.assign(n + 1, 0);
  best[0] = 0;
  for (size_t i = 0; i < n; i++)
    pieces.from(symbols, i, n, [&](size_t end, uint32_t piece) {
      const double score = best[i] + pieces.scores[piece];
      if (piece == except || !(score > best[end])) return;
      best[end] = score;
      begin[end] = static_cast<uint32_t>(i);
      id[end] = piece;
    });
  path.clear();
  for (size_t end = n; end > 0; end = begin[end]) path.push_back(id[end]);
  return best[n];
}

constexpr uint32_t kNoException = std::numeric_limits<uint32_t>::max();

/** Keeps the `target` runs whose removal would cost the most likelihood. */
void prune(const SymbolWords& words, Pieces& pieces, size_t target, unsigned threads) {
  std::vector<std::vector<double>> parts(kParts, std::vector<double>(pieces.size()));
  std::vector<std::vector<uint32_t>> paths(kParts);
  eachWord(words, threads, [&](size_t part, size_t word) {
    viterbi(pieces, &words.symbols[words.offsets[word]], words.lengths[word], kNoException, paths[part]);
    for (const uint32_t piece : paths[part]) parts[part][piece] += static_cast<double>(words.counts[word]);
  });
  std::vector<double> used(pieces.size());
  for (const auto& part : parts)
    for (size_t i = 0; i < used.size(); i++) used[i] += part[i];
  double sum = 0;
  for (const double count : used) sum += count;
  struct Candidate {
    double loss;
    size_t run;
  };
  std::vector<Candidate> candidates;
  std::vector<uint32_t> alternative;
  for (size_t i = 0; i < pieces.numRuns(); i++) {
    const size_t piece = pieces.numSymbols() + i;
    const Run& run = pieces.run(piece);
    const double other = viterbi(pieces, run.data(), run.size(), static_cast<uint32_t>(piece), alternative);
    if (used[piece] == 0 || other >= pieces.scores[piece]) {
      candidates.push_back({kMinusInfinity, i});  // never used: nothing is lost
      continue;
    }
    // Without it each use becomes its best alternative, whose pieces then occur that much more often.
    const double logSum = std::log(sum + used[piece] * static_cast<double>(alternative.size() - 1));
    double logAlternative = 0;
    for (const uint32_t part : alternative) logAlternative += std::log(used[part] + used[piece]) - logSum;
    candidates.push_back({used[piece] / sum * (std::log(used[piece]) - std::log(sum) - logAlternative), i});
  }
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) { return a.loss != b.loss ? a.loss > b.loss : a.run < b.run; });
  std::vector<bool> keep(pieces.numRuns());
  for (size_t i = 0; i < std::min(target, candidates.size()) && candidates[i].loss > kMinusInfinity; i++) keep[candidates[i].run] = true;
  pieces.filter(keep, true);
}

}  // namespace

TrainedUnigram trainUnigram(const SymbolWords& words, const SymbolWords& forbidden, const UnigramOptions& options) {
  Pieces pieces(options.tokens.size(), seedsOf(words, forbidden, options));
  // Symbols and seeds begin as likely as they are frequent.
  std::vector<double> counts(pieces.size(), kLeastCount);
  for (size_t word = 0; word < words.size(); word++)
    for (size_t i = 0; i < words.lengths[word]; i++) {
      const uint32_t* symbols = &words.symbols[words.offsets[word]];
      pieces.from(symbols, i, words.lengths[word], [&](size_t, uint32_t piece) { counts[piece] += static_cast<double>(words.counts[word]); });
    }
  maximize(pieces, counts);
  // A tenth more than asked for, so that the last choice is made by the scores of the final EM.
  const auto desired = static_cast<size_t>(std::ceil(static_cast<double>(options.numPieces) * 1.1));
  Expectation expectation;
  for (;;) {
    for (int step = 0; step < 2; step++) {
      expectation = expected(words, pieces, options.threads);
      maximize(pieces, expectation.counts);
    }
    if (pieces.numRuns() <= desired) break;
    const size_t before = pieces.numRuns();
    prune(words, pieces, std::max(desired, before * 3 / 4), options.threads);
    if (pieces.numRuns() == before) break;
  }
  std::vector<size_t> order(pieces.numRuns());
  for (size_t i = 0; i < order.size(); i++) order[i] = pieces.numSymbols() + i;
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return pieces.scores[a] != pieces.scores[b] ? pieces.scores[a] > pieces.scores[b] : pieces.run(a) < pieces.run(b);
  });
  order.resize(std::min(order.size(), options.numPieces));
  TrainedUnigram result;
  for (const size_t piece : order) {
    const Run& run = pieces.run(piece);
    result.symbols.insert(result.symbols.end(), run.begin(), run.end());
    result.ends.push_back(static_cast<uint32_t>(result.symbols.size()));
    result.scores.push_back(pieces.scores[piece]);
    result.counts.push_back(expectation.counts[piece]);
  }
  result.symbolScores.assign(pieces.scores.begin(), pieces.scores.begin() + static_cast<std::ptrdiff_t>(pieces.numSymbols()));
  result.logLikelihood = expectation.logLikelihood;
  return result;
}

TrainedUnigram Trainer::trainUnigram(const UnigramOptions& given) {
  UnigramOptions options = given;
  const auto sorted = sortedWords();
  const Pipeline& pipeline = options.symbols ? *options.symbols : *pipeline_;
  Pipeline::Lease scratch(pipeline);
  FlatMap<uint32_t> characters;
  const auto unknown = static_cast<int32_t>(options.tokens.size());
  if (!options.symbols) {
    for (size_t i = 0; i < options.tokens.size(); i++)
      if (!options.tokens[i].empty()) characters[unicode::peek(options.tokens[i].data())] = static_cast<uint32_t>(i);
    options.tokens.emplace_back();
    options.inert.resize(options.tokens.size());
    options.inert.back() = true;
  }
  std::vector<int32_t> ids, part;
  const auto append = [&](SymbolWords& words, std::string_view word, uint64_t count) {
    ids.clear();
    if (options.symbols) pipeline.encodePiece(word, *scratch, ids);
    else
      for (const char *p = word.data(), *end = p + word.size(); p < end;) {
        const uint32_t* found = characters.find(unicode::next(p));
        ids.push_back(found ? static_cast<int32_t>(*found) : unknown);
      }
    for (const int32_t id : ids)
      if (static_cast<size_t>(id) >= options.tokens.size()) throw std::invalid_argument("the tokenizer gives an id that is no token");
    for (size_t from = 0; from < ids.size(); from += kMaxWordSymbols) {
      part.assign(ids.begin() + static_cast<std::ptrdiff_t>(from), ids.begin() + static_cast<std::ptrdiff_t>(std::min(ids.size(), from + kMaxWordSymbols)));
      words.add(part, count);
    }
  };
  SymbolWords words, forbidden;
  for (const auto& [word, count] : sorted) append(words, word, count);
  if (options.keepOld)
    protected_.forEach([&](std::string_view word, uint64_t count) {
      append(forbidden, word, count);
      options.known.emplace(word);
    });
  TrainedUnigram result = perennial::trainUnigram(words, forbidden, options);
  if (!options.symbols) result.symbolScores.pop_back();
  return result;
}

}  // namespace perennial
