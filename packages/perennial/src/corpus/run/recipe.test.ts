import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { RecipeError } from "../../recipe/problems.ts";
import { corpusJsonSchema, corpusReference } from "./json-schema.ts";
import { expandLists, hashLists } from "./lists.ts";
import { loadCorpusRecipe, parseCorpusRecipe } from "./load-recipe.ts";
import { corpusSchema } from "./recipe.ts";
import { findShards } from "./shards.ts";

const folder = mkdtempSync(join(tmpdir(), "corpus-recipe-"));
afterAll(() => rmSync(folder, { recursive: true }));

const problems = (text: string, set: string[] = []): string[] => {
  try {
    parseCorpusRecipe(text, "recipe.yaml", set);
    return [];
  } catch (error) {
    if (!(error instanceof RecipeError)) throw error;
    return error.message.split("\n");
  }
};

test("mistakes are told with line, field and the nearest known name", () => {
  expect(problems("inputs: [a]\nlangauges:\n  keep: [kab_Latn]\n")).toEqual([
    "recipe.yaml:2 langauges: expected a known field. Did you mean languages?",
  ]);
  expect(problems("inputs: [a]\ndeduplicate:\n  method: minhash\n  numBand: 3\n")[0]).toMatch(
    /^recipe\.yaml:4 deduplicate\.numBand: expected a known field\. Did you mean numBands\?$/,
  );
  expect(problems("inputs: [a]\nfilters:\n  - filter: gopher-qualty\n")[0]).toMatch(
    /^recipe\.yaml:3 filters\[0\]\.filter: .*received "gopher-qualty"\. Did you mean gopher-quality\?$/,
  );
  expect(problems("name: x\n")[0]).toMatch(/^recipe\.yaml:1 inputs: expected a list with at least one entry\. It is missing here\.$/);
  expect(problems("inputs: [a]\n", ["reading.retries=many"])[0]).toMatch(
    /^--set reading\.retries=many reading\.retries: expected a whole number/,
  );
  expect(problems("inputs: [a\n")[0]).toMatch(/^recipe\.yaml:\d: expected valid YAML/);
  expect(problems("- a\n")).toEqual(["recipe.yaml: expected a corpus recipe: a map with inputs."]);
});

test("what needs another part says so", () => {
  const found = (text: string) => problems(`inputs: [a]\n${text}`).join("\n");
  expect(found("filters: [{ filter: web-docs-score }]")).toMatch(/filters\[0\]\.filter: expected score beside it/);
  expect(found("score: {}")).toMatch(/score: expected identify beside it/);
  expect(found("deduplicate: null\nrehydrate: {}")).toMatch(/rehydrate: expected deduplicate beside it/);
  expect(found("rehydrate: { window: 4 }")).toMatch(/rehydrate\.window: expected an odd number/);
});

test("paths are those beside the recipe; addresses stay; --set goes first", () => {
  const path = join(folder, "recipe.yaml");
  writeFileSync(
    path,
    'name: small\ninputs: [a/*.warc.gz, "https://x.example/b.warc.gz", { list: paths.gz, prefix: "https://y.example/" }]\n' +
      'urls: { domains: ["@lists/adult.txt", spam.example] }\nidentify: { model: lid.ftz }\n' +
      "thresholds: { given: [t.json], fit: { english: en, references: { kab_Latn: [k1, k2] } } }\n",
  );
  const { recipe, output } = loadCorpusRecipe(path, { set: ["checkpointItems=7", "languages.keep=[kab_Latn]"] });
  const at = (name: string) => join(folder, name);
  expect(recipe.inputs).toEqual([at("a/*.warc.gz"), "https://x.example/b.warc.gz", { list: at("paths.gz"), prefix: "https://y.example/" }]);
  expect(recipe.urls.domains).toEqual([`@${at("lists/adult.txt")}`, "spam.example"]);
  expect(recipe.identify!.model).toBe(at("lid.ftz"));
  expect(recipe.thresholds.given).toEqual([at("t.json")]);
  expect(recipe.thresholds.fit).toMatchObject({ english: at("en"), references: { kab_Latn: [at("k1"), at("k2")] } });
  expect(recipe).toMatchObject({ checkpointItems: 7, languages: { keep: ["kab_Latn"], minScore: "fitted" } });
  expect(output).toBe(at("corpora/small"));
  expect(() => loadCorpusRecipe(join(folder, "none.yaml"))).toThrow(/none\.yaml: expected a corpus recipe\./);
});

