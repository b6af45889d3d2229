/** `perennial evaluate --tasks` as a user calls it, on the tiny model and the tasks of the library's tests. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { main } from "./cli.ts";
import { memoryEffects } from "./testing/memory-effects.ts";

const golden = fileURLToPath(new URL("../../perennial/src/evaluate/tasks/golden/", import.meta.url));
const [model, tasks] = [join(golden, "model"), join(golden, "tasks")];
const base = fileURLToPath(new URL("../../../examples/quickstart/base", import.meta.url));
let cwd: string;
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), "perennial-evaluate-"));
  cpSync(model, join(cwd, "chat"), { recursive: true });
  writeFileSync(
    join(cwd, "chat/chat_template.jinja"),
    "{% for message in messages %}[{{ message.role }}] {{ message.content }}\n{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}",
  );
});
afterAll(() => rmSync(cwd, { recursive: true }));

async function evaluate(...args: string[]) {
  const effects = memoryEffects({ cwd });
  const code = await main(["evaluate", ...args], effects);
  return { code, out: effects.stdout, err: effects.stderr };
}
const quick = ["--limit", "3", "--bootstrap", "0"];

test("a GGUF file scores as the folder that it was made from", async () => {
  const effects = memoryEffects({ cwd });
  expect(await main(["export", base, "base.gguf", "--format", "gguf", "--type", "f32"], effects), effects.stderr).toBe(0);
  const scores = async (path: string) => {
    const { code, out, err } = await evaluate(path, "--tasks", tasks, "--task", "choice", "answer", ...quick, "--json");
    expect(code, err).toBe(0);
    return (JSON.parse(out) as { results: Record<string, Record<string, unknown>> }).results;
  };
  const [folder, file] = [await scores(base), await scores("base.gguf")];
  for (const [task, metrics] of Object.entries(folder))
    for (const [name, value] of Object.entries(metrics))
      if (typeof value === "number") expect(file[task]![name], `${task} ${name}`).toBeCloseTo(value, 5);
      else expect(file[task]![name]).toBe(value);
});

test("with a chat template: the items show what was asked, the results how", async () => {
  const chat = ["--apply-chat-template", "--system-instruction", "Be brief.", "--num-fewshot", "1", "--no-fewshot-as-multiturn"];
  const { code, err } = await evaluate("chat", "--tasks", tasks, "--task", "answer", ...quick, ...chat, "--output", "results", "--samples");
  expect(code, err).toBe(0);
  const files = (readdirSync(join(cwd, "results"), { recursive: true }) as string[]).map((file) => join(cwd, "results", file));
  const results = JSON.parse(readFileSync(files.find((file) => /results_.*\.json$/.test(file))!, "utf8"));
  expect(results).toMatchObject({ fewshot_as_multiturn: false, system_instruction: "Be brief.", chat_template: /^\{% for message/ });
  const [first] = readFileSync(files.find((file) => /samples_answer_.*\.jsonl$/.test(file))!, "utf8").split("\n");
  const prompt = JSON.parse(first!).arguments.gen_args_0.arg_0 as string;
  expect(prompt).toMatch(/^\[system\] Be brief\.\n\[user\] [^[]+\n\nOpen context menu[^[]+Copy the first word:\n\[assistant\]$/);
});

test("two models in pairs; the same model twice differs nowhere", async () => {
  const { code, out } = await evaluate(model, "--against", "chat", "--tasks", tasks, "--task", "choice", "--limit", "5", "--json");
  expect(code).toBe(0);
  const { comparison } = JSON.parse(out) as { comparison: { metric: string; difference: number }[] };
  expect(comparison.length).toBeGreaterThan(0);
  for (const { difference } of comparison) expect(difference).toBe(0);
});

test.each([
  [
    [model, "--tasks", tasks, "--apply-chat-template"],
    /^perennial: --apply-chat-template: expected a model with a chat template: .* has none/,
  ],
  [["chat", "--tasks", tasks, "--apply-chat-template", "other"], /chat template: expected one of default, received "other"/],
  [[model, "--tasks", "nowhere"], /nowhere/],
  [[model, "--tasks", tasks, "--task", "choise"], /Did you mean choice\?/],
  [[model, "--tasks", tasks, "--samples"], /--samples: expected --output FOLDER/],
  [["nowhere", "--tasks", tasks], /nowhere/],
])("evaluate %j is one line", async (args, expected) => {
  const { code, err } = await evaluate(...(args as string[]));
  expect(code).toBe(1);
  expect(err.trimEnd()).toMatch(expected);
  expect(err.trimEnd().split("\n")).toHaveLength(1);
});
