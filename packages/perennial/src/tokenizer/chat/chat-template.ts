/**
 * Chat templates: what turns a conversation into the text that a chat model was trained on. They stand in `chat_template.jinja` of the model
 * folder or, as one text or a list of named ones, in `tokenizer_config.json`; the file wins, as in `transformers`.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { FieldError, nearest } from "../../errors.ts";
import { isGgufPath, readGgufHeader } from "../../gguf/header.ts";
import { readGgufTokenizer } from "../gguf/index.ts";
import { Template } from "./jinja.ts";

export interface ChatMessage {
  readonly role: string;
  readonly content: string;
}

export interface ChatOptions {
  /** End with the beginning of the model's turn. Default: true. */
  readonly addGenerationPrompt?: boolean;
  /** End inside the last message, which the model is to go on with; no generation prompt then. */
  readonly continueFinalMessage?: boolean;
  /** What `strftime_now` tells; default: now. */
  readonly now?: Date;
  /** Further variables of the template, e.g. `enable_thinking`. */
  readonly variables?: Readonly<Record<string, unknown>>;
}

export class ChatTemplate {
  /** As it stands in the model folder. */
  readonly source: string;
  private readonly template: Template;
  private readonly tokens: Readonly<Record<string, string>>;
  private readonly at: string;

  /** `tokens`: `bos_token`, `eos_token` … as texts; `at` names the template in errors. */
  constructor(source: string, tokens: Readonly<Record<string, string>> = {}, at = "chat template") {
    this.source = source;
    this.tokens = tokens;
    this.at = at;
    this.template = new Template(source, { at, trimBlocks: true });
  }

  /** The text of a conversation. It holds the special tokens already: encode it with `addSpecialTokens: false`. */
  render(messages: readonly ChatMessage[], options: ChatOptions = {}): string {
    const { continueFinalMessage = false, addGenerationPrompt = !continueFinalMessage, now, variables = {} } = options;
    const text = this.template.render({
      ...this.tokens,
      tools: null,
      documents: null,
      strftime_now: (format: string) => formatDate(format, now ?? new Date()),
      ...variables,
      messages,
      add_generation_prompt: addGenerationPrompt,
    });
    return continueFinalMessage ? this.untilEndOf(messages.at(-1)?.content ?? "", text) : text;
  }

  /** Templates may trim a message; what stands after it in the text is cut off. */
  private untilEndOf(content: string, text: string): string {
    const at = text.lastIndexOf(content.trim());
    if (at < 0)
      throw new FieldError("CHAT_TEMPLATE", {
        at: this.at,
        expected: "a template that writes the last message as it is, to go on with it",
      });
    const untrimmed = content.trimStart();
    return text.slice(0, at + (text.startsWith(untrimmed, at) ? untrimmed : content.trim()).length);
  }
}

/** The template of a model folder or GGUF file; of several, the one called `name` (default: `default`). Undefined when the model has none. */
export function loadChatTemplate(folder: string, name = "default"): ChatTemplate | undefined {
  const { templates, tokens } = readFolder(folder);
  if (templates.size === 0) return undefined;
  const found = templates.get(name);
  if (found === undefined) {
    const near = nearest(name, templates.keys());
    throw new FieldError("CHAT_TEMPLATE", {
      at: `${folder} chat template`,
      expected: `one of ${[...templates.keys()].join(", ")}`,
      received: name,
      ...(near === undefined ? {} : { todo: `did you mean ${near}?` }),
    });
  }
  return new ChatTemplate(found.source, tokens, found.at);
}

