import { expect, test } from "vitest";
import { chrf } from "./chrf.ts";

const hypotheses = ["The dog bit the man.", "It wasn't surprising.", "The man had just bitten him."];
const references = [
  ["The dog bit the man.", "The dog had bit the man."],
  ["It was not unexpected.", "No one was surprised."],
  ["The man bit him first.", "The man had bitten the dog."],
];

test.each([
  [{}, 59.72751782684763],
  [{ wordOrder: 2 }, 59.15310444399262],
  [{ epsSmoothing: true }, 59.72734693786311],
  [{ lowercase: true }, 60.02302725455764],
])("set D with %j", (options, score) => expect(chrf(hypotheses, references, options).score).toBeCloseTo(score, 8));

test("closed forms", () => {
  expect(chrf(["ab"], [["abc"]]).score).toBeCloseTo(63.636364, 6);
  expect(chrf(["aa"], [["ab"]], { beta: 3 }).score).toBeCloseTo(25, 10);
  expect(chrf(["abc"], [["abc"]]).score).toBe(100);
  expect(chrf(["abc"], [["xyz"]]).score).toBe(0);
});

test("German example", () => {
  expect(chrf(["Das Haus ist klein."], [["Das Haus ist sehr klein."]], { wordOrder: 2 }).score).toBeCloseTo(66.93030010126358, 8);
  expect(chrf(["Das Haus ist klein."], [["Das Haus ist sehr klein."]]).score).toBeCloseTo(64.44650938317935, 8);
});

test("signature", () => {
  expect(chrf(["a"], [["a"]], { wordOrder: 2 }).signature).toBe("nrefs:1|case:mixed|eff:yes|nc:6|nw:2|space:no|version:2.6.0");
});
