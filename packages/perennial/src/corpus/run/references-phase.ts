/** Reference corpora (clean text of English and of each language) reduced to what thresholds are fitted from; a task each. */
import { FieldError } from "../../errors.ts";
import { readJson, writeJson } from "../durable.ts";
import { Rejections, readDocuments } from "../formats/index.ts";
import { cleanArticle, Reference, type StoredReference } from "../thresholds/index.ts";
import { type CorpusPlan, type CorpusTask, markOf, places } from "./plan.ts";
import { identifierFor } from "./read-phase.ts";
import type { CorpusRecipe } from "./recipe.ts";

/** Labels in the order of their tasks; English comes first. */
export function referenceLabels({ thresholds }: CorpusRecipe): string[] {
  return thresholds.fit ? ["eng_Latn", ...Object.keys(thresholds.fit.references).sort()] : [];
}

export async function measureReference(folder: string, { recipe }: CorpusPlan, task: CorpusTask): Promise<void> {
  const fit = recipe.thresholds.fit!;
  const label = referenceLabels(recipe)[task.index]!;
  const paths = task.index === 0 ? fit.english : fit.references[label]!;
  const identifier = recipe.identify && !label.startsWith("eng_") ? identifierFor(recipe.identify) : undefined;
  const englishScore = (text: string) => {
    const { language, score } = identifier!.identify(text);
    return language === "eng" ? score : 0;
  };
  const reference = await readReference(label, [paths].flat(), {
    textField: fit.textField,
    maxDocuments: fit.maxDocuments,
    endHeadings: fit.endHeadings[label] ?? [],
    ...(identifier ? { englishScore } : {}),
  });
  writeJson(places.reference(folder, task.index), reference.store());
  writeJson(places.mark(folder, task), { label, documents: reference.documents });
}

export interface ReferenceOptions {
  readonly textField?: string;
  readonly maxDocuments?: number;
  readonly endHeadings?: readonly string[];
  readonly englishScore?: (text: string) => number;
}

/** The first documents of a reference corpus that are fit for it. */
export async function readReference(label: string, paths: readonly string[], options: ReferenceOptions = {}): Promise<Reference> {
  const { textField = "text", maxDocuments = 100_000, endHeadings = [], englishScore } = options;
  const [language = "und", script = "Zyyy"] = label.split("_");
  const reference = new Reference(`${label}: ${paths.join(", ")}`);
  for await (const document of readDocuments(paths, { textField, rejections: new Rejections() })) {
    const text = cleanArticle(document.text, { script, endHeadings, ...(englishScore ? { englishScore } : {}) });
    if (text !== undefined) reference.add({ ...document, text, language, script });
    if (reference.documents === maxDocuments) break;
  }
  if (reference.documents === 0)
    throw new FieldError("CORPUS_REFERENCE", {
      at: paths.join(", "),
      expected: `clean text of ${label}: documents with text in the field ${textField}, half of their letters in ${script}`,
    });
  return reference;
}

export function storedReference(folder: string, index: number): StoredReference {
  markOf(folder, { phase: "references", index });
  return readJson<StoredReference>(places.reference(folder, index))!;
}
