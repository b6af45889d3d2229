/**
 * Where rows for new tokens come from. An initializer sees one matrix (embedding or head) at a time and gives rows for ids whose
 * strings the old vocabulary lacks; equal strings are copied before it is asked (resize.ts).
 *   mean          row = μ = (1/V) Σ_v E[v]
 *   subword-mean  row = (1/k) Σᵢ E[oᵢ], o₁ … o_k the old tokens of the new token's text; μ where there are none
 *   random-normal row[d] ~ N(μ[d], σ[d]), σ the population deviation of the old rows
 * V = old tokens that have a row; padding behind them is not counted.
 */
import { fromArray, noGrad, scope, type Tensor, torch } from "@perennial/torch";
import type { Stream } from "../../stream.ts";
import { charactersToBytes } from "../../tokenizer/byte-characters.ts";
import type { JsonTokenizer } from "../../tokenizer/index.ts";

export interface InitializerInput {
  /** The old rows, float32 [V,D]. */
  readonly matrix: Tensor;
  /** New ids that want a row. */
  readonly ids: readonly number[];
  readonly oldTokenizer: JsonTokenizer;
  readonly newTokenizer: JsonTokenizer;
  readonly stream: Stream;
}

export interface EmbeddingInitializer {
  readonly name: string;
  /** Rows [n,D] in the order of `ids`. */
  initialize(input: InitializerInput): Tensor;
}

export const mean: EmbeddingInitializer = {
  name: "mean",
  initialize: ({ matrix, ids }) =>
    matrix
      .mean([0], true)
      .expand([ids.length, matrix.size(1)])
      .clone(),
};

export const subwordMean: EmbeddingInitializer = {
  name: "subword-mean",
  initialize: (input) => {
    const { matrix, ids, oldTokenizer, newTokenizer } = input;
    const rows = mean.initialize(input);
    noGrad(() => {
      for (const [i, id] of ids.entries())
        scope(() => {
          const pieces = oldPieces(oldTokenizer, newTokenizer, id).filter((piece) => piece < matrix.size(0));
          if (pieces.length === 0) return;
          const index = fromArray(BigInt64Array.from(pieces, BigInt));
          rows.select(0, i).copy_(matrix.indexSelect(0, index.to({ device: matrix.device })).mean([0]));
        });
    });
    return rows;
  },
};

export const randomNormal: EmbeddingInitializer = {
  name: "random-normal",
  initialize: ({ matrix, ids, stream }) => {
    const [n, D] = [ids.length, matrix.size(1)];
    const noise = fromArray(
      Float32Array.from({ length: n * D }, () => stream.normal()),
      { shape: [n, D] },
    ).to({ device: matrix.device });
    const center = matrix.mean([0], true);
    const deviation = matrix.sub(center).square().mean([0], true).sqrt();
    return torch.add(noise.mul(deviation), center);
  },
};

export const initializers = { mean, "subword-mean": subwordMean, "random-normal": randomNormal } as const;

/** The old tokens of a new token's text. Names of a byte-level vocabulary stand for bytes. */
function oldPieces(oldTokenizer: JsonTokenizer, newTokenizer: JsonTokenizer, id: number): number[] {
  const token = newTokenizer.idToToken(id);
  if (token === undefined) return [];
  const { model } = newTokenizer.description;
  const bytes = model.type === "bpe" && model.byteLevel ? charactersToBytes(token) : undefined;
  return [...oldTokenizer.encodePiece(bytes ?? token)];
}
