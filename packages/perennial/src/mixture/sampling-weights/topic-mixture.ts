/**
 * Topic mixture with updates from validation perplexity: a topic that got harder (is being forgotten) gets more data.
 *    Δp_i = p_i^t − p_i^(t−1)      δ_i = Δp_i / max_j |Δp_j|  (0 when the maximum is 0)
 *    f_i  = clip(1 + α·δ_i·w_i, [0.1, 3])                r_i^t = r_i^(t−1) f_i / Σ_j r_j^(t−1) f_j
 *  p perplexity of the current model on topic i's validation text, no unit: always the same text and context length ·
 *  r share of the topic · α strength · w weight of a topic. Positive change raises the share.
 *  The normalizer, α, w and the clip are our choice (not found in the paper); `deltaSpace: "logppl"` keeps one rare topic
 *  from dominating. Source: Chen et al., Llama-3-SynE, arXiv 2407.18743.
 */
import { z } from "zod";
import { FieldError } from "../../errors.ts";

export const topicUpdateSchema = z.strictObject({
  alpha: z.number().min(0).default(0.5).describe("strength of an update; 0 keeps the mixture as it is"),
  topicWeights: z.record(z.string(), z.number().min(0)).default({}).describe("weight per topic; 1 where none is given"),
  deltaSpace: z.enum(["ppl", "logppl"]).default("ppl").describe("changes of perplexity, or of its logarithm"),
  minFactor: z.number().positive().default(0.1).describe("a share falls to no less than this fraction of itself, before renormalization"),
  maxFactor: z.number().positive().default(3).describe("a share grows to no more than this multiple of itself, before renormalization"),
});
export type TopicUpdateSpec = z.input<typeof topicUpdateSchema>;

/** Shares by topic; they sum to 1. */
export type TopicShares = Readonly<Record<string, number>>;

/** The shares of the next round. `previous` and `current`: perplexity by topic before the last round and now. */
export function updateTopicShares(
  shares: TopicShares,
  previous: TopicShares,
  current: TopicShares,
  spec: TopicUpdateSpec = {},
): TopicShares {
  const { alpha, topicWeights, deltaSpace, minFactor, maxFactor } = topicUpdateSchema.parse(spec);
  const topics = Object.keys(shares);
  const at = (perplexities: TopicShares, topic: string, when: string) => {
    const value = perplexities[topic];
    if (value === undefined || !Number.isFinite(value) || value < 1)
      throw new FieldError("TOPIC_PERPLEXITY", {
        at: `${when}.${topic}`,
        expected: "a finite perplexity of at least 1",
        received: String(value),
      });
    return deltaSpace === "ppl" ? value : Math.log(value);
  };
  const changes = topics.map((topic) => at(current, topic, "current") - at(previous, topic, "previous"));
  const largest = Math.max(...changes.map(Math.abs));
  const raw = topics.map((topic, i) => {
    const delta = largest === 0 ? 0 : changes[i]! / largest;
    const factor = Math.min(maxFactor, Math.max(minFactor, 1 + alpha * delta * (topicWeights[topic] ?? 1)));
    return shares[topic]! * factor;
  });
  const sum = raw.reduce((total, value) => total + value, 0);
  return Object.fromEntries(topics.map((topic, i) => [topic, raw[i]! / sum]));
}

/**
 * Tokens of one round by topic: r_i·round, without replacement. What a topic cannot give is handed to the others in
 * proportion to their shares, until the round is full or all topics are empty.
 */
export function drawRound(
  shares: TopicShares,
  remaining: TopicShares,
  roundTokens: number,
): { tokens: TopicShares; unspentTokens: number } {
  const tokens: Record<string, number> = Object.fromEntries(Object.keys(shares).map((topic) => [topic, 0]));
  let left = roundTokens;
  let open = Object.keys(shares).filter((topic) => shares[topic]! > 0 && (remaining[topic] ?? 0) > 0);
  while (left > 0 && open.length > 0) {
    const sum = open.reduce((total, topic) => total + shares[topic]!, 0);
    const scale = left / sum;
    const exhausted = open.filter((topic) => tokens[topic]! + scale * shares[topic]! >= remaining[topic]!);
    for (const topic of exhausted.length > 0 ? exhausted : open) {
      const taken = exhausted.length > 0 ? remaining[topic]! - tokens[topic]! : scale * shares[topic]!;
      tokens[topic]! += taken;
      left -= taken;
    }
    if (exhausted.length === 0) left = 0;
    open = open.filter((topic) => !exhausted.includes(topic));
  }
  return { tokens, unspentTokens: Math.max(0, left) };
}
