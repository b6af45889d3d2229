/** How a prompt is written: as plain text, or as a conversation in the words of the model's chat template. */
import type { ChatTemplate } from "../../tokenizer/chat/index.ts";

export interface Turn {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
  /** What follows where turns are joined to one text. */
  readonly delimiter: string;
}

export interface PromptStyle {
  /** Before the description of a task. */
  readonly system?: string | undefined;
  /** Whether the prompt ends with the beginning of the model's turn, so that an answer needs no delimiter before it. */
  readonly isChat: boolean;
  render(turns: readonly Turn[]): string;
}

const textOf = (turns: readonly Turn[]) => turns.map(({ content, delimiter }) => content + delimiter).join("");

export const plainText: PromptStyle = { isChat: false, render: textOf };

export interface ChatStyleOptions {
  readonly system?: string | undefined;
  /** Each example a turn of its own (the harness' default), or all of them and the question in one turn of the user. */
  readonly fewshotAsMultiturn?: boolean | undefined;
}

/** A beginning of the answer (`gen_prefix`) begins the model's turn. A template that refuses a system turn is given none, as in the harness. */
export function chatStyle(template: ChatTemplate, { system, fewshotAsMultiturn = true }: ChatStyleOptions = {}): PromptStyle {
  return {
    system,
    isChat: true,
    render(turns) {
      const conversation = fewshotAsMultiturn ? turns : inOneTurn(turns);
      const options = conversation.at(-1)!.role === "assistant" ? { continueFinalMessage: true } : {};
      try {
        return template.render(conversation.map(message), options);
      } catch (error) {
        const rest = conversation.filter(({ role }) => role !== "system");
        if (rest.length === conversation.length) throw error;
        return template.render(rest.map(message), options);
      }
    },
  };
}

const message = ({ role, content }: Turn) => ({ role, content });

/** The system's turn, one of the user with everything that follows, and the beginning of the answer. */
function inOneTurn(turns: readonly Turn[]): Turn[] {
  const system = turns.filter(({ role }) => role === "system");
  const rest = turns.slice(system.length);
  const begun = rest.at(-1)!.role === "assistant" ? rest.slice(-1) : [];
  const asked = rest.slice(0, rest.length - begun.length);
  const content = textOf(asked.slice(0, -1)) + asked.at(-1)!.content;
  return [...system, { role: "user", content, delimiter: "" }, ...begun];
}
