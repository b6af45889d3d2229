import { FieldError } from "../../errors.ts";
import type { DecoderConfig } from "../config.ts";
import type { WeightTable } from "../weights.ts";
import type { Family } from "./family.ts";
import { gemmaFamilies } from "./gemma.ts";
import { gptFamilies } from "./gpt.ts";
import { llamaFamilies } from "./llama.ts";

export type { Family } from "./family.ts";
export { Fields, renamed } from "./fields.ts";

const families = new Map([...llamaFamilies, ...gemmaFamilies, ...gptFamilies].map((family) => [family.modelType, family]));

/** The model types whose architecture this decoder computes exactly. */
export const supportedModelTypes: readonly string[] = [...families.keys()];

/** `at` names the file in errors. */
export function familyOf(modelType: unknown, at = "config.json"): Family {
  const family = typeof modelType === "string" ? families.get(modelType) : undefined;
  if (family !== undefined) return family;
  throw new FieldError("MODEL_TYPE", {
    at: `${at} model_type`,
    expected: `one of ${supportedModelTypes.join(", ")}`,
    received: modelType ?? null,
    todo: "convert the model, or use one of these families",
  });
}

/** Names and layout of a model's weights in its family's files. */
export const weightsOf = (config: DecoderConfig): WeightTable => familyOf(config.modelType).weights(config);
