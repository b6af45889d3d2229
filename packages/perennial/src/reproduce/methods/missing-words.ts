/** How often a model finds the word that is missing in a sentence of held-out pages: the likeliest of four, by loss per byte of the answer. */
import { clozeQuestion, parseQuestion } from "../../mixture/index.ts";
import { openModel } from "../../run/index.ts";
import { stream } from "../../stream.ts";
import { conditionalLoss } from "./conditional-loss.ts";
import { heldOutPages, piecesOf } from "./derived-texts.ts";
import { mean, smallTrain } from "./small.ts";

const QUESTIONS = 300;
const CHOICES = 4;

export interface MissingWord {
  readonly question: string;
  /** The right one first, the others are right in other questions. */
  readonly choices: readonly string[];
}

export function missingWordQuestions(texts: readonly string[]): MissingWord[] {
  const gaps = stream(1, "gaps of held-out pages");
  const asked = texts.flatMap((text) => parseQuestion(clozeQuestion(text, gaps)) ?? []);
  const draw = stream(1, "wrong words");
  return asked.map(({ question, answer }) => {
    const choices = [answer];
    while (choices.length < CHOICES) {
      const { answer: other } = asked[draw.integer(asked.length)]!;
      if (!choices.some((choice) => choice.toLowerCase() === other.toLowerCase())) choices.push(other);
    }
    return { question, choices };
  });
}

/** `found`: 100 or 0 for each question; `nats`: mean loss of the right words, per token. */
export async function missingWords(modelFolder: string, texts: readonly string[]): Promise<{ found: number[]; nats: number }> {
  const pieces = texts.flatMap((name) => piecesOf(heldOutPages(name)));
  const every = Math.max(1, Math.floor(pieces.length / QUESTIONS));
  const questions = missingWordQuestions(pieces.filter((_, i) => i % every === 0).map(({ text }) => text));
  const { model, tokenizer } = await openModel(modelFolder);
  try {
    const end = tokenizer.specialTokens.eos ?? 0;
    const scored = questions.map(({ question, choices }) => {
      const context = [end, ...tokenizer.encode(`${question}\n`)].slice(-smallTrain.sequenceLength + 16);
      return choices.map((choice) => {
        const cost = conditionalLoss(model, context, [...tokenizer.encode(choice)].slice(0, 16));
        return { perByte: cost.lossSum / Buffer.byteLength(choice), perToken: cost.lossSum / cost.tokens };
      });
    });
    const found = scored.map(([right, ...others]) => (others.every(({ perByte }) => perByte > right!.perByte) ? 100 : 0));
    return { found, nats: mean(scored.map(([right]) => right!.perToken)) };
  } finally {
    model.dispose();
  }
}
