// B prompts · V vocabSize
import { nn, noGrad, scope, type Tensor, tensor, torch } from "@perennial/torch";
import { FieldError } from "../errors.ts";
import type { Stream } from "../stream.ts";
import type { Decoder } from "./decoder.ts";
import { KeyValueCache } from "./key-value-cache.ts";

export interface GenerateOptions {
  readonly maxNewTokens: number;
  /** 0 is greedy. */
  readonly temperature?: number;
  /** Only the k likeliest tokens. */
  readonly topK?: number;
  /** Only the likeliest tokens that together have at least this probability. */
  readonly topP?: number;
  /** Ids that end a row. */
  readonly endIds?: readonly number[];
  /** Where the random numbers come from, one for all rows or one for each; needed unless greedy. */
  readonly stream?: Stream | readonly Stream[];
  /** Asked after each new token whether a row is complete: its row in the batch, its new ids. */
  readonly stop?: (row: number, ids: readonly number[]) => boolean;
  /** The common length of the padded prompts. Default: that of the longest. With it, a row's bits do not depend on the other rows. */
  readonly paddedLength?: number;
  /** Called with each new token: row of the batch, id. */
  readonly onToken?: (row: number, id: number) => void;
}

/**
 * Continues prompts of token ids, all at once, and returns the new ids of each (without the end id).
 * Shorter prompts are padded on the left and masked: the result does not depend on what else is in the batch (to the last bit if
 * `paddedLength` is given, since then all shapes depend on the row alone).
 */
export function generate(model: Decoder, prompts: readonly (readonly number[] | Int32Array)[], options: GenerateOptions): number[][] {
  const { maxNewTokens, temperature = 0, endIds = [], stream } = options;
  if (prompts.length === 0) return [];
  const empty = prompts.findIndex((prompt) => prompt.length === 0);
  if (empty >= 0)
    throw new FieldError("GENERATE_PROMPT", {
      at: `prompts[${empty}]`,
      expected: "at least one token",
      todo: "begin with the model's bos token",
    });
  const beyond = prompts.flatMap((prompt) => [...prompt]).find((id) => !(id >= 0 && id < model.config.vocabSize));
  if (beyond !== undefined)
    throw new FieldError("GENERATE_PROMPT", { at: "prompts", expected: `token ids below ${model.config.vocabSize}`, received: beyond });
  if (temperature > 0 && stream === undefined)
    throw new FieldError("GENERATE_STREAM", { at: "stream", expected: "a random stream when temperature is above 0" });
  const wasTraining = model.training;
  model.eval();
  const cache = new KeyValueCache(model.config.numHiddenLayers);
  try {
    // Not in inference mode: the table of angles that the model keeps must stay usable in training.
    const run = () => noGrad(() => continued(model, cache, prompts, { ...options, maxNewTokens, temperature, endIds }));
    return options.paddedLength === undefined ? run() : nn.fixedRows(run);
  } finally {
    cache.dispose();
    model.train(wasTraining);
  }
}

function continued(
  model: Decoder,
  cache: KeyValueCache,
  prompts: readonly (readonly number[] | Int32Array)[],
  options: GenerateOptions & { temperature: number; endIds: readonly number[] },
): number[][] {
  const B = prompts.length;
  const longest = Math.max(options.paddedLength ?? 0, ...prompts.map((prompt) => prompt.length));
  const padding = prompts.map((prompt) => longest - prompt.length);
  const padded = options.paddedLength !== undefined || padding.some((count) => count > 0);
  const ids = new Int32Array(B * longest);
  for (const [row, prompt] of prompts.entries()) ids.set(prompt, row * longest + padding[row]!);
  const output: number[][] = prompts.map(() => []);
  const done = prompts.map(() => false);
  const leastPadding = Math.min(...padding);
  const { ropeScaling } = model.config;
  // Beyond this length all angles are other ones, also those of the keys in the cache: what was read is read again.
  const turn = ropeScaling?.type === "longrope" ? ropeScaling.originalMaxPositionEmbeddings : Number.POSITIVE_INFINITY;
  const chosen: number[][] = prompts.map(() => []);
  let input = ids;
  let width = longest;
  for (let step = 0; step < options.maxNewTokens; step++) {
    if (step > 0 && cache.length - leastPadding === turn) {
      cache.dispose();
      width = longest + step;
      input = new Int32Array(B * width);
      for (const [row, tokens] of chosen.entries()) {
        input.set(ids.subarray(row * longest, (row + 1) * longest), row * width);
        input.set(tokens, row * width + longest);
      }
    }
    const past = cache.length;
    const rows = scope(() => {
      const positions = Int32Array.from(input, (_, i) => Math.max(0, past + (i % width) - padding[Math.floor(i / width)]!));
      const hidden = model.hiddenStates({
        inputIds: tensor(input, { shape: [B, width], dtype: "int64" }),
        cache,
        ...(padded
          ? { positionIds: tensor(positions, { shape: [B, width], dtype: "int64" }), attentionMask: realPositions(padding, past + width) }
          : {}),
      });
      const last = hidden.slice(1, width - 1, width); // [B,1,D]: logits of the other positions are not needed
      return choose(model.logitsOf(last).select(1, 0).float(), options);
    });
    for (const [row, id] of rows.entries()) {
      chosen[row]!.push(id);
      if (done[row]) continue;
      if (options.endIds.includes(id)) done[row] = true;
      else {
        output[row]!.push(id);
        options.onToken?.(row, id);
        if (options.stop?.(row, output[row]!) === true) done[row] = true;
      }
    }
    if (done.every(Boolean)) break;
    input = Int32Array.from(rows);
    width = 1;
  }
  return output;
}

const realPositions = (padding: readonly number[], length: number): Tensor =>
  torch
    .arange(length)
    .unsqueeze(0)
    .ge(tensor([...padding], { dtype: "int64" }).unsqueeze(1)); // [B,S]

/** logits [B,V] → one id per row. */
function choose(logits: Tensor, { temperature, topK, topP, stream }: GenerateOptions & { temperature: number }): number[] {
  if (temperature === 0) return Array.from(logits.argmax(-1).toTypedArray() as BigInt64Array, Number);
  const [B, V] = logits.shape as [number, number];
  const k = Math.min(topK ?? V, V);
  const [values, indices] = torch.topk(logits.div(temperature), k, -1); // sorted, likeliest first
  const probabilities = values.softmax(-1).toFloat32Array();
  const ids = indices.toTypedArray() as BigInt64Array;
  return Array.from({ length: B }, (_, row) => {
    const start = row * k;
    let kept = k;
    let total = 0;
    if (topP !== undefined && topP < 1) {
      for (kept = 0; kept < k && total < topP; kept++) total += probabilities[start + kept]!;
    } else {
      for (let i = 0; i < k; i++) total += probabilities[start + i]!;
    }
    const source = Array.isArray(stream) ? (stream as readonly Stream[])[row]! : (stream as Stream);
    let remaining = source.uniform() * total;
    for (let i = 0; i < kept; i++) {
      remaining -= probabilities[start + i]!;
      if (remaining < 0) return Number(ids[start + i]);
    }
    return Number(ids[start + kept - 1]);
  });
}
