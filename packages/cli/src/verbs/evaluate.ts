import { resolve } from "node:path";
import type { TaskCommandOptions } from "../evaluate-tasks.ts";
import { loadEvaluateTasks } from "../lazy.ts";
import { table } from "../text.ts";
import { positiveWholeNumber, verb, wholeNumber } from "../verb.ts";

interface Options extends Omit<TaskCommandOptions, "tasks" | "batchSize"> {
  textField: string;
  batchSize: number;
  maxTokens?: number;
  tasks?: string[];
}

const WINDOW = 512;
const EXAMPLES = `
Examples:
  $ perennial evaluate runs/basque/main/model english=data/en basque=data/eu
  $ perennial evaluate models/my-model --tasks examples/tasks
  $ perennial evaluate models/my-model --tasks tasks/ --task mmlu_eu cloze_eu --num-fewshot 5 --limit 200 --output results --samples
  $ perennial evaluate models/chat --tasks tasks/ --apply-chat-template --system-instruction "Answer briefly."
  $ perennial evaluate models/new --against models/old --tasks tasks/
`;

export default verb((command, effects) => {
  command
    .argument("<model>", "a Hugging Face model folder with its tokenizer, or a GGUF file")
    .argument("[text...]", "files, folders or globs; name=path gives a row its name")
    .option("--text-field <name>", "field that holds the text, in JSONL and Parquet", "text")
    .option(
      "--sequence-length <tokens>",
      `window of the model (default: ${WINDOW} for texts, all that it can for tasks)`,
      positiveWholeNumber,
    )
    .option("--batch, --batch-size <rows>", "rows computed at once; does not change the numbers", positiveWholeNumber, 8)
    .option("--max-tokens <count>", "stop after so many tokens of each text", positiveWholeNumber)
    .option("--tasks <paths...>", "benchmark tasks in the format of lm-evaluation-harness: YAML files, or folders of them")
    .option("--task <names...>", "only these tasks, groups or tags (default: all)")
    .option("--fewshot, --num-fewshot <count>", "examples before each question, instead of the task's own number", wholeNumber)
    .option("--apply-chat-template [name]", "ask in the words of the model's chat template; of several, the one of this name")
    .option("--no-fewshot-as-multiturn", "with it: all examples in one turn of the user, instead of a turn each")
    .option("--system-instruction <text>", "before the description of every task")
    .option("--limit <items>", "the first so many items of each task", positiveWholeNumber)
    .option("--seed <n>", "of the choice of examples (default: 1234, the harness')", wholeNumber)
    .option("--bootstrap <count>", "resamples for standard errors; 0: none (default: 100000, the harness')", wholeNumber)
    .option("--against <model>", "compare with another model on the same items, in pairs")
    .option("--output <folder>", "write the results as lm-evaluation-harness does")
    .option("--samples", "write every item as well")
    .option("--json", "as JSON, with the 95 % intervals")
    .addHelpText("after", EXAMPLES)
    .action(async (model: string, texts: string[], { tasks, ...options }: Options) => {
      if (tasks !== undefined) {
        if (texts.length > 0) command.error("error: give either texts or --tasks");
        return (await loadEvaluateTasks()).evaluateOnTasks(model, { ...options, tasks }, effects);
      }
      if (texts.length === 0) command.error("error: missing what to evaluate on: texts, or --tasks");
      if (options.against !== undefined) command.error("error: --against needs --tasks");
      const { evaluateFiles, openModel } = await import("perennial/run");
      const opened = await openModel(resolve(effects.cwd, model));
      const rows = [];
      for (const text of texts) {
        const named = /^([\w-]+)=(.+)$/.exec(text);
        const path = resolve(effects.cwd, named?.[2] ?? text);
        rows.push({
          corpus: named?.[1] ?? text,
          ...(await evaluateFiles(opened, path, { ...options, sequenceLength: options.sequenceLength ?? WINDOW })),
        });
      }
      if (options.json === true) return effects.out(`${JSON.stringify(rows, null, 2)}\n`);
      effects.out(
        `${table(
          ["text", "bits per byte", "95 %", "perplexity", "documents", "tokens"],
          rows.map(({ corpus, bitsPerByte, low, high, loss, documents, targetTokens }) => [
            corpus,
            bitsPerByte.toFixed(3),
            `${low.toFixed(3)} – ${high.toFixed(3)}`,
            Math.exp(loss).toFixed(2),
            String(documents),
            String(targetTokens),
          ]),
          [1, 3, 4, 5],
        )}\n`,
      );
    });
});
