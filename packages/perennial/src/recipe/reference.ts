/** The reference of all fields, in Markdown, drawn from the JSON Schema. */
import { branches, inWords, type JsonSchema, recipeJsonSchema } from "./json-schema.ts";

interface Section {
  title: string;
  text: string | undefined;
  rows: string[];
}

/** A section with a table for every object of a schema. */
export function schemaReference(schema: JsonSchema): string {
  const sections: Section[] = [];
  collect(schema, "", undefined, sections);
  return sections.map(written).join("\n");
}

export function recipeReference(): string {
  return `# Recipe reference

<!-- Generated from the schema by tools/generate-recipe-docs.ts. Do not edit. -->

A recipe is a YAML file (the TypeScript API takes the same object). \`perennial init\` writes one to start from; with its first line,
\`# yaml-language-server: $schema=…\`, editors complete and check every field below.

- **Counts** may carry a suffix: \`200k\`, \`1.5M\`, \`3G\` (powers of 1000). **Shares** are fractions from 0 to 1. **Paths** are relative to the recipe.
- \`train\` at the top is laid under the \`train\` of each stage; what a stage says itself goes first.
- \`--set train.tokens=2M\` overrides a field; entries of a list go by number, by name or by \`*\`: \`--set stages.basque.mixture.replay.share=0.1\`.
- A **baseline** runs in the same call with some fields changed, by the same paths.

${schemaReference(recipeJsonSchema())}`;
}

function collect(schema: JsonSchema, path: string, text: string | undefined, sections: Section[]): void {
  for (const branch of branches(schema)) {
    if (branch.items !== undefined) collect(branch.items, `${path}[]`, text, sections);
    if (typeof branch.additionalProperties === "object") collect(branch.additionalProperties, `${path}.NAME`, text, sections);
    if (branch.properties === undefined) continue;
    const kind = Object.entries(branch.properties).find(([, property]) => property.const !== undefined);
    const title = `${path === "" ? "The recipe" : `\`${path}\``}${kind === undefined ? "" : ` — \`${kind[0]}: ${String(kind[1].const)}\``}`;
    const section: Section = { title, text: kind?.[1].description ?? branch.description ?? text, rows: [] };
    sections.push(section);
    for (const [key, property] of Object.entries(branch.properties)) {
      const inner = path === "" ? key : `${path}.${key}`;
      if (property !== kind?.[1]) section.rows.push(row(key, property, branch.required?.includes(key) ?? false));
      // The top `train` repeats that of a stage.
      if (inner !== "train") collect(property, inner, property.description, sections);
    }
  }
}

function row(key: string, property: JsonSchema, required: boolean): string {
  const nested = isNested(property.default);
  const initial =
    property.default === undefined ? (required ? "**required**" : "–") : nested ? "see below" : `\`${JSON.stringify(property.default)}\``;
  return `| \`${key}\` | ${cell(inWords([property]))} | ${initial} | ${cell(property.description ?? "")} |`;
}

const isNested = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);
const cell = (text: string) => text.replace(/\|/g, "\\|").replace(/\n/g, " ");

function written({ title, text, rows }: Section): string {
  const head = `## ${title}\n${text === undefined ? "" : `\n${text}\n`}`;
  return rows.length === 0 ? `${head}` : `${head}\n| field | value | default | meaning |\n|---|---|---|---|\n${rows.join("\n")}\n`;
}
