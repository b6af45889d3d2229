import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { realText, realTextNames } from "./text.ts";

test("each text is there: documents with an id and text, at most 4 MB of packed domains in all", () => {
  let bytes = 0;
  for (const name of realTextNames()) {
    const packed = readFileSync(realText(name).path);
    if (realText(name).path.includes("domains")) bytes += packed.length;
    const documents = gunzipSync(packed)
      .toString()
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { id: string; text: string });
    expect(documents.length, name).toBeGreaterThan(200);
    expect(new Set(documents.map(({ id }) => id)).size, name).toBe(documents.length);
    expect(
      documents.every(({ text }) => text.trim().length > 100),
      name,
    ).toBe(true);
  }
  expect(bytes).toBeLessThan(4e6);
});

test("a slip in the name is answered", () => {
  expect(() => realText("spanisch")).toThrow("Did you mean spanish?");
});
