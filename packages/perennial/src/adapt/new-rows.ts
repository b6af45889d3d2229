/**
 * Rows of new tokens apart from all other weights: their own learning rate, and first steps in which they alone move.
 *   E = [E_old; E_new]   [V,D], cut at the first new id; the same for an output layer of its own. Tied, there is one such matrix.
 *   step < aloneSteps    E_new moves, nothing else: no gradient is computed for other matrices than E, no moment, no decay, no step count
 *   afterwards           everything moves; E_new at learningRateScale · η, with the moments that it has
 *   E_new has the weight decay of a matrix. The norm that gradients are clipped by is that of the parts that move.
 * The parts are views of the parameters' memory: the model computes, saves and loads as ever. Adam works element by element, so
 * that learningRateScale = 1 and aloneSteps = 0 give the numbers of `full`.
 * Cost: none but the gradient of the whole E, which backward makes anyway.
 */
import { keep, noGrad, optim, scope, type Tensor } from "@perennial/torch";
import { FieldError } from "../errors.ts";
import type { Decoder } from "../model/decoder.ts";
import type { Adaptation } from "./adaptation.ts";
import { full } from "./full.ts";

export interface NewRowsOptions {
  /** The first new id; rows behind the last token (padding) count as new. */
  readonly firstId: number;
  readonly learningRateScale: number;
  /** Infinity: nothing else moves at all. */
  readonly aloneSteps: number;
}

interface Cut {
  readonly whole: Tensor;
  readonly old: Tensor;
  readonly fresh: Tensor;
}

export function newRows(model: Decoder, { firstId, learningRateScale, aloneSteps }: NewRowsOptions): Adaptation {
  const { vocabSize } = model.config;
  if (!(Number.isSafeInteger(firstId) && firstId >= 0 && firstId < vocabSize))
    throw new FieldError("NEW_ROWS", { at: "firstId", expected: `a row of the model, 0 to ${vocabSize - 1}`, received: firstId });
  const tables = [...new Set([model.embedTokens.weight, model.outputWeight])];
  const cuts = tables.map((whole): Cut => {
    const part = (from: number, to: number) => noGrad(() => keep(whole.detach().slice(0, from, to)));
    return { whole, old: part(0, firstId), fresh: part(firstId, vocabSize) };
  });
  const { parameterSets } = full(model);
  const all = parameterSets.flatMap(({ parameters }) => parameters);
  const others = all.filter((parameter) => !tables.includes(parameter));
  const oldPart = new Map(cuts.map(({ whole, old }) => [whole, old]));
  let alone = false;
  const freeze = (frozen: boolean) => {
    alone = frozen;
    for (const parameter of others) parameter.requiresGrad_(!frozen);
  };
  return {
    name: "newRows",
    parameterSets: [
      ...parameterSets.map((set) => ({
        ...set,
        parameters: set.parameters.map((parameter) => oldPart.get(parameter) ?? parameter),
      })),
      { name: "newRows", parameters: cuts.map(({ fresh }) => fresh), learningRateScale },
    ],
    parts: {
      begin(step) {
        freeze(step < aloneSteps);
        return alone ? tables : all;
      },
      shareGradients: () =>
        scope(() => {
          // Over whole parameters the sum is that of `full`, to the last bit.
          const norm = alone ? undefined : optim.gradNorm(all);
          for (const { whole, old, fresh } of cuts) {
            const { grad } = whole;
            if (grad === null) continue;
            if (!alone) old.grad = grad.slice(0, 0, firstId);
            fresh.grad = grad.slice(0, firstId, vocabSize);
            whole.grad = null;
          }
          return norm ?? optim.gradNorm(cuts.map(({ fresh }) => fresh));
        }),
      end: () => freeze(false),
    },
  };
}
