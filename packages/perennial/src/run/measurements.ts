/** What a run measures and shows on the way: bits per byte of held-out text, and text that the model writes. Neither touches training. */
import { evaluateHeldOut } from "../evaluate/model/index.ts";
import { type Decoder, generate } from "../model/index.ts";
import type { Recipe } from "../recipe/index.ts";
import type { Moment, Recorder } from "../store/index.ts";
import { stream } from "../stream.ts";
import { promptIds, type Tokenizer } from "../tokenizer/index.ts";
import { singleProcess, type World } from "../train/world.ts";
import type { PreparedCorpus } from "./corpora.ts";
import type { Listener } from "./events.ts";

export interface MeasurementOptions {
  readonly recipe: Recipe;
  readonly tokenizer: Tokenizer;
  readonly corpora: ReadonlyMap<string, PreparedCorpus>;
  readonly recorder: Recorder;
  readonly listen: Listener;
  readonly world?: World;
}

export interface Occasion {
  readonly step: number;
  readonly moment: Moment;
  /** Position of the stage. */
  readonly stage: number;
  readonly tokens: number;
  /** Set for an average of the weights, measured beside them. */
  readonly variant?: "average";
}

/** Bits per byte of every corpus with held-out text; recorded and returned. Processes measure a corpus each, in turn, and tell the others. */
export function measure(
  { recipe, corpora, tokenizer, recorder, listen, world = singleProcess }: MeasurementOptions,
  model: Decoder,
  occasion: Occasion,
): Map<string, number> {
  const { variant, ...base } = occasion;
  const metric = (name: string) => (variant === undefined ? name : `${name}/${variant}`);
  const { sequenceLength, microBatchSize } = recipe.stages[base.stage]!.train;
  const result = new Map<string, number>();
  const rows: Parameters<Recorder["evaluations"]>[0][number][] = [];
  const names = [...(recipe.evaluate.corpora ?? corpora.keys())].filter((name) => (corpora.get(name)?.heldOut ?? null) !== null);
  const mine = names.flatMap((name, i) => {
    if (i % world.size !== world.rank) return [0, 0, 0, 0];
    const { bitsPerByte, low, high, loss } = evaluateHeldOut(model, corpora.get(name)!.heldOut!, {
      sequenceLength,
      batchSize: microBatchSize,
      maxTokens: recipe.evaluate.maxTokensPerCorpus,
      prefixTokenId: tokenizer.specialTokens.bos ?? tokenizer.specialTokens.eos,
      bootstrapResamples: base.moment === "during" ? 0 : recipe.evaluate.bootstrapResamples,
    });
    return [bitsPerByte, low, high, loss];
  });
  // All but one of the processes add zeros: exact.
  const measured = world.sums(mine);
  for (const [i, corpus] of names.entries()) {
    const [value, low, high, loss] = measured.slice(4 * i, 4 * i + 4) as [number, number, number, number];
    result.set(corpus, value);
    rows.push({ ...base, corpus, metric: metric("bitsPerByte"), value, low, high });
    rows.push({ ...base, corpus, metric: metric("loss"), value: loss, low: Number.NaN, high: Number.NaN });
  }
  recorder.evaluations(rows);
  listen({
    kind: "measured",
    step: base.step,
    moment: base.moment,
    bitsPerByte: result,
    ...(variant === undefined ? {} : { of: variant }),
  });
  return result;
}

/** The continuations of the recipe's prompts. */
export function writeSamples(
  { recipe, tokenizer, recorder, listen }: MeasurementOptions,
  model: Decoder,
  step: number,
  moment: Moment,
): void {
  const { prompts, maxNewTokens, temperature, topP } = recipe.generate;
  for (const { label, prompt } of prompts) {
    const [continuation] = generate(model, [promptIds(tokenizer, prompt)], {
      maxNewTokens,
      temperature,
      topP,
      endIds: tokenizer.endIds,
      stream: stream(recipe.seed, `samples/${label}`),
    });
    const text = tokenizer.decode(continuation!, { skipSpecialTokens: true });
    recorder.samples([{ step, moment, label, prompt, text, settings: { maxNewTokens, temperature, topP } }]);
    listen({ kind: "sample", label, prompt, text });
  }
}
