/** What the documentation says of reproductions is what their pages say. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { notesOf } from "./page.ts";
import { findReproduction, reproductions } from "./registry.ts";

const docs = (path: string) => new URL(`../../../../docs/${path}`, import.meta.url);
const read = (path: string) => readFileSync(docs(path), "utf8");

/** The cells of each row of a table with these columns. */
const rowsOf = (markdown: string) =>
  markdown
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim())); // biome-ignore format: one line

const index = rowsOf(read("methods.md"));

test.each(reproductions.map(({ name }) => name))("%s: index, method and results agree", async (name) => {
  const page = read(`results/${name}.md`);
  const verdicts = rowsOf(page.slice(page.indexOf("## Claims"), page.indexOf("## Measurements"))).slice(2).map((row) => row.at(-1)); // biome-ignore format: one line
  const counts = ["**held**", "did not hold", "too noisy to say"].map((verdict) => verdicts.filter((seen) => seen === verdict).length);
  const command = /```sh\n(.*)\n```/.exec(page)![1]!;
  const row = index.find((cells) => cells[1] === `[${name}](results/${name}.md)`)!;
  expect(row.slice(2)).toEqual([...counts.map(String), `\`${command}\``]);
  expect(row[0]).toContain(`(methods/${name}.md)`);
  expect(verdicts).toHaveLength((await findReproduction(name)).claims.length);
  expect(command).toMatch(new RegExp(`^npx perennial reproduce ${name}( |$)`));
  expect(notesOf(page)).toContain("## What to make of it");
  for (const [, image] of page.matchAll(/\]\(images\/([^)]+)\)/g)) expect(readdirSync(docs("results/images"))).toContain(image);
  expect(read(`methods/${name}.md`)).toContain(`results/${name}.md`);
});
