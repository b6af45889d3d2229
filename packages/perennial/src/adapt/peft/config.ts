/** `adapter_config.json`: what of it we understand, and what we refuse by name. */
import { FieldError } from "../../errors.ts";

/** Variants that change more than what is read here; reading them as plain LoRA would be silently wrong. */
const REFUSED: Readonly<Record<string, false | null>> = {
  use_qalora: false,
  use_bdlora: null,
  layer_replication: null,
  target_parameters: null,
  trainable_token_indices: null,
  alora_invocation_tokens: null,
  arrow_config: null,
};

export function checkConfig(raw: Readonly<Record<string, unknown>>, at: string): void {
  const fail = (field: string, expected: string, todo?: string) =>
    new FieldError("ADAPTER_CONFIG", {
      at: `${at} ${field}`,
      expected,
      received: raw[field] ?? null,
      ...(todo === undefined ? {} : { todo }),
    });
  if (typeof raw !== "object" || raw === null || Array.isArray(raw))
    throw new FieldError("ADAPTER_CONFIG", { at, expected: "a JSON object", received: raw });
  if (raw.peft_type !== "LORA") throw fail("peft_type", '"LORA"', "merge it with PEFT");
  for (const [field, value] of Object.entries(REFUSED))
    if ((raw[field] ?? value) !== value) throw fail(field, JSON.stringify(value), "merge it with PEFT");
  for (const field of ["r", "lora_alpha"]) if (typeof raw[field] !== "number" || !(raw[field] > 0)) throw fail(field, "a positive number");
  for (const field of ["rank_pattern", "alpha_pattern"]) checkPattern(raw[field], (expected) => fail(field, expected));
}

function checkPattern(patterns: unknown, fail: (expected: string) => FieldError): void {
  if (patterns === undefined || patterns === null) return;
  if (typeof patterns !== "object" || Array.isArray(patterns)) throw fail("numbers by patterns");
  for (const [pattern, value] of Object.entries(patterns)) {
    if (typeof value !== "number" || !(value > 0)) throw fail("positive numbers by patterns");
    try {
      expression(pattern);
    } catch {
      throw fail(`regular expressions, and ${JSON.stringify(pattern)} is none`);
    }
  }
}

const expression = (pattern: string) => new RegExp(`^(.*\\.)?(${pattern})$`);

/** PEFT's patterns are regular expressions for the end of a module's name; the first that fits counts. */
export function patterned(patterns: unknown, module: string): number | undefined {
  for (const [pattern, value] of Object.entries((patterns ?? {}) as Record<string, number>))
    if (expression(pattern).test(module)) return value;
  return undefined;
}
