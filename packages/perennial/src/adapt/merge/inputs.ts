/** The models of a merge, opened and compared before anything is written. */
import { isDeepStrictEqual } from "node:util";
import { FieldError } from "../../errors.ts";
import { type ModelFolder, openModelFolder, placeOf } from "../../model/index.ts";
import { compareVocabularies, vocabularyOf } from "./tokenizers.ts";

export interface Input extends ModelFolder {
  readonly path: string;
  /** Names in this folder's files by the names of the architecture. Without copies of tied weights. */
  readonly stored: ReadonlyMap<string, string>;
}

export function openInput(path: string): Input {
  const files = openModelFolder(path);
  const stored = new Map<string, string>();
  for (const name of files.reader.names) {
    const { theirs, ours } = placeOf(path, files.table, name);
    if (!(files.config.tieWordEmbeddings && ours[0] === "lmHead.weight")) stored.set(theirs, name);
  }
  return { ...files, path, stored };
}

/** Dtypes that have a mean. */
export const isFloating = (dtype: string): boolean => /^(float(16|32|64)|bfloat16)$/.test(dtype);

const shown = (names: readonly string[]) => `${names.slice(0, 5).join(", ")}${names.length > 5 ? ` and ${names.length - 5} more` : ""}`;

/** Errors: tensors that one lacks, has more, or has in another shape than `reference`. */
export function checkSameTensors(reference: Input, input: Input): void {
  const fail = (names: readonly string[], expected: string, received?: unknown, todo = "merge models of one shape") => {
    throw new FieldError("MERGE_SHAPE", {
      at: `${input.path} ${shown(names)}`,
      expected,
      ...(received === undefined ? {} : { received }),
      todo,
    });
  };
  const missing = [...reference.stored.keys()].filter((name) => !input.stored.has(name));
  if (missing.length > 0) fail(missing, `tensors as in ${reference.path}, and they are missing`);
  const extra = [...input.stored.keys()].filter((name) => !reference.stored.has(name));
  if (extra.length > 0) fail(extra, `no such tensors, as in ${reference.path}`);
  for (const [name, stored] of input.stored) {
    const [there, here] = [reference.reader.describe(reference.stored.get(name)!), input.reader.describe(stored)];
    if (there.shape.join() !== here.shape.join()) {
      const isVocabulary = input.config.vocabSize !== reference.config.vocabSize && here.shape[0] === input.config.vocabSize;
      fail(
        [name],
        `shape [${there.shape.join(", ")}] as in ${reference.path}`,
        here.shape,
        isVocabulary ? "the vocabularies differ in size: merge before one is extended" : undefined,
      );
    }
    for (const { dtype } of [there, here])
      if (/^float8/.test(dtype))
        fail([name], "float16, bfloat16, float32 or float64", dtype, "values of eight bits have scales of their own; convert them first");
  }
}

/** What a model may say otherwise than the base: how far it was trained to look, and which ids end a text. */
const soft = new Set([
  ...["modelType", "vocabSize", "maxPositionEmbeddings", "ropeTheta", "ropeScaling", "slidingRopeTheta", "slidingWindow"],
  ...["initializerRange", "bosTokenId", "eosTokenIds", "padTokenId", "rmsNormEps"],
]);

/** Notes on what differs and may. Errors: weights of the same shapes that mean something else, e.g. another number of heads. */
export function checkSameConfig(reference: Input, input: Input): string[] {
  const notes: string[] = [];
  for (const [field, value] of Object.entries(reference.config)) {
    const received = (input.config as unknown as Record<string, unknown>)[field];
    if (isDeepStrictEqual(value, received)) continue;
    if (!soft.has(field))
      throw new FieldError("MERGE_CONFIG", {
        at: `${input.path} ${field}`,
        expected: `${JSON.stringify(value)} as in ${reference.path}`,
        received,
        todo: "merge models of one architecture",
      });
    notes.push(
      `${input.path}: ${field} is ${JSON.stringify(received)}, the merged model has ${JSON.stringify(value)} as ${reference.path}`,
    );
  }
  return notes;
}

/**
 * The folder whose tokenizer the merged model gets, or null, with notes. `chosen`: the folder that was asked for.
 * Errors: ids that stand for different tokens where none was chosen; more tokens than rows.
 */
export function chooseTokenizer(
  reference: Input,
  inputs: readonly Input[],
  chosen: Input | undefined,
): { folder: string | null; notes: string[] } {
  const source = chosen ?? reference;
  const own = vocabularyOf(source.path);
  const notes: string[] = [];
  if (own === null) {
    if (chosen !== undefined) throw new FieldError("MERGE_TOKENIZER", { at: chosen.path, expected: "a folder with a tokenizer.json" });
    return { folder: null, notes: [`${source.path} has no tokenizer.json: that all models have the same tokens was not checked`] };
  }
  const last = own === "bytes" ? -1 : Math.max(...own.tokens.keys());
  if (last >= source.config.vocabSize)
    throw new FieldError("MERGE_TOKENIZER", {
      at: source.path,
      expected: `tokens for ${source.config.vocabSize} rows, and one has the id ${last}`,
    });
  for (const { path } of inputs) {
    if (path === source.path) continue;
    const other = vocabularyOf(path);
    if (other === null) {
      notes.push(`${path} has no tokenizer.json: that it has the same tokens was not checked`);
      continue;
    }
    const difference = compareVocabularies(own, other);
    if (difference === undefined) continue;
    const { conflicts, oneSided, example, sameCutting } = difference;
    const count = conflicts.length + oneSided.length;
    if (count > 0 && chosen === undefined)
      throw new FieldError("MERGE_TOKENIZER", {
        at: path,
        expected: `the tokens of ${source.path}, but ${count} ${count === 1 ? "id differs" : "ids differ"} (${example})`,
        todo: "say with --tokenizer whose the merged model gets, if rows may be merged id by id all the same",
      });
    if (count > 0)
      notes.push(
        `${path}: ${count} ${count === 1 ? "id differs" : "ids differ"} from the tokenizer of ${source.path} (${example}); rows are merged id by id`,
      );
    else if (!sameCutting)
      notes.push(`${path} has the tokens of ${source.path} but cuts text in another way; the merged model cuts it as the latter`);
  }
  return { folder: source.path, notes };
}
