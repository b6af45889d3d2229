import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type BleuOptions, type BleuSmoothing, bleu, formatBleu } from "./bleu.ts";
import type { BleuTokenizer } from "./bleu-tokenizers.ts";
import { chrf, chrfMetric } from "./chrf.ts";

interface Case<Options, Value> {
  corpus: string;
  options: Options;
  value: Value;
  signature: string;
}
interface PythonBleu {
  tokenize?: BleuTokenizer;
  lowercase?: boolean;
  smooth_method?: BleuSmoothing["method"];
  smooth_value?: number;
  max_ngram_order?: number;
  effective_order?: boolean;
}
interface PythonChrf {
  char_order?: number;
  word_order?: number;
  beta?: number;
  lowercase?: boolean;
  whitespace?: boolean;
  eps_smoothing?: boolean;
}
interface Golden {
  corpora: Record<string, { hypotheses: string[]; references: string[][] }>;
  bleu: (Case<PythonBleu, Record<string, number> & { score: number; precisions: number[] }> & { line: string })[];
  chrf: (Case<PythonChrf, { score: number }> & { name: string })[];
}
const golden: Golden = JSON.parse(readFileSync(new URL("./golden/sacrebleu.json", import.meta.url), "utf8"));

const smoothings = { exp: undefined, none: undefined, floor: 0.1, "add-k": 1 };

function bleuOptions({ tokenize, lowercase, smooth_method, smooth_value, max_ngram_order, effective_order }: PythonBleu): BleuOptions {
  const value = smooth_value ?? (smooth_method && smoothings[smooth_method]);
  return {
    ...(tokenize && { tokenizer: tokenize }),
    ...(lowercase && { lowercase }),
    ...(smooth_method && { smoothing: { method: smooth_method, ...(value !== undefined && { value }) } as BleuSmoothing }),
    ...(max_ngram_order && { maxOrder: max_ngram_order }),
    ...(effective_order && { effectiveOrder: effective_order }),
  };
}

test.each(golden.bleu.map((one) => [`${one.corpus} ${JSON.stringify(one.options)}`, one] as const))(
  "BLEU %s equals sacreBLEU",
  (_, one) => {
    const { hypotheses, references } = golden.corpora[one.corpus]!;
    const result = bleu(hypotheses, references, bleuOptions(one.options));
    expect(result.score).toBeCloseTo(one.value.score, 10);
    expect(result.precisions).toEqual(one.value.precisions);
    expect(result.brevityPenalty).toBeCloseTo(one.value.brevityPenalty!, 12);
    expect(result.hypothesisLength).toBe(one.value.hypothesisLength);
    expect(result.referenceLength).toBe(one.value.referenceLength);
    expect(result.signature).toBe(one.signature);
    expect(formatBleu(result)).toBe(one.line);
  },
);

test.each(golden.chrf.map((one) => [`${one.corpus} ${JSON.stringify(one.options)}`, one] as const))(
  "chrF %s equals sacreBLEU, bit for bit",
  (_, one) => {
    const { hypotheses, references } = golden.corpora[one.corpus]!;
    const { char_order, word_order, eps_smoothing, ...same } = one.options;
    const options = {
      ...same,
      ...(char_order && { characterOrder: char_order }),
      ...(word_order && { wordOrder: word_order }),
      ...(eps_smoothing && { epsSmoothing: eps_smoothing }),
    };
    const result = chrf(hypotheses, references, options);
    expect(result.score).toBe(one.value.score);
    expect(result.signature).toBe(one.signature);
    expect(chrfMetric(options).name).toBe(one.name);
  },
);
