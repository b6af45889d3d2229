/** Names and shapes of a decoder's weights, without a decoder. */
// V vocabSize · D hiddenSize · F intermediateSize · P positions · H heads · K key-value heads · E headDim
import { scope } from "@perennial/torch";
import type { DecoderConfig } from "./config.ts";
import { Decoder } from "./decoder.ts";

/** By name, in the order of `stateDict`. The names come from a decoder of the same parts in the smallest size. */
export function weightShapes(config: DecoderConfig): ReadonlyMap<string, readonly number[]> {
  const { numAttentionHeads: H, numKeyValueHeads: K } = config;
  const small = { ...config, vocabSize: 1, hiddenSize: 1, intermediateSize: 1, maxPositionEmbeddings: 1, headDim: 2, rotaryDim: 2 };
  const names = scope(() => [...new Decoder({ ...small, numAttentionHeads: H, numKeyValueHeads: K }).stateDict().keys()]);
  return new Map(names.map((name) => [name, shapeOf(name, config)]));
}

function shapeOf(name: string, config: DecoderConfig): number[] {
  const { vocabSize: V, hiddenSize: D, intermediateSize: F, maxPositionEmbeddings: P } = config;
  const { numAttentionHeads: H, numKeyValueHeads: K, headDim: E, queryKeyNorm } = config;
  const [part, kind] = name.split(".").slice(-2) as [string, string];
  const matrix: Readonly<Record<string, readonly [rows: number, columns: number]>> = {
    embedTokens: [V, D],
    embedPositions: [P, D],
    lmHead: [V, D],
    qProj: [H * E, D],
    kProj: [K * E, D],
    vProj: [K * E, D],
    oProj: [D, H * E],
    gateProj: [F, D],
    upProj: [F, D],
    downProj: [D, F],
  };
  const shape = matrix[part];
  if (shape !== undefined) return kind === "weight" ? [...shape] : [shape[0]];
  if (part === "qNorm" || part === "kNorm") return [queryKeyNorm === "head" ? E : (part === "qNorm" ? H : K) * E];
  return [D];
}
