/** What a run measures and shows on the way: bits per byte of held-out text, and text that the model writes. Neither touches training. */
import { evaluateHeldOut } from "../evaluate/model/index.ts";
import { type Decoder, generate } from "../model/index.ts";
import type { Recipe } from "../recipe/index.ts";
import type { Moment, Recorder } from "../store/index.ts";
import { stream } from "../stream.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import type { PreparedCorpus } from "./corpora.ts";
import type { Listener } from "./events.ts";

export interface MeasurementOptions {
  readonly recipe: Recipe;
  readonly tokenizer: Tokenizer;
  readonly corpora: ReadonlyMap<string, PreparedCorpus>;
  readonly recorder: Recorder;
  readonly listen: Listener;
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

/** Bits per byte of every corpus with held-out text; recorded and returned. */
export function measure(
  { recipe, corpora, tokenizer, recorder, listen }: MeasurementOptions,
  model: Decoder,
  occasion: Occasion,
): Map<string, number> {
  const { variant, ...base } = occasion;
  const metric = (name: string) => (variant === undefined ? name : `${name}/${variant}`);
  const { sequenceLength, microBatchSize } = recipe.stages[base.stage]!.train;
  const result = new Map<string, number>();
  const rows: Parameters<Recorder["evaluations"]>[0][number][] = [];
  for (const name of recipe.evaluate.corpora ?? corpora.keys()) {
    const heldOut = corpora.get(name)?.heldOut;
    if (heldOut === null || heldOut === undefined) continue;
    const measured = evaluateHeldOut(model, heldOut, {
      sequenceLength,
      batchSize: microBatchSize,
      maxTokens: recipe.evaluate.maxTokensPerCorpus,
      prefixTokenId: tokenizer.specialTokens.bos ?? tokenizer.specialTokens.eos,
      bootstrapResamples: base.moment === "during" ? 0 : recipe.evaluate.bootstrapResamples,
    });
    result.set(name, measured.bitsPerByte);
    const { bitsPerByte, low, high, loss } = measured;
    rows.push({ ...base, corpus: name, metric: metric("bitsPerByte"), value: bitsPerByte, low, high });
    rows.push({ ...base, corpus: name, metric: metric("loss"), value: loss, low: Number.NaN, high: Number.NaN });
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
    const ids = tokenizer.encode(prompt);
    const { bos, eos } = tokenizer.specialTokens;
    const start = bos ?? eos;
    const [continuation] = generate(model, [start === undefined || ids[0] === start ? ids : [start, ...ids]], {
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
