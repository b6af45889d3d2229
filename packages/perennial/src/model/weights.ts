import { nearest, PerennialError } from "../errors.ts";

/**
 * Names of weights, ours and a format's, as one table read in both directions. `{layer}` stands for a number.
 * A name that is in no row is an error that shows the nearest row.
 */
export interface WeightTable {
  toOurs(name: string): string;
  toTheirs(name: string): string;
}

export function weightTable(rows: readonly (readonly [theirs: string, ours: string])[]): WeightTable {
  const translate = (from: 0 | 1, to: 0 | 1) => {
    const patterns = rows.map((row) => ({
      pattern: new RegExp(`^${row[from].replace(/[.]/g, "\\.").replaceAll("{layer}", "(\\d+)")}$`),
      target: row[to],
    }));
    return (name: string) => {
      for (const { pattern, target } of patterns) {
        const match = pattern.exec(name);
        if (match !== null) return target.replace("{layer}", match[1] ?? "");
      }
      const guess = nearest(
        name.replace(/\d+/, "{layer}"),
        rows.map((row) => row[from]),
      );
      throw new PerennialError(
        "WEIGHT_NAME",
        `There is no weight "${name}" in this architecture${guess === undefined ? "" : `; the nearest name is ${guess}`}`,
      );
    };
  };
  return { toOurs: translate(0, 1), toTheirs: translate(1, 0) };
}

const layer = (theirs: string, ours: string) => [`model.layers.{layer}.${theirs}`, `layers.{layer}.${ours}`] as const;
const projection = (theirs: string, ours: string) => [layer(`${theirs}.weight`, `${ours}.weight`), layer(`${theirs}.bias`, `${ours}.bias`)];

/** Hugging Face's names for the Llama family. */
export const llamaWeights = weightTable([
  ["model.embed_tokens.weight", "embedTokens.weight"],
  ...projection("self_attn.q_proj", "attention.qProj"),
  ...projection("self_attn.k_proj", "attention.kProj"),
  ...projection("self_attn.v_proj", "attention.vProj"),
  ...projection("self_attn.o_proj", "attention.oProj"),
  ...projection("mlp.gate_proj", "mlp.gateProj"),
  ...projection("mlp.up_proj", "mlp.upProj"),
  ...projection("mlp.down_proj", "mlp.downProj"),
  layer("input_layernorm.weight", "inputNorm.weight"),
  layer("post_attention_layernorm.weight", "postAttentionNorm.weight"),
  ["model.norm.weight", "norm.weight"],
  ["lm_head.weight", "lmHead.weight"],
]);
