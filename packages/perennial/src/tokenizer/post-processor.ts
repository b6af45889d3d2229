/** `post_processor` of tokenizer.json for a single text → the ids that stand before and behind it. */
import type { Reader } from "./reader.ts";

export interface Surroundings {
  readonly prefix: readonly number[];
  readonly suffix: readonly number[];
}

export function readSurroundings(step: Reader): Surroundings {
  const type = step.string("type");
  switch (type) {
    case "Sequence":
      // Each processor wraps what the ones before it made.
      return step.objects("processors").reduce<Surroundings>(
        (inner, processor) => {
          const outer = readSurroundings(processor);
          return { prefix: [...outer.prefix, ...inner.prefix], suffix: [...inner.suffix, ...outer.suffix] };
        },
        { prefix: [], suffix: [] },
      );
    case "ByteLevel":
      return { prefix: [], suffix: [] }; // moves offsets only
    case "BertProcessing":
    case "RobertaProcessing":
      return { prefix: [pairId(step, "cls")], suffix: [pairId(step, "sep")] };
    case "TemplateProcessing":
      return readTemplate(step);
    default:
      throw step.wrong("type", "a supported post-processor");
  }
}

function readTemplate(step: Reader): Surroundings {
  const prefix: number[] = [];
  const suffix: number[] = [];
  let seen = false;
  for (const piece of step.objects("single")) {
    if (piece.has("Sequence")) {
      if (seen || piece.object("Sequence").string("id") !== "A") throw step.wrong("single", "the sequence A exactly once");
      seen = true;
      continue;
    }
    const name = piece.object("SpecialToken").string("id");
    const token = step.object("special_tokens").object(name);
    for (const id of token.array("ids")) {
      if (!Number.isInteger(id)) throw token.wrong("ids", "a list of ids");
      (seen ? suffix : prefix).push(id as number);
    }
  }
  if (!seen) throw step.wrong("single", "the sequence A exactly once");
  return { prefix, suffix };
}

/** [token, id] */
function pairId(step: Reader, key: string): number {
  const [, id] = step.array(key);
  if (!Number.isInteger(id)) throw step.wrong(key, "a pair of token and id");
  return id as number;
}
