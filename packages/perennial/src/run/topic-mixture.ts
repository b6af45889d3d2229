/**
 * Topic mixture as a rule: at every measurement the shares follow the change of each topic's held-out perplexity since the one before.
 * Shares and perplexities are in the checkpoint, so that a resumed run goes on with the mixture it had. The first round keeps the shares
 * that it starts with. Formula and source: `mixture/sampling-weights/topic-mixture.ts`.
 */
import { FieldError } from "../errors.ts";
import { type MixtureSource, normalize, type Shares, type TopicUpdateSpec, updateTopicShares } from "../mixture/index.ts";
import type { Rule } from "../train/rule.ts";

export interface TopicMixtureOptions {
  readonly source: MixtureSource;
  /** Of all sources of the stage, replayed ones included. */
  readonly shares: Shares;
  /** The topics; what is replayed keeps its share. */
  readonly topics: readonly string[];
  readonly update: TopicUpdateSpec;
  /** Held-out losses at the start of the stage, nats per token. */
  readonly losses: ReadonlyMap<string, number>;
  /** Told of every new mixture. */
  readonly note: (text: string) => void;
}

interface State {
  readonly shares: Shares;
  /** Perplexities at the last measurement. */
  readonly perplexities: Readonly<Record<string, number>>;
}

export function topicMixtureRule({ source, shares, topics, update, losses, note }: TopicMixtureOptions): Rule {
  const all = normalize(shares);
  const kept = topics.reduce((sum, topic) => sum + all[topic]!, 0);
  const perplexitiesOf = (measured: ReadonlyMap<string, number>) =>
    Object.fromEntries(
      topics.map((topic) => {
        const loss = measured.get(topic);
        if (loss !== undefined) return [topic, Math.exp(loss)];
        throw new FieldError("TOPIC_HELD_OUT", {
          at: `mixture.sampling topic ${topic}`,
          expected: "a corpus with held-out text that is evaluated",
          todo: "give it `heldOut`, and name it in evaluate.corpora or name none there",
        });
      }),
    );
  let state: State = {
    shares: Object.fromEntries(topics.map((topic) => [topic, all[topic]! / kept])),
    perplexities: perplexitiesOf(losses),
  };
  return {
    name: "topicMixture",
    afterMeasurement({ step, losses }) {
      const perplexities = perplexitiesOf(losses);
      const next = updateTopicShares(state.shares, state.perplexities, perplexities, update);
      state = { shares: next, perplexities };
      source.setShares({ ...all, ...Object.fromEntries(topics.map((topic) => [topic, next[topic]! * kept])) });
      note(`step ${step}: topics ${topics.map((topic) => `${topic} ${(100 * next[topic]! * kept).toFixed(1)} %`).join(", ")}`);
      return undefined;
    },
    state: () => state,
    restore(saved) {
      state = saved as State;
    },
  };
}
