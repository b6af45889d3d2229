/**
 * Perplexity curriculum: documents from easy to hard by the start model's own perplexity.
 *    ppl(d) = exp( −(1/T) Σ_t ln p(x_t | x_<t) ), the document cut to the context length
 *  The order of losses is the order of perplexities, so mean losses (nats per token) are what is taken. Scored once, by the
 *  start model; ties keep their order. With topics, each topic's pool is sorted and a round takes the next prefix of each:
 *  ordered in time, mixed locally. For the new language only, not for text the model knows or for code, where low
 *  perplexity is boilerplate. Source: Chen et al., Llama-3-SynE, arXiv 2407.18743.
 */
import { z } from "zod";
import { FieldError } from "../../errors.ts";
import { stream } from "../../stream.ts";

export const curriculumSchema = z.strictObject({
  order: z.enum(["lowToHigh", "highToLow", "random"]).default("lowToHigh").describe("easy first (the method), hard first, or shuffled"),
  seed: z.int().default(1).describe("seed of the shuffles"),
});
export type CurriculumSpec = z.input<typeof curriculumSchema>;

/** Document numbers in training order, from mean losses in nats per token. */
export function curriculumOrder(losses: ArrayLike<number>, spec: CurriculumSpec = {}): Uint32Array {
  const { order, seed } = curriculumSchema.parse(spec);
  for (let i = 0; i < losses.length; i++)
    if (!Number.isFinite(losses[i]!))
      throw new FieldError("CURRICULUM_LOSS", {
        at: `losses[${i}]`,
        expected: "a finite mean loss",
        received: String(losses[i]),
        todo: "leave empty documents out before scoring",
      });
  const documents = Array.from({ length: losses.length }, (_, i) => i);
  if (order === "random") stream(seed, "curriculum").shuffle(documents);
  else documents.sort((a, b) => (order === "lowToHigh" ? losses[a]! - losses[b]! : losses[b]! - losses[a]!));
  return Uint32Array.from(documents);
}

/** Tokens of each document, and the pool's next document. Plain JSON but for the arrays. */
export interface CurriculumPool {
  readonly order: ArrayLike<number>;
  readonly tokens: ArrayLike<number>;
  /** Position in `order` of the next document. */
  readonly position: number;
}

/** The next prefix of every pool for one round, shuffled inside the round, and where the pools stand afterwards. */
export function nextRound(
  pools: Readonly<Record<string, CurriculumPool>>,
  tokens: Readonly<Record<string, number>>,
  seed: number,
  round: number,
): { documents: { topic: string; document: number }[]; positions: Record<string, number> } {
  const documents: { topic: string; document: number }[] = [];
  const positions: Record<string, number> = {};
  for (const [topic, pool] of Object.entries(pools)) {
    let { position } = pool;
    for (let taken = 0; taken < (tokens[topic] ?? 0) && position < pool.order.length; position++) {
      const document = pool.order[position]!;
      documents.push({ topic, document });
      taken += pool.tokens[document]!;
    }
    positions[topic] = position;
  }
  return { documents: stream(seed, `curriculum round ${round}`).shuffle(documents), positions };
}
