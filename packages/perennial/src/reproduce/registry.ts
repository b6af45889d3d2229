/** The reproductions, in the order of the stages. A new one is a file in `methods/` and a row here. */
import { FieldError, nearest } from "../errors.ts";
import type { Reproduction } from "./reproduction.ts";

export interface RegistryRow {
  readonly name: string;
  readonly asks: string;
  readonly load: () => Promise<Reproduction>;
}

export const reproductions: readonly RegistryRow[] = [
  {
    name: "simple-scalable-cpt",
    asks: "do re-warming and a little replay match training on everything again?",
    load: async () => (await import("./methods/simple-scalable-cpt.ts")).simpleScalableCpt as Reproduction,
  },
  {
    name: "infinite-lr",
    asks: "does a constant rate with annealed branches replace warming up again?",
    load: async () => (await import("./methods/infinite-lr.ts")).infiniteLr as Reproduction,
  },
  {
    name: "replay-gradient-alignment",
    asks: "what do replay from a buffer, Reptile, and both retain?",
    load: async () => (await import("./methods/replay-gradient-alignment.ts")).replayGradientAlignment as Reproduction,
  },
  {
    name: "stability-gap",
    asks: "does a small subset, well chosen and mixed, beat one pass over a noisy pool?",
    load: async () => (await import("./methods/stability-gap.ts")).stabilityGap as Reproduction,
  },
  {
    name: "domain-sequence-cpt",
    asks: "what does the order of domains do to what is learned and what is kept?",
    load: async () => (await import("./methods/domain-sequence-cpt.ts")).domainSequenceCpt as Reproduction,
  },
  {
    name: "cmr-law",
    asks: "do a few short runs tell how much new text a budget bears?",
    load: async () => (await import("./methods/cmr-law.ts")).cmrLaw as Reproduction,
  },
  {
    name: "d-cpt-law",
    asks: "does one law over share and tokens predict shares that were not trained?",
    load: async () => (await import("./methods/d-cpt-law.ts")).dCptLaw as Reproduction,
  },
  {
    name: "afriquellm",
    asks: "which sampler for languages of very unequal size?",
    load: async () => (await import("./methods/afriquellm.ts")).afriqueLlm as Reproduction,
  },
  {
    name: "multilingual-data-mixing",
    asks: "monolingual or bilingual text, with code or without?",
    load: async () => (await import("./methods/multilingual-data-mixing.ts")).multilingualDataMixing as Reproduction,
  },
  {
    name: "in-context-pretraining",
    asks: "do related documents in one window teach a model to use its context?",
    load: async () => (await import("./methods/in-context-pretraining.ts")).inContextPretraining as Reproduction,
  },
  {
    name: "marco-llm",
    asks: "do two stages protect the old while low-resource languages are learned?",
    load: async () => (await import("./methods/marco-llm.ts")).marcoLlm as Reproduction,
  },
  {
    name: "llama-3-syne",
    asks: "should topics follow the perplexities, and documents come from easy to hard?",
    load: async () => (await import("./methods/llama-3-syne.ts")).llama3Syne as Reproduction,
  },
];

export async function findReproduction(name: string): Promise<Reproduction> {
  const row = reproductions.find((known) => known.name === name);
  if (row !== undefined) return row.load();
  const near = nearest(
    name,
    reproductions.map((known) => known.name),
  );
  throw new FieldError("REPRODUCTION", {
    at: "reproduce",
    expected: "the name of a method",
    received: name,
    todo: near === undefined ? "`perennial reproduce` lists them" : `did you mean ${near}?`,
  });
}
