/**
 * A decoder for another vocabulary: row j of each matrix is the old row of the token of the same string, else what the
 * initializer gives; all other weights are copied. Rows behind the vocabulary (padding) are the mean of the old rows.
 */
import { noGrad, scope, type Tensor } from "@perennial/torch";
import { FieldError } from "../../errors.ts";
import { Decoder } from "../../model/index.ts";
import { stream } from "../../stream.ts";
import type { JsonTokenizer } from "../../tokenizer/index.ts";
import { type EmbeddingInitializer, mean, subwordMean } from "./initializer.ts";

export interface ResizeOptions {
  /** Default: subword-mean. */
  readonly initializer?: EmbeddingInitializer;
  /** Rows become a multiple of this. Default 1. */
  readonly padToMultipleOf?: number;
  /** Of what the initializer draws. Default 0. */
  readonly seed?: number;
}

/** Embedding and head (one matrix where tied) for `newTokenizer`; dtype and device stay, the old model is left as it is. */
export function resizeModel(
  model: Decoder,
  oldTokenizer: JsonTokenizer,
  newTokenizer: JsonTokenizer,
  { initializer = subwordMean, padToMultipleOf = 1, seed = 0 }: ResizeOptions = {},
): Decoder {
  const { config } = model;
  if (!Number.isSafeInteger(padToMultipleOf) || padToMultipleOf < 1)
    throw new FieldError("RESIZE", { at: "padToMultipleOf", expected: "a whole number from 1", received: padToMultipleOf });
  if (oldTokenizer.vocabSize > config.vocabSize)
    throw new FieldError("RESIZE", {
      at: "oldTokenizer",
      expected: `at most ${config.vocabSize} tokens, as many as the model has rows`,
      received: oldTokenizer.vocabSize,
    });
  const moved = (id: number): number => {
    const to = newTokenizer.tokenToId(oldTokenizer.idToToken(id) ?? "");
    if (to === undefined)
      throw new FieldError("RESIZE", {
        at: "newTokenizer",
        expected: "the special tokens that the model's config names",
        received: oldTokenizer.idToToken(id) ?? id,
      });
    return to;
  };
  const movedOrNull = (id: number | null) => (id === null ? null : moved(id));
  const resized = new Decoder({
    ...config,
    vocabSize: Math.ceil(newTokenizer.vocabSize / padToMultipleOf) * padToMultipleOf,
    bosTokenId: movedOrNull(config.bosTokenId),
    eosTokenIds: config.eosTokenIds.map(moved),
    padTokenId: movedOrNull(config.padTokenId),
  });
  const { dtype, device } = model.embedTokens.weight;
  resized.to({ dtype, device });
  const target = resized.stateDict();
  noGrad(() =>
    scope(() => {
      for (const [name, old] of model.stateDict()) {
        const place = target.get(name)!;
        if (name !== "embedTokens.weight" && name !== "lmHead.weight") place.copy_(old);
        else fill(place, old, { initializer, oldTokenizer, newTokenizer, seed, name });
      }
    }),
  );
  return resized;
}

interface Filling {
  readonly initializer: EmbeddingInitializer;
  readonly oldTokenizer: JsonTokenizer;
  readonly newTokenizer: JsonTokenizer;
  readonly seed: number;
  readonly name: string;
}

function fill(place: Tensor, old: Tensor, { initializer, oldTokenizer, newTokenizer, seed, name }: Filling): void {
  const matrix = old.slice(0, 0, oldTokenizer.vocabSize).float();
  const input = { matrix, oldTokenizer, newTokenizer, stream: stream(seed, `resize ${name}`) };
  place.copy_(mean.initialize({ ...input, ids: [0] }).expand([...place.shape]));
  const ids: number[] = [];
  for (let id = 0; id < newTokenizer.vocabSize; id++) {
    const token = newTokenizer.idToToken(id);
    if (token === undefined) continue;
    const from = oldTokenizer.tokenToId(token);
    if (from === undefined) ids.push(id);
    else place.select(0, id).copy_(old.select(0, from));
  }
  if (ids.length === 0) return;
  const rows = initializer.initialize({ ...input, ids });
  for (const [i, id] of ids.entries()) place.select(0, id).copy_(rows.select(0, i));
}
