import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { nonNegativeNumber, positiveWholeNumber, shareNumber, verb, wholeNumber } from "../verb.ts";

interface Options {
  prompt?: string;
  maxNewTokens: number;
  temperature: number;
  topK?: number;
  topP?: number;
  seed: number;
  chat?: true | string;
}

export default verb((command, effects) => {
  command
    .argument("<model>", "a Hugging Face model folder with its tokenizer, or a GGUF file")
    .option("--prompt <text>", "what is continued (default: standard input)")
    .option("--max-new-tokens <count>", "length of the continuation", wholeNumber, 80)
    .option("--temperature <t>", "0 is greedy", nonNegativeNumber, 0.7)
    .option("--top-k <k>", "only the k likeliest tokens", positiveWholeNumber)
    .option("--top-p <p>", "only the likeliest tokens that together have this probability", shareNumber)
    .option("--seed <n>", "of the random numbers", wholeNumber, 0)
    .option("--chat [template]", "the prompt is a turn, or a conversation as JSON; what the model answers is printed alone")
    .addHelpText(
      "after",
      `
Examples:
  $ perennial generate runs/basque/main/model --prompt "Euskara"
  $ perennial generate models/chat --chat --prompt "Zer da ikasketa automatikoa?"
  $ perennial generate models/chat --chat < conversation.json     [{"role": "user", "content": "Kaixo!"}]
`,
    )
    .action(async (model: string, options: Options) => {
      const { openModel } = await import("perennial/run");
      const { generate } = await import("perennial/model");
      const { stream } = await import("perennial");
      const { DecodeStream } = await import("perennial/tokenizer");
      const path = resolve(effects.cwd, model);
      const opened = await openModel(path);
      const prompt = options.prompt ?? readFileSync(0, "utf8");
      const decoder = new DecodeStream(opened.tokenizer, { skipSpecialTokens: true });
      const chat = options.chat === undefined ? undefined : await conversation(path, options.chat, prompt);
      if (chat === undefined) effects.out(prompt);
      const ids = chat === undefined ? opened.promptIds(prompt) : [...opened.tokenizer.encode(chat, { addSpecialTokens: false })];
      generate(opened.model, [ids], {
        maxNewTokens: options.maxNewTokens,
        temperature: options.temperature,
        ...(options.topK === undefined ? {} : { topK: options.topK }),
        ...(options.topP === undefined ? {} : { topP: options.topP }),
        endIds: opened.tokenizer.endIds,
        stream: stream(options.seed, "generate"),
        onToken: (_, id) => effects.out(decoder.push(id)),
      });
      effects.out(`${decoder.end()}\n`);
    });
});

/** The text of a conversation as the model's own template writes it. */
async function conversation(model: string, name: true | string, prompt: string): Promise<string> {
  const { FieldError } = await import("perennial");
  const { loadChatTemplate, readMessages } = await import("perennial/tokenizer");
  const template = loadChatTemplate(model, name === true ? undefined : name);
  if (template === undefined)
    throw new FieldError("CHAT_TEMPLATE", {
      at: model,
      expected: "a chat_template.jinja, or a chat_template in tokenizer_config.json",
      todo: "leave --chat away: this is not a chat model",
    });
  return template.render(readMessages(prompt, "--prompt"));
}
