// Unigram language model training (Kudo, arXiv 1804.10959) over words that are sequences of symbols: characters, or the tokens
// of a vocabulary that is to be extended.
//    P(word) = Σ over its segmentations Π p(piece)
// 1. seeds   the runs of symbols that occur often, by count · length; no run that is always followed by the same symbol
// 2. EM      expected counts c by forward-backward; p(piece) ∝ exp ψ(c) (Bayesian EM, ψ = digamma); pieces below half an
//            occurrence are dropped
// 3. prune   the pieces whose loss costs the least likelihood, a quarter at a time, until about `numPieces` are left
// As SentencePiece does, with two differences: seeds are counted by how often their words occur, not once for each different
// word, and a piece's weight in pruning is how often it is used, not in how many words. Single symbols always stay.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

namespace perennial {

class Pipeline;
struct SymbolWords;

struct UnigramOptions {
  std::vector<std::string> tokens;        // text of each symbol
  std::vector<bool> inert;                // by symbol: never part of a piece; may be shorter
  std::unordered_set<std::string> known;  // texts that are pieces already
  bool keepOld = false;                   // no piece of a run that occurs in the protected texts
  std::shared_ptr<Pipeline> symbols;  // its model says which symbols a word has; null: its characters, looked up in `tokens`
  size_t numPieces = 0;                   // of more than one symbol
  size_t maxSymbols = 16;                 // of a piece
  size_t seedSize = 1'000'000;
  uint64_t minFrequency = 2;
  unsigned threads = 1;
};

struct TrainedUnigram {
  std::vector<uint32_t> symbols, ends;  // piece i is symbols[ends[i−1], ends[i]); best score first
  std::vector<double> scores, counts;   // log p and expected occurrences of each piece
  std::vector<double> symbolScores;     // log p of each symbol
  double logLikelihood = 0;             // of the words, nats, at the last E-step
};

/** `forbidden`: words whose runs no piece may be. The result does not depend on `threads`. */
TrainedUnigram trainUnigram(const SymbolWords& words, const SymbolWords& forbidden, const UnigramOptions& options);

}  // namespace perennial