function readFolder(folder: string) {
  const templates = new Map<string, { source: string; at: string }>();
  const path = isGgufPath(folder) ? folder : join(folder, "tokenizer_config.json");
  const config = isGgufPath(folder) ? ggufConfig(folder) : existsSync(path) ? readJson(path) : {};
  const written = config.chat_template;
  const field = `${path} chat_template`;
  if (typeof written === "string") templates.set("default", { source: written, at: field });
  if (Array.isArray(written))
    for (const [i, entry] of (written as unknown[]).entries()) {
      const { name, template } = (entry ?? {}) as Record<string, unknown>;
      if (typeof name !== "string" || typeof template !== "string")
        throw new FieldError("CHAT_TEMPLATE", { at: `${field}[${i}]`, expected: "an object with name and template", received: entry });
      templates.set(name, { source: template, at: `${field}[${i}]` });
    }
  const addFile = (name: string, file: string) => {
    if (existsSync(file)) templates.set(name, { source: readFileSync(file, "utf8"), at: file });
  };
  const more = join(folder, "additional_chat_templates");
  if (existsSync(more))
    for (const file of readdirSync(more)
      .filter((file) => file.endsWith(".jinja"))
      .sort())
      addFile(file.slice(0, -".jinja".length), join(more, file));
  addFile("default", join(folder, "chat_template.jinja"));
  return { templates, tokens: specialTokens(config, folder) };
}

/** The tokenizer_config.json that the metadata of a GGUF file amounts to. */
function ggufConfig(path: string): Record<string, unknown> {
  const config = readGgufTokenizer(readGgufHeader(path)).files.get("tokenizer_config.json");
  return config === undefined ? {} : (JSON.parse(Buffer.from(config).toString("utf8")) as Record<string, unknown>);
}

/** `bos_token` and its kind, as texts. */
function specialTokens(config: Readonly<Record<string, unknown>>, folder: string): Record<string, string> {
  const map = join(folder, "special_tokens_map.json");
  const all = { ...(existsSync(map) ? readJson(map) : {}), ...config };
  const tokens: Record<string, string> = {};
  for (const [key, value] of Object.entries(all)) {
    if (!key.endsWith("_token")) continue;
    const text = typeof value === "object" && value !== null && "content" in value ? value.content : value;
    if (typeof text === "string") tokens[key] = text;
  }
  return tokens;
}

function readJson(path: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (cause) {
    throw new FieldError("TOKENIZER_JSON", { at: path, expected: `JSON (${(cause as Error).message})` }, { cause });
  }
  throw new FieldError("TOKENIZER_JSON", { at: path, expected: "an object" });
}

/** What comes in as the text of one turn, or as a conversation: a JSON list of `{ "role", "content" }`. */
export function readMessages(text: string, at = "messages"): ChatMessage[] {
  if (!/^\s*\[\s*(\{|\])/.test(text)) return [{ role: "user", content: text }];
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return [{ role: "user", content: text }]; // a text that begins like a list
  }
  const messages = value as unknown[];
  if (messages.length === 0) throw new FieldError("CHAT_MESSAGES", { at, expected: "at least one message", received: messages });
  for (const [i, message] of messages.entries()) {
    const { role, content } = (message ?? {}) as Record<string, unknown>;
    if (typeof role !== "string" || typeof content !== "string")
      throw new FieldError("CHAT_MESSAGES", {
        at: `${at}[${i}]`,
        expected: 'an object with role and content, e.g. {"role": "user", "content": "Kaixo!"}',
        received: message,
      });
  }
  return messages as ChatMessage[];
}

const MONTHS = "January February March April May June July August September October November December".split(" ");
const DAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");

/** The codes of Python's `strftime` that templates use; English names, local time. */
function formatDate(format: string, date: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const codes: Readonly<Record<string, string>> = {
    d: two(date.getDate()),
    m: two(date.getMonth() + 1),
    Y: String(date.getFullYear()),
    y: two(date.getFullYear() % 100),
    b: MONTHS[date.getMonth()]!.slice(0, 3),
    B: MONTHS[date.getMonth()]!,
    a: DAYS[date.getDay()]!.slice(0, 3),
    A: DAYS[date.getDay()]!,
    H: two(date.getHours()),
    M: two(date.getMinutes()),
    S: two(date.getSeconds()),
    "%": "%",
  };
  return format.replace(/%(-?)([a-zA-Z%])/g, (all, dash: string, code: string) => {
    const value = codes[code];
    if (value === undefined) throw new Error(`strftime_now does not know ${all}`);
    return dash === "" ? value : value.replace(/^0(?=\d)/, "");
  });
}
