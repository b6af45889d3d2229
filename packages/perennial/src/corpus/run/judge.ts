/**
 * The filters of a recipe over documents whose numbers are known. Filters on numbers decide from those, under the thresholds of the document's
 * language; the others look at the text. The first that says drop ends it. Once a filter has rewritten the text its numbers are measured anew.
 */
import { annotate, type Document, languageLabel } from "../document.ts";
import {
  c4BadWords,
  c4Paragraph,
  c4Quality,
  type Decision,
  finewebQuality,
  gopherQuality,
  gopherRepetition,
  keep,
  type Statistics,
  secrets,
  statistics,
} from "../filter/index.ts";
import { precision } from "../precision/index.ts";
import { hplt, webDocsScoreFilter } from "../score/index.ts";
import { type LanguageThresholds, profileOf } from "../thresholds/index.ts";
import type { DropReason } from "./drops.ts";
import type { FilterStep } from "./filter-steps.ts";
import { expandLists } from "./lists.ts";
import { type Measured, unpackStatistics } from "./measured.ts";
import type { CorpusRecipe } from "./recipe.ts";
import { type ChosenThresholds, thresholdsFor } from "./thresholds-phase.ts";

export type Judgement =
  | { readonly document: Document }
  | { readonly document: Document; readonly dropped: DropReason & { readonly filter: string } };

/** One filter of the list, applied to one document. */
type Step = (document: Document, numbers: () => Statistics | undefined, thresholds: LanguageThresholds | undefined) => Decision;

export function judgeOf(recipe: CorpusRecipe, chosen: ChosenThresholds): (document: Document, measured: Measured) => Judgement {
  const thresholdsOf = thresholdsFor(recipe, chosen);
  const steps = expandLists(recipe.filters).map((step) => ({ name: step.filter, languages: step.languages, decide: stepOf(step, chosen) }));

  return (given, measured) => {
    const label = languageLabel(given);
    const thresholds = thresholdsOf(label);
    let document = measured.scores
      ? annotate(given, "webDocsScore", { score: measured.scores[0]!, parts: measured.scores.slice(1) })
      : given;
    const { text } = document;
    const numbers = () => {
      if (document.text !== text) return thresholds && statistics(document, profileOf(thresholds));
      return measured.statistics && unpackStatistics(measured.statistics);
    };
    for (const { name, languages, decide } of steps) {
      if (languages && !languages.includes(label)) continue;
      const decision = decide(document, numbers, thresholds);
      if (!decision.kept) {
        const { kept: _, ...why } = decision;
        return { document, dropped: { filter: name, ...why } };
      }
      if (decision.text !== undefined && decision.text !== document.text) document = { ...document, text: decision.text };
    }
    return { document };
  };
}

const onNumbers =
  (decide: (statistics: Statistics, thresholds: LanguageThresholds) => Decision): Step =>
  (_, numbers, thresholds) => {
    const known = thresholds && numbers();
    return known && thresholds ? decide(known, thresholds) : keep;
  };

const onText =
  ({ decide }: { decide(document: Document): Decision }): Step =>
  (document) =>
    decide(document);

function stepOf(step: FilterStep, { precision: gates }: ChosenThresholds): Step {
  switch (step.filter) {
    case "gopher-repetition":
      return onNumbers((numbers, thresholds) => gopherRepetition.decide(numbers, thresholds.gopherRepetition));
    case "fineweb-quality":
      return onNumbers((numbers, thresholds) => finewebQuality.decide(numbers, thresholds.finewebQuality));
    case "gopher-quality":
      return onNumbers((numbers, thresholds) => gopherQuality.decide(numbers, thresholds.gopherQuality));
    case "c4-quality":
      return onText(c4Quality(options(step)));
    case "c4-paragraph":
      return onText(c4Paragraph(options(step)));
    case "c4-bad-words":
      return onText(c4BadWords(options(step)));
    case "secrets":
      return onText(secrets(options(step)));
    case "hplt":
      return onText(hplt(options(step)));
    case "web-docs-score":
      return onText(webDocsScoreFilter(options(step)));
    case "precision": {
      const lists = new Map(
        step.lists.filter(({ language }) => gates[language]?.applied === true).map((list) => [list.language, precision(list)]),
      );
      return (document) => lists.get(languageLabel(document))?.decide(document) ?? keep;
    }
  }
}

const options = <Step extends FilterStep>({ filter: _filter, languages: _languages, ...rest }: Step) => rest;
