/** What rows of a vocabulary cost a model: rows × hiddenSize × (1 where input and output share them, else 2) parameters. */
import { existsSync } from "node:fs";
import { join } from "node:path";

export interface RowCost {
  readonly hiddenSize: number;
  readonly tied: boolean;
  /** Parameters of one token. */
  readonly perRow: number;
  /** Of the whole model. */
  readonly parameters: number;
}

/** `model`: as asked for; else the folder of the tokenizer, where that is a model's. */
export async function rowCost(model: string | undefined, tokenizer: string): Promise<RowCost | undefined> {
  const folder = model ?? (existsSync(join(tokenizer, "config.json")) ? tokenizer : undefined);
  if (folder === undefined) return undefined;
  const { countParameters, readConfig } = await import("perennial/model");
  const { config } = readConfig(folder);
  const { hiddenSize, tieWordEmbeddings: tied } = config;
  return { hiddenSize, tied, perRow: hiddenSize * (tied ? 1 : 2), parameters: countParameters(config).total };
}

export const addedParameters = ({ perRow, parameters }: RowCost, rows: number): { parameters: number; share: number } => ({
  parameters: rows * perRow,
  share: (rows * perRow) / parameters,
});
