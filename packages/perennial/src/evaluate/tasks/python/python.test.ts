import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { pythonRepr } from "../../../tokenizer/chat/index.ts";
import { literalEval } from "./literal.ts";
import { PythonRandom } from "./random.ts";
import { findAll, pythonRegex, substitute } from "./regex.ts";

const golden = JSON.parse(readFileSync(new URL("../golden/python.json", import.meta.url), "utf8")) as {
  random: number[];
  samples: { total: number; count: number; drawn: number[] }[];
  choices: number[];
  big: number;
  findall: { pattern: string; text: string; found: (string | string[])[] }[];
  sub: { pattern: string; replacement: string; text: string; count: number; result: string }[];
  literal: { source: string; ok: boolean; value: unknown }[];
};

test("the same draws as random.Random(1234)", () => {
  const random = new PythonRandom(1234);
  expect(golden.random.map(() => random.random())).toEqual(golden.random);
  for (const { total, count, drawn } of golden.samples)
    expect(
      random.sample(
        Array.from({ length: total }, (_, i) => i),
        count,
      ),
    ).toEqual(drawn);
  const indices = new Uint32Array(golden.choices.length);
  random.choices(indices, 13);
  expect([...indices]).toEqual(golden.choices);
  expect(new PythonRandom(2 ** 40 + 7).random()).toBe(golden.big);
});

test.each(golden.findall)("re.findall($pattern)", ({ pattern, text, found }) => {
  expect(findAll(pythonRegex(pattern, "test"), text)).toEqual(found);
});

test.each(golden.sub)("re.sub($pattern, $replacement)", ({ pattern, replacement, text, count, result }) => {
  expect(substitute(pythonRegex(pattern, "test"), replacement, text, count)).toBe(result);
});

test("what JavaScript cannot do is an error with its place", () => {
  expect(() => pythonRegex("(?>a)", "task.yaml:3 filter")).toThrow(
    "task.yaml:3 filter: expected a regular expression ((?>a has no counterpart)",
  );
  expect(() => pythonRegex("(", "x")).toThrow(/expected a regular expression/);
});

test.each(golden.literal)("ast.literal_eval of $source", ({ source, ok, value }) => {
  expect(literalEval(source)).toEqual(ok ? value : undefined);
});

test("what is printed reads back", () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
      expect(literalEval(pythonRepr(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});
