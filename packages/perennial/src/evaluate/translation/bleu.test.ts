import { expect, test } from "vitest";
import { FieldError } from "../../errors.ts";
import { type BleuOptions, bleu, formatBleu, sentenceBleu } from "./bleu.ts";
import { bleuTokenizers } from "./bleu-tokenizers.ts";

const hypotheses = ["The dog bit the man.", "It wasn't surprising.", "The man had just bitten him."];
const references = [
  ["The dog bit the man.", "The dog had bit the man."],
  ["It was not unexpected.", "No one was surprised."],
  ["The man bit him first.", "The man had bitten the dog."],
];

test("set D, statistics and score", () => {
  const result = bleu(hypotheses, references);
  expect(result.score).toBeCloseTo(48.530827009929865, 8);
  expect(result).toMatchObject({ correct: [14, 7, 5, 3], total: [17, 14, 11, 8], hypothesisLength: 17, referenceLength: 18 });
  expect(result.brevityPenalty).toBeCloseTo(0.9428731438548749, 12);
  expect(result.signature).toBe("nrefs:2|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0");
  expect(formatBleu(result)).toBe(
    "BLEU|nrefs:2|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0 = 48.53 82.4/50.0/45.5/37.5 (BP = 0.943 ratio = 0.944 hyp_len = 17 ref_len = 18)",
  );
});

test.each([
  ["intl", 43.91623493336995],
  ["none", 49.19195660047277],
  ["char", 72.61064153440596],
] as const)("set D, tokenizer %s", (tokenizer, score) => expect(bleu(hypotheses, references, { tokenizer }).score).toBeCloseTo(score, 8));

test.each([
  [1, 77.65],
  [2, 60.5],
  [3, 53.93],
  [5, 46.14],
  [6, 43.28],
])("set D, maximum order %i", (maxOrder, score) => expect(bleu(hypotheses, references, { maxOrder }).score).toBeCloseTo(score, 2));

test("one token of five is wrong", () => {
  const result = bleu(["a b c d e"], [["a b x d e"]]);
  expect(result.score).toBeCloseTo(30.213753973567677, 8);
  for (const [n, p] of [80, 50, 100 / 6, 12.5].entries()) expect(result.precisions[n]).toBeCloseTo(p, 12);
});

test("a corpus shorter than four tokens scores 0, a sentence does not", () => {
  expect(bleu(["a b c"], [["a b c"]]).score).toBe(0);
  expect(sentenceBleu("a b c", ["a b c"]).score).toBeCloseTo(100, 10);
  expect(sentenceBleu("the cat sat", ["the cat sat on the mat"]).score).toBeCloseTo(100 / Math.E, 8);
});

test.each([
  [{ smoothing: { method: "exp" } }, 8.493],
  [{ smoothing: { method: "floor", value: 0.1 } }, 4.517],
  [{ smoothing: { method: "add-k", value: 1 } }, 14.882],
  [{ smoothing: { method: "none" } }, 0],
  [{ tokenizer: "none" }, 7.347],
  [{ tokenizer: "char" }, 40.876],
  [{ tokenizer: "char", lowercase: true }, 42.027],
] satisfies [BleuOptions, number][])("sentence with %j", (options, score) => {
  const hypothesis = "Producția de zahăr primă va fi exprimată în ceea ce privește zahărul alb;";
  expect(sentenceBleu(hypothesis, ["producţia de zahăr brut se exprimă în zahăr alb;"], options).score).toBeCloseTo(score, 2);
});

test("German example", () => expect(bleu(["Das Haus ist klein."], [["Das Haus ist sehr klein."]]).score).toBeCloseTo(40.93653765389909, 8));

test.each([
  [
    "13a",
    "Hello, world! It's 3.14 (approx.) & 1,000-2,000 units... U.S.A.",
    "Hello , world ! It's 3.14 ( approx . ) & 1,000 - 2,000 units . . . U . S . A .",
  ],
  [
    "intl",
    "Hello, world! It's 3.14 (approx.) & 1,000-2,000 units... U.S.A.",
    "Hello , world ! It ' s 3.14 ( approx . ) & 1,000-2,000 units . . . U . S . A .",
  ],
  ["13a", "«Où est-il?» 5 €", "«Où est-il ? » 5 €"],
  ["intl", "«Où est-il?» 5 €", "« Où est - il ? » 5 €"],
  ["zh", "他说ABC,3.5。", "他 说 ABC , 3.5 。"],
] as const)("tokenizer %s of %s", (tokenizer, text, tokens) => expect(bleuTokenizers[tokenizer](text).join(" ")).toBe(tokens));

test("lost lines and missing references are errors", () => {
  expect(() => bleu(["a", "b"], [["a"]])).toThrow(FieldError);
  expect(() => bleu(["a"], [[]])).toThrow(/references\[0\]: expected at least one reference/);
  expect(() => bleu([], [])).toThrow(FieldError);
  expect(bleu(["a", "b"], [["a", ""], ["b"]]).signature).toContain("nrefs:var");
});
