/** Writes what is generated from the schemas of recipes: `npx tsx tools/generate-recipe-docs.ts`. */
import { mkdirSync, writeFileSync } from "node:fs";
import { corpusJsonSchema, corpusReference } from "../packages/perennial/src/corpus/run/json-schema.ts";
import { recipeJsonSchema } from "../packages/perennial/src/recipe/json-schema.ts";
import { recipeReference } from "../packages/perennial/src/recipe/reference.ts";

const root = new URL("../", import.meta.url);
mkdirSync(new URL("docs/", root), { recursive: true });
writeFileSync(new URL("packages/perennial/recipe.schema.json", root), `${JSON.stringify(recipeJsonSchema(), null, 2)}\n`);
writeFileSync(new URL("docs/recipe-reference.md", root), recipeReference());
writeFileSync(new URL("packages/perennial/corpus.schema.json", root), `${JSON.stringify(corpusJsonSchema(), null, 2)}\n`);
writeFileSync(new URL("docs/corpus-recipe-reference.md", root), `${corpusReference()}`);
