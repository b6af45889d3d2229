/**
 * How much of each source of a stage is drawn, as a recipe says it: one schema over all samplers, and the shares and caps that follow.
 *    temperature   p ∝ size^(1/τ)                                                    `temperature.ts`
 *    unimax        as even as possible, no source more than n times over              `unimax.ts`
 *    layout        monolingual, bilingual or both, code added or not; language sets   `layout.ts`, `multilingual-recipes.ts`
 *    groups        a share per group, split equally over its sources                  `two-stage.ts`
 *    topics        shares that follow the validation perplexities                     `topic-mixture.ts`
 */
import { z } from "zod";
import { FieldError } from "../../errors.ts";
import { sharesBySize } from "../shares.ts";
import { layoutSchema, layoutShares } from "./layout.ts";
import { trainedLanguages } from "./multilingual-recipes.ts";
import { maxEpochs, type SizedSource } from "./sources.ts";
import { topicUpdateSchema } from "./topic-mixture.ts";
import { marcoStages, stageShares } from "./two-stage.ts";
import { unimaxShares } from "./unimax.ts";

const CATEGORIES = ["altruistic", "selfish", "stagnant"] as const;
const KINDS = ["monolingual", "bilingual", "code"] as const;

export const samplingSchema = z.discriminatedUnion("sampling", [
  z.strictObject({
    sampling: z.literal("temperature").describe("by size, flattened; a source with a share of its own has that"),
    temperature: z.number().positive().default(1).describe("share ∝ size^(1/temperature): 1 is proportional, larger is more even"),
  }),
  z.strictObject({
    sampling: z.literal("unimax").describe("as even as possible without repeating a source too often"),
    maxEpochs: maxEpochs.default(4),
  }),
  z.strictObject({
    sampling: z.literal("layout").describe("equal tokens per language; a source's group says whether it is monolingual, bilingual or code"),
    ...layoutSchema.omit({ weights: true, textTokens: true }).shape,
    languages: z
      .union([z.enum(["all", ...CATEGORIES]), z.array(z.string().min(1)).min(1)])
      .default("all")
      .describe("trained languages: all, a published set, or language tags of corpora"),
  }),
  z.strictObject({
    sampling: z.literal("groups").describe("a share per group of sources, split equally inside it"),
    shares: z
      .record(z.string(), z.number().min(0).max(1))
      .default({ ...marcoStages[0].shares })
      .describe("group → share of the stage's new tokens; they sum to 1. When nothing is said: Marco-LLM's first stage"),
  }),
  z.strictObject({
    sampling: z.literal("topics").describe("sources are topics; one whose held-out perplexity rises gets more at the next measurement"),
    ...topicUpdateSchema.shape,
  }),
]);
export type Sampling = z.output<typeof samplingSchema>;

export interface SampledSource extends SizedSource {
  readonly share: number | null;
  readonly maxEpochs: number | null;
  readonly group: string | null;
  /** BCP-47. */
  readonly language: string | null;
}

export interface SourceSampling {
  readonly name: string;
  /** Of the new tokens; 0: the sampler leaves the source out. */
  readonly share: number;
  readonly maxEpochs: number | null;
}

/** Shares and caps of the sources in their order; `budgetTokens`: new tokens of the stage. */
export function sampleSources(
  sources: readonly SampledSource[],
  sampling: Sampling,
  budgetTokens: number,
  at = "mixture",
): SourceSampling[] {
  const from = (shareOf: (name: string) => number, cap: number | null = null): SourceSampling[] =>
    sources.map((source) => ({ name: source.name, share: shareOf(source.name), maxEpochs: smaller(source.maxEpochs, cap) }));
  const allocated = (allocation: { sources: readonly { name: string; share: number }[] }, cap: number | null) => {
    const shares = new Map(allocation.sources.map(({ name, share }) => [name, share]));
    return from((name) => shares.get(name) ?? 0, cap);
  };
  switch (sampling.sampling) {
    case "temperature":
    case "topics": {
      const given = sources.every(({ share }) => share !== null);
      const temperature = sampling.sampling === "temperature" ? sampling.temperature : 1;
      const bySize = sharesBySize(Object.fromEntries(sources.map(({ name, tokens }) => [name, tokens])), temperature);
      const shares = new Map(sources.map(({ name, share }) => [name, given ? share! : bySize[name]!]));
      return from((name) => shares.get(name)!);
    }
    case "unimax":
      return allocated(unimaxShares(sources, { weights: "unimax", budgetTokens, maxEpochs: sampling.maxEpochs }), sampling.maxEpochs);
    case "layout": {
      const { sampling: _, languages, ...layout } = sampling;
      const chosen = inLanguages(sources, languages, at).map((source) => ({ ...source, kind: kindOf(source, at) }));
      const textTokens = budgetTokens / (layout.code ? 1 + layout.codePerText : 1);
      return allocated(layoutShares(chosen, { weights: "layout", textTokens, ...layout }), layout.maxEpochs);
    }
    case "groups": {
      const grouped = sources.map((source) => ({ ...source, group: groupOf(source, at) }));
      const stages = [{ part: 1, shares: sampling.shares }];
      return allocated(stageShares(grouped, { weights: "stages", budgetTokens, stages }).total, null);
    }
  }
}

const smaller = (a: number | null, b: number | null) => (a === null ? b : b === null ? a : Math.min(a, b));

function groupOf({ name, group }: SampledSource, at: string): string {
  if (group !== null) return group;
  throw new FieldError("MIXTURE_GROUP", {
    at: `${at} source ${name} group`,
    expected: "the name of its group",
    todo: "this sampling shares by group",
  });
}

function kindOf(source: SampledSource, at: string): (typeof KINDS)[number] {
  const group = source.group ?? "monolingual";
  const kind = KINDS.find((known) => known === group);
  if (kind !== undefined) return kind;
  throw new FieldError("MIXTURE_GROUP", {
    at: `${at} source ${source.name} group`,
    expected: `one of ${KINDS.join(", ")}`,
    received: group,
  });
}

/** `zho_Hani`, `zho-Hani` → `zho-hani`. */
const tag = (language: string) => language.replaceAll("_", "-").toLowerCase();

/** Code has no language and stays. */
function inLanguages(
  sources: readonly SampledSource[],
  languages: Extract<Sampling, { sampling: "layout" }>["languages"],
  at: string,
): readonly SampledSource[] {
  if (languages === "all") return sources;
  const wanted = new Set(
    (typeof languages === "string" ? trainedLanguages[languages].map(({ language }) => language) : languages).map(tag),
  );
  const chosen = sources.filter(({ group, language }) => group === "code" || (language !== null && wanted.has(tag(language))));
  if (chosen.some(({ group }) => group !== "code")) return chosen;
  throw new FieldError("MIXTURE_LANGUAGES", {
    at: `${at} sampling.languages`,
    expected: `sources whose corpora have a language of ${typeof languages === "string" ? `the ${languages} set` : "the list"} (${[...wanted].join(", ")})`,
    received: sources.map(({ language }) => language),
    todo: "write the corpora's language tags",
  });
}
