/** What is generated is committed: the same bytes again from the pinned libtorch, and a verdict on every operator. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { describeLibrary } from "../src/index.ts";
import { operatorDocs } from "../src/operator-docs.ts";
import { unsafeOperators } from "../src/unsafe-operators.ts";
import { isPinned } from "./golden.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
test.skipIf(!isPinned)("npm run generate would change nothing", () => {
  const output = execFileSync(process.execPath, ["--conditions", "source", "--import", "tsx", "tools/generate-operators.ts", "--check"], {
    cwd: root,
    encoding: "utf8",
  });
  expect(output).toContain(`of libtorch ${describeLibrary().version}`);
});

const rows = readFileSync(new URL("../operators.csv", import.meta.url), "utf8")
  .trim()
  .split("\n")
  .slice(1)
  .map((line) => /^([^,]+),(\d+),([^,]+),(.+)$/.exec(line)!);

test("the ledger has one row for each operator, and each row a verdict with its reason", () => {
  expect(rows.length).toBeGreaterThan(1800);
  expect(new Set(rows.map((row) => row[1])).size).toBe(rows.length);
  const verdicts = new Set(rows.map((row) => row[3]));
  expect(verdicts).toEqual(new Set(["function", "function and method", "hand-written", "by name", "not exposed", "refused"]));
  expect(rows.filter((row) => row[3] === "refused").map((row) => row[1])).toEqual(Object.keys(unsafeOperators).sort());
});

test("every documented operator exists, and its sentence is in the generated interface", () => {
  const functions = readFileSync(new URL("../src/generated/functions.ts", import.meta.url), "utf8");
  const names = new Set(rows.map((row) => row[1]));
  for (const [name, doc] of Object.entries(operatorDocs)) {
    expect(names).toContain(`aten::${name}`);
    expect(doc, name).toMatch(/\nErrors: /);
    expect(functions).toContain(doc.split("\n")[0]);
  }
});