test("lists come from files, plain or gzip, and their content is part of the run", () => {
  const list = join(folder, "hosts.txt.gz");
  writeFileSync(list, gzipSync("# adult\na.example\n\n b.example \n"));
  expect(expandLists({ domains: [`@${list}`, "c.example"], deep: [{ words: [`@${list}`] }] })).toEqual({
    domains: ["a.example", "b.example", "c.example"],
    deep: [{ words: ["a.example", "b.example"] }],
  });
  const recipe = corpusSchema.parse({ inputs: ["a"], urls: { domains: [`@${list}`] } });
  const before = hashLists(recipe)[list];
  writeFileSync(list, "a.example\n");
  expect(hashLists(recipe)[list]).not.toBe(before);
  expect(() => expandLists([`@${join(folder, "none.txt")}`])).toThrow(/none\.txt: expected a list, one entry a line/);
});

test("inputs: HTML files make shards together, other files one each, lists and globs of any kind", async () => {
  const at = (name: string) => `${folder}/in/${name}`;
  mkdirSync(at("pages"), { recursive: true });
  for (let i = 0; i < 5; i++) writeFileSync(at(`pages/${i}.html`), "<p>x");
  for (const name of ["a.warc.gz", "b.wet", "c.jsonl.zst", "picture.png"]) writeFileSync(at(name), "");
  writeFileSync(at("paths.txt"), "a.warc.gz\n# no\nb.wet\n");
  const { reading } = corpusSchema.parse({ inputs: ["a"], reading: { pagesPerShard: 2 } });
  const kinds = async (...inputs: Parameters<typeof findShards>[0]) =>
    (await findShards(inputs, reading)).map((shard) => [
      shard.kind,
      shard.path.slice(`${folder}/in/`.length),
      shard.kind === "pages" ? shard.pages.length : 0,
    ]);
  expect(await kinds(`${folder}/in`)).toEqual([
    ["warc", "a.warc.gz", 0],
    ["warc", "b.wet", 0],
    ["records", "c.jsonl.zst", 0],
    ["records", "paths.txt", 0],
    ["pages", "pages/0.html", 2],
    ["pages", "pages/2.html", 2],
    ["pages", "pages/4.html", 1],
  ]);
  expect(await kinds(at("*.warc.gz"), { list: at("paths.txt"), prefix: at("") })).toEqual([
    ["warc", "a.warc.gz", 0],
    ["warc", "b.wet", 0],
  ]);
  await expect(kinds(at("picture.png"))).rejects.toThrow(/at least one file with the ending \.warc/);
});

test("schema and reference are current (npx tsx tools/generate-recipe-docs.ts writes them)", () => {
  const committed = (path: string) => {
    const at = fileURLToPath(new URL(path, import.meta.url));
    return existsSync(at) ? readFileSync(at, "utf8") : "";
  };
  expect(JSON.parse(committed("../../../corpus.schema.json") || "null")).toEqual(JSON.parse(JSON.stringify(corpusJsonSchema())));
  expect(committed("../../../../../docs/corpus-recipe-reference.md")).toBe(corpusReference());
});

test.each(["recipes/fineweb2", "recipes/hplt3", "examples/corpus"])("%s/corpus.yaml is a recipe", (path) => {
  const { recipe } = loadCorpusRecipe(fileURLToPath(new URL(`../../../../../${path}/corpus.yaml`, import.meta.url)));
  expect(recipe.filters.length).toBeGreaterThan(1);
  expect(recipe.identify).toBeDefined();
});
