import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type ChatMessage, ChatTemplate, loadChatTemplate, pythonRepr, readMessages, Template } from "./index.ts";

const golden = JSON.parse(readFileSync(new URL("./golden/chat.json", import.meta.url), "utf8")) as {
  tokens: Record<string, string>;
  templates: Record<string, string>;
  cases: { template: string; messages: ChatMessage[]; prompt: boolean; text?: string; error?: string }[];
};

test.each(Object.keys(golden.templates))("%s renders as transformers renders it", (name) => {
  const template = new ChatTemplate(golden.templates[name]!, golden.tokens);
  for (const { messages, prompt, text, error } of golden.cases.filter((each) => each.template === name)) {
    const render = () => template.render(messages, { addGenerationPrompt: prompt });
    if (error === undefined) expect(render()).toBe(text);
    else expect(render).toThrow(error);
  }
});

test("variables of the caller and the date reach the template", () => {
  const qwen = new ChatTemplate(golden.templates["chatml-default-system"]!, golden.tokens);
  const messages = [{ role: "user", content: "a" }];
  expect(qwen.render(messages, { variables: { enable_thinking: false } })).toContain("<think>\n\n</think>");
  const dated = new ChatTemplate("{{ strftime_now('%d %b %Y, %-d %B') }}");
  expect(dated.render(messages, { now: new Date(2026, 1, 3) })).toBe("03 Feb 2026, 3 February");
});

test.each([
  ["an endless loop", "{% for a in range(9000) %}{% for b in range(9000) %}x{% endfor %}{% endfor %}"],
  ["a long range", "{% for a in range(999999999) %}x{% endfor %}"],
  ["a text that doubles", "{% set n = namespace(x='ab') %}{% for a in range(60) %}{% set n.x = n.x + n.x %}{% endfor %}{{ n.x }}"],
  ["a list that doubles", "{% set n = namespace(x=[1, 2]) %}{% for a in range(60) %}{% set n.x = n.x + n.x %}{% endfor %}{{ n.x }}"],
  ["a list in itself", "{% set n = namespace(x=[1]) %}{% for a in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x | tojson }}"],
  ["a macro that calls itself", "{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(1) }}"],
  [
    "long work on a long text",
    "{% set x = 'a' %}{% for a in range(22) %}{% endfor %}{% set n = namespace(x='abcdefgh') %}{% for a in range(19) %}{% set n.x = n.x + n.x %}{% endfor %}{% for a in range(9000) %}{% set y = n.x.upper() %}{% endfor %}",
  ],
  ["deep nesting", `{{ ${"[".repeat(50000)}${"]".repeat(50000)} }}`],
  ["a long template", "x".repeat(300_000)],
])("%s is cut off", (_, source) => {
  expect(() => new Template(source, { at: "m/chat_template.jinja" }).render({ messages: [] })).toThrow(/m\/chat_template\.jinja: expected/);
});

test.each([
  "{{ messages.constructor }}",
  "{{ ''.constructor.constructor('return process')() }}",
  "{{ messages.__proto__ }}",
  "{% include 'x' %}",
  "{{ self.x() }}",
])("nothing of JavaScript or of the disk is reached: %s", (source) => {
  let text = "";
  try {
    text = new Template(source, { at: "t" }).render({ messages: [{ role: "user", content: "a" }] });
  } catch (error) {
    expect(String(error)).toContain("FieldError: t: expected");
  }
  expect(text).toBe("");
});

test("a strict template tells what is missing, and keeps its newlines", () => {
  expect(() => new Template("{{ doc.answer }}", { at: "task.yaml:3 doc_to_text", strict: true }).render({ doc: {} })).toThrow(
    "task.yaml:3 doc_to_text: expected a template that can be rendered (doc.answer is undefined)",
  );
  expect(new Template("{% if a %}\n  b\n{% endif %}\n", { at: "t", strict: true }).render({ a: 1 })).toBe("\n  b\n\n");
});

test("templates are found where transformers looks", () => {
  const folder = mkdtempSync(join(tmpdir(), "perennial-chat-"));
  try {
    expect(loadChatTemplate(folder)).toBeUndefined();
    const config = (chat_template: unknown) =>
      writeFileSync(
        join(folder, "tokenizer_config.json"),
        JSON.stringify({ chat_template, bos_token: { content: "<b>" }, eos_token: null }),
      );
    config("{{ bos_token }}{{ eos_token }}one");
    expect(loadChatTemplate(folder)?.render([])).toBe("<b>one");
    config([
      { name: "default", template: "two" },
      { name: "tool_use", template: "three" },
    ]);
    expect(loadChatTemplate(folder, "tool_use")?.render([])).toBe("three");
    expect(() => loadChatTemplate(folder, "tool_used")).toThrow("did you mean tool_use?".replace("d", "D"));
    writeFileSync(join(folder, "chat_template.jinja"), "four\n");
    mkdirSync(join(folder, "additional_chat_templates"));
    writeFileSync(join(folder, "additional_chat_templates", "rag.jinja"), "five");
    expect([loadChatTemplate(folder)?.render([]), loadChatTemplate(folder, "rag")?.render([])]).toEqual(["four", "five"]);
    config([{ name: "default" }]);
    expect(() => loadChatTemplate(folder)).toThrow(/chat_template\[0\]: expected an object with name and template/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a prompt is a turn, a list is a conversation", () => {
  expect(readMessages("Kaixo")).toEqual([{ role: "user", content: "Kaixo" }]);
  expect(readMessages('[{"role": "user", "content": "a"}]')).toEqual([{ role: "user", content: "a" }]);
  expect(readMessages("[1, 2] zer da?")).toEqual([{ role: "user", content: "[1, 2] zer da?" }]);
  expect(() => readMessages('[{"role": "user"}]')).toThrow(/messages\[0\]: expected an object with role and content/);
});

test("Python's repr", () => {
  expect(pythonRepr(["a'b", "a\"b'", "\n\u00a0\u200b😀é", 1e22, 1.5, 1e-5, -0.5, {}])).toBe(
    `["a'b", 'a"b\\'', '\\n\\xa0\\u200b😀é', 10000000000000000000000, 1.5, 1e-05, -0.5, {}]`,
  );
});
