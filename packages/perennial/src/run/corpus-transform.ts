/** Corpora that a recipe transforms: the documents are written once, beside the tokens, under the hash of all they come from. */
import { existsSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { AtomicFile, findInputs, hashInputs, readDocuments } from "../corpus/formats/index.ts";
import { FieldError } from "../errors.ts";
import {
  clozeQuestion,
  corruptAnswers,
  type ParallelRecord,
  type ParallelTransform,
  parallelDocuments,
  type QuestionGenerator,
  type QuestionTransform,
  questionText,
  type SynthesisCounts,
  synthesizeQuestions,
  type TransformCounts,
} from "../mixture/index.ts";
import { generate } from "../model/index.ts";
import { hashPath, hashText } from "../store/index.ts";
import { stream } from "../stream.ts";
import { openModel } from "./model-tools.ts";

export interface TransformOptions {
  readonly baseFolder: string;
  readonly cacheFolder: string;
  readonly textField: string;
  readonly note: (text: string) => void;
}

type Transform = ParallelTransform | QuestionTransform;

/** The path of the transformed corpus, JSONL. */
export async function transformedCorpus(
  name: string,
  paths: readonly string[],
  transform: Transform,
  options: TransformOptions,
): Promise<string> {
  const { cacheFolder, textField, baseFolder, note } = options;
  const absolute = (path: string) => (isAbsolute(path) ? path : resolve(baseFolder, path));
  const inputs = await hashInputs(findInputs(paths), join(cacheFolder, "inputs.json"));
  const of =
    transform.transform === "questions" && "path" in transform.generator ? (await hashPath(absolute(transform.generator.path))).hash : null;
  const hash = hashText(JSON.stringify([1, inputs, textField, transform, of])).slice(0, 16);
  const file = join(cacheFolder, "transformed", `${hash}.jsonl`);
  if (existsSync(file)) return file;
  const texts =
    transform.transform === "parallel" ? parallel(paths, transform, note, name) : questions(paths, transform, absolute, options, name);
  const output = new AtomicFile(file);
  try {
    for await (const text of texts) output.write(Buffer.from(`${JSON.stringify({ text })}\n`));
    output.close();
  } catch (error) {
    output.discard();
    throw error;
  }
  return file;
}

async function* parallel(
  paths: readonly string[],
  transform: ParallelTransform,
  note: (text: string) => void,
  name: string,
): AsyncGenerator<string> {
  const [x, y] = Object.keys(transform.fields) as [string, string];
  const counts: TransformCounts = { records: 0, documents: 0, dropped: {} };
  async function* records(): AsyncGenerator<ParallelRecord> {
    for await (const { text, metadata } of readDocuments(paths, { textField: x })) {
      const other = metadata[y];
      const score = transform.scoreField === null ? undefined : metadata[transform.scoreField];
      yield { texts: [text, typeof other === "string" ? other : undefined], score: typeof score === "number" ? score : undefined };
    }
  }
  yield* parallelDocuments(records, transform, counts);
  const dropped = Object.entries(counts.dropped).map(([reason, count]) => `, ${count} dropped: ${reason}`);
  note(`${name}: ${counts.documents} documents from ${counts.records} records${dropped.join("")}`);
}

/** Errors are exchanged among all questions, so these are held in memory: they are short and few beside the text. */
async function* questions(
  paths: readonly string[],
  { generator, snippetCharacters, corrupt, seed }: QuestionTransform,
  absolute: (path: string) => string,
  { textField, note }: TransformOptions,
  name: string,
): AsyncGenerator<string> {
  const snippets: string[] = [];
  for await (const { text } of readDocuments(paths, { textField })) snippets.push(text.slice(0, snippetCharacters));
  const counts: SynthesisCounts = { generated: 0, missingField: 0, repeated: 0 };
  const { ask, close } = await generatorOf(generator, snippets, seed, absolute);
  try {
    const made = [];
    for await (const question of synthesizeQuestions(snippets, ask, counts)) made.push(question);
    note(
      `${name}: ${made.length} questions from ${counts.generated} generations; ${counts.missingField} lacked a field, ${counts.repeated} were repeated`,
    );
    if (made.length === 0)
      throw new FieldError("TRANSFORM_EMPTY", {
        at: `corpora.${name}.transform`,
        expected: "generations with a question and an answer",
        received: counts,
        todo: "use a stronger generator, or write its answers into a file",
      });
    for (const question of corrupt === 0 ? made : corruptAnswers(made, corrupt, seed)) yield questionText(question);
  } finally {
    close();
  }
}

interface OpenGenerator {
  readonly ask: QuestionGenerator;
  close(): void;
}

async function generatorOf(
  spec: QuestionTransform["generator"],
  snippets: readonly string[],
  seed: number,
  absolute: (path: string) => string,
): Promise<OpenGenerator> {
  let number = 0;
  switch (spec.generator) {
    case "cloze":
      return { ask: async () => clozeQuestion(snippets[number]!, stream(seed, `cloze ${number++}`)), close: () => {} };
    case "answers": {
      const answers: string[] = [];
      for await (const { text } of readDocuments([absolute(spec.path)])) answers.push(text);
      if (answers.length < snippets.length)
        throw new FieldError("TRANSFORM_ANSWERS", {
          at: spec.path,
          expected: `a generation for each of ${snippets.length} snippets`,
          received: answers.length,
        });
      return { ask: async () => answers[number++]!, close: () => {} };
    }
    case "model": {
      const { model, tokenizer } = await openModel(absolute(spec.path));
      const ask = async (prompt: string) => {
        const [ids] = generate(model, [tokenizer.encode(prompt)], {
          maxNewTokens: spec.maxNewTokens,
          temperature: spec.temperature,
          endIds: tokenizer.endIds,
          stream: stream(seed, `question ${number++}`),
        });
        return tokenizer.decode(ids!, { skipSpecialTokens: true });
      };
      return { ask, close: () => model.dispose() };
    }
  }
}
