/** Which parameters a stage moves. */
import { type Adaptation, full, newRows } from "../adapt/index.ts";
import { FieldError } from "../errors.ts";
import type { Decoder } from "../model/index.ts";
import type { Recipe } from "../recipe/index.ts";
import { extensionOf, JsonTokenizer, type Tokenizer } from "../tokenizer/index.ts";

/**
 * Where any stage tells new rows from old ones, all stages cut the vocabulary at the same row, so that an optimizer that is kept
 * from stage to stage fits; where none does, or none says anything that changes a number, nothing is cut.
 */
export function adaptationOf({ stages }: Recipe, position: number, model: Decoder, tokenizer: Tokenizer): Adaptation {
  const apart = ({ train: { newRows } }: Recipe["stages"][number]) =>
    newRows !== null && (newRows.learningRateScale !== 1 || newRows.aloneSteps !== 0);
  const first = stages.findIndex(apart);
  if (first === -1) return full(model);
  const extension = tokenizer instanceof JsonTokenizer ? extensionOf(tokenizer) : undefined;
  if (extension === undefined)
    throw new FieldError("NEW_ROWS", {
      at: `stages[${first}].train.newRows`,
      expected: "a tokenizer that knows its new tokens (vocabulary_extension.json)",
      todo: "extend it: tokenizer.extend, or `perennial tokenizer extend`",
    });
  const { learningRateScale = 1, aloneSteps = 0 } = stages[position]!.train.newRows ?? {};
  return newRows(model, {
    firstId: extension.oldVocabSize,
    learningRateScale,
    aloneSteps: aloneSteps === "all" ? Number.POSITIVE_INFINITY : aloneSteps,
  });
}
