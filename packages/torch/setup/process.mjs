import { spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * @typedef {object} Finished
 * @property {number | null} status exit status; null when a signal ended the program or it could not start
 * @property {string} stdout
 * @property {string} stderr also holds the reason when the program could not start
 */

/**
 * Runs a program without a shell and waits for it, while timers (the lock's heartbeat) go on.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ cwd?: string, show?: boolean, env?: NodeJS.ProcessEnv }} [options] `show` hands stdout to the terminal instead of collecting it
 * @returns {Promise<Finished>}
 */
export function run(program, args, { cwd, show = false, env = process.env } = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd, env, stdio: ["ignore", show ? "inherit" : "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout?.setEncoding("utf8").on("data", (text) => (stdout += text));
    child.stderr?.setEncoding("utf8").on("data", (text) => (stderr += text));
    child.on("error", (error) => resolve({ status: null, stdout, stderr: `${stderr}${error.message}` }));
    child.on("close", (status) => resolve({ status, stdout, stderr }));
  });
}

/**
 * The full path of a program on PATH, or undefined.
 * @param {string} program
 */
export function which(program) {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const path = join(folder, program);
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return path;
    } catch {
      // not in this folder
    }
  }
  return undefined;
}

/**
 * The last lines of a program's output, for an error message.
 * @param {Finished} finished
 * @param {number} [lines]
 */
export function tail({ stdout, stderr }, lines = 8) {
  return (stderr.trim() || stdout.trim()).split("\n").slice(-lines).join("\n");
}
