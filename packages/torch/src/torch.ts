/** `torch`: every operator as a function, as `torch.matmul(a, b)`, and the methods of Tensor. */

import type { Functions } from "./generated/functions.ts";
import { functionNames, methodNames } from "./generated/names.ts";
import { operator } from "./operators.ts";
import "./generated/methods.ts";
import { camelCase } from "./schema.ts";
import { Tensor } from "./tensor.ts";

export const torch = {} as Functions;

for (const name of functionNames.split(" ")) {
  const entry = operator(`aten::${name}`);
  Object.defineProperty(torch, camelCase(name), {
    value: (...values: unknown[]) => entry.call(undefined, values),
    enumerable: true,
  });
}

for (const name of methodNames.split(" ")) {
  const entry = operator(`aten::${name}`);
  Object.defineProperty(Tensor.prototype, camelCase(name), {
    value(this: Tensor, ...values: unknown[]) {
      return entry.call(this, values);
    },
    configurable: true,
    writable: true,
  });
}
