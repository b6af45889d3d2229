/**
 * New pieces for a Unigram vocabulary: runs of old tokens that text in the new language often has, chosen by EM and pruning as
 * SentencePiece chooses pieces among runs of characters (native/tokenizer/unigram-trainer.h). With s the old scores and q the
 * probabilities that EM gives pieces and old tokens on the new text, the run o₁ … o_k becomes a piece of score
 *    s(piece) = Σ s(oᵢ) + ε · (log q(piece) − Σ log q(oᵢ))
 * so that the best segmentation is the old one first of all, and among the ways to join its tokens the one that is likeliest
 * on the new text: text without such a run keeps its ids (but where two old segmentations were within ~ε of each other).
 * Runs that EM finds less likely than their parts are left out.
 */
import type { LearnOptions, Learnt } from "./extend.ts";
import { extendedJson, writtenScore } from "./extended-json.ts";
import { packTokens, tokenizerAddon } from "./native.ts";
import { splitAt } from "./trainer.ts";

/** Nats of score per nat of likelihood: far below the differences of scores, far above what single precision keeps of them. */
const EPSILON = 1e-4;
/** As SentencePiece has it, in symbols of the old vocabulary. */
const MAX_SYMBOLS = 16;

export async function learnPieces({ base, trainer, newTokens, minFrequency, keepOld, inertIds, threads }: LearnOptions): Promise<Learnt> {
  const { model } = base.description;
  if (model.type !== "unigram") throw new TypeError("expected a Unigram vocabulary");
  const tokens = Array.from({ length: base.vocabSize }, (_, id) => [base.idToToken(id) ?? "", id] as const);
  const trained = await tokenizerAddon().trainerTrainUnigram(trainer, {
    symbols: base.pipeline,
    inertIds,
    tokens: packTokens(tokens),
    known: packTokens(tokens),
    numPieces: newTokens,
    maxSymbols: MAX_SYMBOLS,
    minFrequency,
    keepOld,
    threads,
  });
  const entries: { token: string; score: number }[] = [];
  const learnt: { token: string; id: number; count: number }[] = [];
  for (const [i, symbols] of splitAt(trained.symbols, trained.ends).entries()) {
    let [token, score, gain] = ["", 0, trained.scores[i]!];
    for (const symbol of symbols) {
      token += tokens[symbol]![0];
      score += model.scores[symbol]!;
      gain -= trained.symbolScores[symbol]!;
    }
    if (gain <= 0) continue;
    learnt.push({ token, id: base.vocabSize + entries.length, count: Math.round(trained.counts[i]!) });
    entries.push({ token, score: writtenScore(score + EPSILON * gain) });
  }
  const { words, differentWords, forgottenWords } = trained;
  return { json: extendedJson(base, entries), learnt, statistics: { words, differentWords, forgottenWords } };
}
