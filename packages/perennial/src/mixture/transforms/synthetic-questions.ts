/**
 * Synthetic question–answer documents from snippets of real text, through any generator.
 *    snippet, discipline → prompt → generator → fields parsed, missing ones rejected and counted → `question` newline `answer`
 *  Plain documents: no chat template, the loss is on all tokens. Nine science disciplines in turn (blocks by discipline hurt,
 *  mixing is better). The generator is a function: a model of this library, a server, or a file of finished answers.
 *  Exact prompts are not published; these are ours. Source: Chen et al., Llama-3-SynE, arXiv 2407.18743.
 */
import { FieldError } from "../../errors.ts";
import { stream } from "../../stream.ts";

export type QuestionGenerator = (prompt: string) => Promise<string>;

export const disciplines = [
  ...["mathematics", "physics", "chemistry", "biology", "astronomy"],
  ...["earth science", "medical science", "computer science", "general education"],
] as const;

export interface SyntheticQuestion {
  readonly question: string;
  readonly answer: string;
  readonly discipline: string;
  /** Number of the snippet that inspired it. */
  readonly snippet: number;
}

export interface SynthesisCounts {
  generated: number;
  /** The generator's text had no question or no answer. */
  missingField: number;
  /** The same question was there before. */
  repeated: number;
}

const FORMAT =
  "Write exactly two fields, each beginning on a line of its own:\nQuestion: <the question>\nAnswer: <the full answer, with its reasoning>";

export const questionPrompt = (discipline: string, snippet: string): string =>
  `Here is a passage:\n\n${snippet}\n\nWrite a question in ${discipline} that this passage inspires and that can be understood without it, then answer it in full, step by step.\n${FORMAT}`;

/** A new programming problem, in the manner of solved examples. */
export const codeQuestionPrompt = (examples: readonly Pick<SyntheticQuestion, "question" | "answer">[]): string =>
  `Here are programming problems with solutions:\n\n${examples.map(questionText).join("\n\n")}\n\nWrite a new problem of the same kind and difficulty, then its solution.\n${FORMAT}`;

/** The two fields, or null when one is missing or empty. */
export function parseQuestion(text: string): Pick<SyntheticQuestion, "question" | "answer"> | null {
  const match = /^\s*Question:\s*(?<question>\S[\s\S]*?)\s*^\s*Answer:\s*(?<answer>\S[\s\S]*?)\s*$(?![\s\S])/m.exec(text);
  return match === null ? null : { question: match.groups!.question!, answer: match.groups!.answer! };
}

/** The training document. */
export const questionText = ({ question, answer }: Pick<SyntheticQuestion, "question" | "answer">): string => `${question}\n${answer}`;

/** Yields questions as they come; `counts` says what became of every generation. */
export async function* synthesizeQuestions(
  snippets: Iterable<string>,
  generate: QuestionGenerator,
  counts: SynthesisCounts,
  subjects: readonly string[] = disciplines,
): AsyncGenerator<SyntheticQuestion> {
  const asked = new Set<string>();
  let snippet = -1;
  for (const text of snippets) {
    snippet++;
    const discipline = subjects[snippet % subjects.length]!;
    const parsed = parseQuestion(await generate(questionPrompt(discipline, text)));
    counts.generated++;
    if (parsed === null) counts.missingField++;
    else if (asked.has(parsed.question)) counts.repeated++;
    else {
      asked.add(parsed.question);
      yield { ...parsed, discipline, snippet };
    }
  }
}

/**
 * For measuring how much error a mixture tolerates (30 % does little harm, 60 % does): gives ⌊share·n⌋ of the questions,
 * drawn by seed, the answer of another question of the draw.
 */
export function corruptAnswers(questions: readonly SyntheticQuestion[], share: number, seed: number): SyntheticQuestion[] {
  if (!(share >= 0 && share <= 1))
    throw new FieldError("CORRUPT_SHARE", { at: "share", expected: "a number from 0 to 1", received: share });
  const drawn = stream(seed, "corrupt answers")
    .shuffle([...questions.keys()])
    .slice(0, Math.floor(share * questions.length));
  if (drawn.length === 1)
    throw new FieldError("CORRUPT_SHARE", {
      at: "share",
      expected: "a share of at least two questions, whose answers can be exchanged",
      received: share,
    });
  const corrupted = [...questions];
  // Moving every answer one place along the draw leaves none where it was.
  drawn.forEach((question, i) => {
    corrupted[question] = { ...questions[question]!, answer: questions[drawn[(i + 1) % drawn.length]!]!.answer };
  });
  return corrupted;
}
