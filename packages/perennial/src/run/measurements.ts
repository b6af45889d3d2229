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
import { type Change, changeSinceKept, keepDocuments, UNKNOWN_CHANGE } from "./paired-change.ts";

export interface MeasurementOptions {
  readonly recipe: Recipe;
  /** Of the run. */
  readonly folder: string;
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

/** Bits per byte by corpus, and what changed since before the run: known after a stage. */
export interface Measured {
  readonly bitsPerByte: Map<string, number>;
  /** Nats per token. */
  readonly losses: Map<string, number>;
  readonly changes: Map<string, Change>;
}

const VALUES = 7;

/** Measures every corpus with held-out text; recorded and returned. Processes measure a corpus each, in turn, and tell the others. */
export function measure(
  { recipe, folder, corpora, tokenizer, recorder, listen, world = singleProcess }: MeasurementOptions,
  model: Decoder,
  occasion: Occasion,
): Measured {
  const { variant, ...base } = occasion;
  const metric = (name: string) => (variant === undefined ? name : `${name}/${variant}`);
  const { sequenceLength, microBatchSize } = recipe.stages[base.stage]!.train;
  const result: Measured = { bitsPerByte: new Map(), losses: new Map(), changes: new Map() };
  const rows: Parameters<Recorder["evaluations"]>[0][number][] = [];
  const names = [...(recipe.evaluate.corpora ?? corpora.keys())].filter((name) => (corpora.get(name)?.heldOut ?? null) !== null);
  const mine = names.flatMap((name, i) => {
    if (i % world.size !== world.rank) return new Array<number>(VALUES).fill(0);
    const { bitsPerByte, low, high, loss, byDocument } = evaluateHeldOut(model, corpora.get(name)!.heldOut!, {
      sequenceLength,
      batchSize: microBatchSize,
      maxTokens: recipe.evaluate.maxTokensPerCorpus,
      prefixTokenId: tokenizer.specialTokens.bos ?? tokenizer.specialTokens.eos,
      bootstrapResamples: base.moment === "during" ? 0 : recipe.evaluate.bootstrapResamples,
    });
    if (base.moment === "before") keepDocuments(folder, name, byDocument);
    const change = base.moment === "after" ? changeSinceKept(folder, name, byDocument, recipe.evaluate.bootstrapResamples) : UNKNOWN_CHANGE;
    return [bitsPerByte, low, high, loss, change.value, change.low, change.high];
  });
  // All but one of the processes add zeros: exact.
  const measured = world.sums(mine);
  for (const [i, corpus] of names.entries()) {
    const [value, low, high, loss, ...change] = measured.slice(VALUES * i, VALUES * (i + 1)) as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    result.bitsPerByte.set(corpus, value);
    result.losses.set(corpus, loss);
    rows.push({ ...base, corpus, metric: metric("bitsPerByte"), value, low, high });
    rows.push({ ...base, corpus, metric: metric("loss"), value: loss, low: Number.NaN, high: Number.NaN });
    if (!Number.isFinite(change[0])) continue;
    const since = { value: change[0], low: change[1], high: change[2] };
    result.changes.set(corpus, since);
    rows.push({ ...base, corpus, metric: metric("bitsPerByteChange"), ...since });
  }
  recorder.evaluations(rows);
  listen({
    kind: "measured",
    step: base.step,
    moment: base.moment,
    bitsPerByte: result.bitsPerByte,
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
