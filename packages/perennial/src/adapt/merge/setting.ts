/**
 * A number that may differ from tensor to tensor, written as in mergekit: one number; a list, spread over the layers from the
 * first to the last with lines between (tensors outside of the layers take the first); or cases, of which the first counts
 * whose `filter` is part of the tensor's name, and one without a filter holds for the rest.
 */
import { z } from "zod";
import { FieldError } from "../../errors.ts";

/** `expected` is what errors say of the number. */
export const settingOf = <T extends z.ZodType<number, number>>(value: T, expected: string) => {
  const error = `${expected}, a list of them over the layers, or cases of filter and value`;
  const values = z.union([value, z.array(value).min(1)], { error });
  const cases = z.array(z.strictObject({ filter: z.string().min(1).optional(), value: values })).min(1);
  return z.union([value, z.array(value).min(1), cases], { error });
};

export type Setting = number | number[] | { filter?: string | undefined; value: number | number[] }[];

/** `depth`: 0 for the first layer, 1 for the last. Errors: no case that fits; `field` names the setting. */
export function settingAt(setting: Setting, { tensor, depth, field }: { tensor: string; depth: number; field: string }): number {
  if (typeof setting === "number") return setting;
  for (const one of setting) {
    if (typeof one === "number") return along(setting as number[], depth);
    const { filter, value } = one;
    if (filter === undefined || filter === "*" || tensor.includes(filter)) return typeof value === "number" ? value : along(value, depth);
  }
  throw new FieldError("MERGE_RECIPE", {
    at: field,
    expected: `a case that fits ${tensor}`,
    received: setting,
    todo: "add a case without a filter for the rest",
  });
}

function along(values: readonly number[], depth: number): number {
  const place = depth * (values.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, values.length - 1);
  return (1 - (place - below)) * values[below]! + (place - below) * values[above]!;
}
