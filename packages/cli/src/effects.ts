/** All that the command touches, handed in, so that a test can watch it. */
export interface Effects {
  cwd: string;
  env: Readonly<Record<string, string | undefined>>;
  /** Both write text as it is; a line ends with its own newline. */
  out: (text: string) => void;
  err: (text: string) => void;
  /** Milliseconds since 1970. */
  now: () => number;
  /** Of standard error, where live status goes. */
  isTTY: boolean;
  /** Of standard output: whether a person reads it in color. */
  color: boolean;
  columns: number;
}

export function processEffects(): Effects {
  const { stdout, stderr, env } = process;
  return {
    cwd: process.cwd(),
    env,
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    now: Date.now,
    isTTY: stderr.isTTY === true,
    // https://no-color.org: any value that is not empty.
    color: stdout.isTTY === true && (env.NO_COLOR ?? "") === "",
    columns: stdout.columns ?? 100,
  };
}
