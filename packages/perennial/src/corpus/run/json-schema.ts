/** The corpus recipe's JSON Schema and reference: for editors, for the documentation, and for the words of error messages. */
import { z } from "zod";
import type { JsonSchema } from "../../recipe/json-schema.ts";
import { schemaReference } from "../../recipe/reference.ts";
import { corpusSchema } from "./recipe.ts";

export function corpusJsonSchema(): JsonSchema & { $schema: string; title: string } {
  const schema = z.toJSONSchema(corpusSchema, { io: "input", target: "draft-7", reused: "inline" }) as JsonSchema;
  return { $schema: "http://json-schema.org/draft-07/schema#", title: "Perennial corpus recipe", ...schema };
}

export const corpusReference = (): string => `# Corpus recipe reference

<!-- Generated from the schema by tools/generate-recipe-docs.ts. Do not edit. -->

A corpus recipe is a YAML file (the TypeScript API takes the same object) for \`perennial corpus run\`. Fields stand in the order in which a
document passes them; [corpus.md](corpus.md) tells what each step does.

- **Paths** are relative to the recipe. In lists of words, hosts and addresses an entry \`@FILE\` stands for the lines of that file (plain or gzip).
- **Shares** are fractions from 0 to 1. Lengths are characters (code points) unless they say bytes.
- \`--set deduplicate.numBands=20\` overrides a field; entries of a list go by number: \`--set filters[3].minScore=6\`.

${schemaReference(corpusJsonSchema())}`;
