/** Starts real processes on loopback for the tests. */
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";

export interface Ended {
  readonly rank: number;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
  readonly seconds: number;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

/** Runs a script of this folder once per entry of `places`, which are added to the usual variables. */
export async function runProcesses(
  script: string,
  size: number,
  args: readonly string[],
  variables: (rank: number) => NodeJS.ProcessEnv = () => ({}),
) {
  const port = await freePort();
  const start = performance.now();
  const run = (rank: number) =>
    new Promise<Ended>((done) => {
      const child = spawn(
        process.execPath,
        ["--conditions", "source", "--import", "tsx", fileURLToPath(new URL(script, import.meta.url)), ...args],
        {
          env: {
            ...process.env,
            NODE_OPTIONS: "",
            OMP_NUM_THREADS: "1",
            MASTER_ADDR: "127.0.0.1",
            MASTER_PORT: String(port),
            WORLD_SIZE: String(size),
            RANK: String(rank),
            ...variables(rank),
          },
        },
      );
      let output = "";
      child.stdout.on("data", (chunk: Buffer) => (output += chunk));
      child.stderr.on("data", (chunk: Buffer) => (output += chunk));
      // Some versions of Gloo greet on standard output.
      const said = () => output.replace(/^\[Gloo\] .*\n/gm, "");
      child.on("close", (code, signal) => done({ rank, code, signal, output: said(), seconds: (performance.now() - start) / 1000 }));
    });
  return Promise.all(Array.from({ length: size }, (_, rank) => run(rank)));
}
