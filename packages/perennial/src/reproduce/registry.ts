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
