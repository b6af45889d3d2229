/** The documentation says what is so: commands and options exist, snippets print what stands below them, the reference is current. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { format } from "node:util";
import * as torchModule from "@perennial/torch";
import { expect, test } from "vitest";
import { cliReference, REFERENCE_PATH } from "./reference.ts";
import { verbs } from "./verbs.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const read = (path: string) => readFileSync(join(root, path), "utf8");
const pages = ["README.md", ...readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`)]; // biome-ignore format: a list

test("docs/cli.md is current (npx tsx packages/cli/src/reference.ts writes it)", async () => {
  expect(existsSync(REFERENCE_PATH) ? readFileSync(REFERENCE_PATH, "utf8") : "").toBe(await cliReference());
});

test("every command in the documentation has a verb that knows its options", async () => {
  const reference = await cliReference();
  const sections = new Map(reference.split(/^##+ perennial /m).slice(1).map((text) => [text.split("\n")[0]!, text])); // biome-ignore format: a table
  let seen = 0;
  for (const page of pages)
    for (const [, written] of read(page).matchAll(/^(?:\$ )?npx perennial ([^#\n]+)/gm)) {
      const [verb = "", inner = ""] = written!.trim().split(/\s+/);
      if (verb.startsWith("-")) continue;
      expect(
        verbs.map(({ name }) => name),
        `${page}: ${written}`,
      ).toContain(verb);
      const help = sections.get(`${verb} ${inner}`) ?? sections.get(verb)!;
      for (const [option] of written!.matchAll(/(?<=\s)--[\w-]+/g)) expect(help, `${page}: ${written}`).toContain(`${option} `);
      seen++;
    }
  expect(seen).toBeGreaterThan(10);
});

test("links between pages lead somewhere", () => {
  for (const page of pages)
    for (const [, target] of read(page).matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g))
      expect(existsSync(join(root, dirname(page), target!)), `${page}: ${target}`).toBe(true);
});

/** Blocks of JavaScript with the text block that follows at once: what they print. */
const snippets = [...read("docs/engine.md").matchAll(/```js\n([\s\S]*?)```\n\n```text\n([\s\S]*?)```/g)].map(([, code, printed], i) => ({ i, code: code!, printed: printed! })); // biome-ignore format: a list

test("every snippet of docs/engine.md has its output below it", () => {
  expect(snippets.length).toBeGreaterThan(4);
  expect(read("docs/engine.md").match(/^```js$/gm)).toHaveLength(snippets.length);
});

test.for(snippets)("snippet $i of docs/engine.md prints what stands below it", async ({ code, printed }) => {
  const lines: string[] = [];
  const console = { log: (...values: unknown[]) => lines.push(format(...values)) };
  const body = code.replace(/^import (\{[^}]*\}) from "@perennial\/torch";$/gm, "const $1 = torchModule;");
  const AsyncFunction = (async () => {}).constructor as new (...parts: string[]) => (...values: unknown[]) => Promise<void>;
  await new AsyncFunction("torchModule", "console", body)(torchModule, console);
  expect(`${lines.join("\n")}\n`).toBe(printed);
});

test("the first snippet runs in plain node", () => {
  const node = ["--conditions=source", "--import", import.meta.resolve("tsx"), "--input-type=module"];
  const printed = execFileSync(process.execPath, node, { cwd: root, input: snippets[0]!.code, encoding: "utf8" });
  expect(printed).toBe(snippets[0]!.printed);
});
