/** The recipe's JSON Schema: for editors, for the reference, and for the words of error messages. */
import { z } from "zod";
import { recipeSchema } from "./schema.ts";

/** The part of JSON Schema that zod writes for us. */
export interface JsonSchema {
  type?: string | string[];
  description?: string;
  default?: unknown;
  const?: unknown;
  enum?: unknown[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: boolean | JsonSchema;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minLength?: number;
  minItems?: number;
  pattern?: string;
}

/** Draft 7, because that is what editors' YAML support understands best. */
export function recipeJsonSchema(): JsonSchema & { $schema: string; title: string } {
  const schema = z.toJSONSchema(recipeSchema, { io: "input", target: "draft-7", reused: "inline" }) as JsonSchema;
  // A stage's own `train` is completed by the recipe's, so nothing in it is required where it is written.
  optional(schema.properties!.stages!.items!.properties!.train!);
  return { $schema: "http://json-schema.org/draft-07/schema#", title: "Perennial recipe", ...schema };
}

function optional(schema: JsonSchema): void {
  for (const branch of branches(schema)) {
    delete branch.required;
    for (const property of Object.values(branch.properties ?? {})) optional(property);
  }
}

/** The shapes a value may take: itself, or the branches of a union, flattened. */
export function branches(schema: JsonSchema): JsonSchema[] {
  if (Array.isArray(schema.type)) return schema.type.map((type) => ({ ...schema, type }));
  const union = schema.anyOf ?? schema.oneOf;
  return union === undefined ? [schema] : union.flatMap(branches);
}

/** The schemas that may stand at `path` of `value`; of a union, only the branches whose constants fit the value. */
export function schemasAt(schema: JsonSchema, path: readonly PropertyKey[], value: unknown): JsonSchema[] {
  const [key, ...rest] = path;
  const fitting = branches(schema).filter((branch) => key === undefined || fits(branch, value, key));
  if (key === undefined) return fitting;
  return fitting.flatMap((branch) => {
    const child = typeof key === "number" ? branch.items : (branch.properties?.[String(key)] ?? record(branch));
    return child === undefined ? [] : schemasAt(child, rest, (value as Record<PropertyKey, unknown> | null | undefined)?.[key]);
  });
}

const record = ({ additionalProperties }: JsonSchema) => (typeof additionalProperties === "object" ? additionalProperties : undefined);

/** Whether the branch's constant fields (its discriminator), other than `except`, are those of the value. */
export function fits(branch: JsonSchema, value: unknown, except?: PropertyKey): boolean {
  if (typeof value !== "object" || value === null) return true;
  return Object.entries(branch.properties ?? {}).every(
    ([key, property]) =>
      key === except || property.const === undefined || !(key in value) || (value as Record<string, unknown>)[key] === property.const,
  );
}

/** What a value must be, as a person would say it: `a number from 0 to 1`, `one of keep, reset`. */
export function inWords(schemas: readonly JsonSchema[]): string {
  const options = schemas.flatMap(branches);
  // A count is a union of a number and its written form: one thing to a reader.
  const suffixed = options.some(({ pattern }) => pattern?.endsWith("[kMG]$"));
  const constants = options.flatMap((option) => (option.const !== undefined ? [option.const] : (option.enum ?? [])));
  const phrases = options
    .filter((option) => option.const === undefined && option.enum === undefined && !option.pattern?.endsWith("[kMG]$"))
    .map((option) => (suffixed && option.type === "integer" ? `${phrase(option)} (1500, 2k and 1.5M are fine)` : phrase(option)));
  if (constants.length > 1) phrases.unshift(`one of ${constants.map(String).join(", ")}`);
  else if (constants.length === 1) phrases.unshift(String(constants[0]));
  return [...new Set(phrases)].join(", or ");
}

function phrase(schema: JsonSchema): string {
  switch (schema.type) {
    case "integer":
      return `a whole number${bounds(schema)}`;
    case "number":
      return `a number${bounds(schema)}`;
    case "string":
      return schema.pattern === undefined ? "text" : `text of ${schema.description?.split(";")[0] ?? `the form ${schema.pattern}`}`;
    case "boolean":
      return "true or false";
    case "null":
      return "null";
    case "array":
      if (schema.minItems === undefined || schema.minItems < 2) return schema.minItems === 1 ? "a list with at least one entry" : "a list";
      return `a list of at least ${schema.minItems} entries`;
    case "object":
      return schema.required === undefined ? "a map" : `a map with ${schema.required.join(", ")}`;
    default:
      return "a value";
  }
}

function bounds({ minimum, maximum: max, exclusiveMinimum, exclusiveMaximum }: JsonSchema): string {
  const maximum = max === Number.MAX_SAFE_INTEGER ? undefined : max;
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  const low = minimum !== undefined ? `of at least ${minimum}` : exclusiveMinimum !== undefined ? `above ${exclusiveMinimum}` : "";
  const high = maximum !== undefined ? `at most ${maximum}` : exclusiveMaximum !== undefined ? `below ${exclusiveMaximum}` : "";
  const both = [low, high].filter((part) => part !== "").join(" and ");
  return both === "" ? "" : ` ${both}`;
}
