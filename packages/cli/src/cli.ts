/** From arguments to an exit code: 0 done, 1 it went wrong, 2 it was called wrongly, 3 done but for inputs that were set aside, 130 Ctrl-C. Errors are one line each; PERENNIAL_DEBUG shows the stack. */
import { Command, CommanderError } from "commander";
import { nearest } from "perennial";
import type { Effects } from "./effects.ts";
import { INCOMPLETE, INTERRUPTED, Incomplete, Interrupted } from "./verb.ts";
import { verbs } from "./verbs.ts";

export async function main(args: readonly string[], effects: Effects): Promise<number> {
  try {
    const program = await commandFor(args, effects);
    await program.parseAsync([...args], { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof Interrupted) return INTERRUPTED;
    effects.err(`${message(error, effects)}\n`);
    if (error instanceof Incomplete) return INCOMPLETE;
    return error instanceof UsageError ? 2 : 1;
  }
}

class UsageError extends Error {}

async function commandFor(args: readonly string[], effects: Effects): Promise<Command> {
  const program = new Command("perennial")
    .description("Keeps language models growing: teach a model the new without losing the old, and prove both.")
    .version("0.1.0")
    .exitOverride()
    .showHelpAfterError("(--help tells more)")
    .configureOutput({
      writeOut: effects.out,
      writeErr: effects.err,
      getOutHelpWidth: () => effects.columns,
      getErrHelpWidth: () => effects.columns,
      outputError: (text, write) => write(text.replace(/^error: /, "perennial: ")),
    });
  const chosen = args.find((argument) => !argument.startsWith("-"));
  // Only the chosen verb is loaded: help answers at once however many there are.
  for (const { name, summary, load } of verbs) {
    const command = program.command(name).description(summary).copyInheritedSettings(program);
    if (name === chosen || (chosen === "help" && args[1] === name)) (await load()).default(command, effects);
  }
  if (chosen !== undefined && chosen !== "help" && !verbs.some(({ name }) => name === chosen)) {
    const near = nearest(
      chosen,
      verbs.map(({ name }) => name),
    );
    throw new UsageError(
      `perennial: there is no command ${chosen}.${near === undefined ? " --help lists them." : ` Did you mean ${near}?`}`,
    );
  }
  if (args.length === 0) program.help();
  return program;
}

function message(error: unknown, { env }: Effects): string {
  if (!(error instanceof Error)) return `perennial: ${String(error)}`;
  if ((env.PERENNIAL_DEBUG ?? "") !== "") return error.stack ?? error.message;
  return error.message.startsWith("perennial:") ? error.message : error.message.replace(/^/gm, "perennial: ");
}
