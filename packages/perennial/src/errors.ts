/** What every error of the library carries: a stable `code` for programs and one sentence for people. */
export class PerennialError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

export interface FieldErrorData {
  /** Where: file, line and field, as far as they are known, e.g. `recipe.yaml:14 mixture.sources[1].share`. */
  at: string;
  /** What would have been accepted, e.g. `a number from 0 to 1`. */
  expected: string;
  /** What was found. Shown as JSON, shortened. */
  received?: unknown;
  /** The next step for the reader, e.g. `write 0.25 for a quarter of the tokens`. */
  todo?: string;
}

/** A value that cannot be used: says where it stands, what was expected, what was received and what to do. */
export class FieldError extends PerennialError {
  readonly data: Readonly<FieldErrorData>;

  constructor(code: string, data: FieldErrorData, options?: ErrorOptions) {
    super(code, sentence(data), options);
    this.data = data;
  }
}

function sentence({ at, expected, received, todo }: FieldErrorData): string {
  const found = received === undefined ? "" : `, received ${shown(received)}`;
  const next = todo === undefined ? "" : ` ${todo.charAt(0).toUpperCase()}${todo.slice(1)}${/[.!?]$/.test(todo) ? "" : "."}`;
  return `${at}: expected ${expected}${found}.${next}`;
}

const MAX_SHOWN_CHARACTERS = 120;

/** A value in an error message: JSON where possible, never longer than a line. */
export function shown(value: unknown): string {
  let text: string;
  try {
    text = typeof value === "bigint" ? `${value}n` : (JSON.stringify(value) ?? String(value));
  } catch {
    text = String(value);
  }
  return text.length <= MAX_SHOWN_CHARACTERS ? text : `${text.slice(0, MAX_SHOWN_CHARACTERS - 1)}…`;
}

/** The known name nearest to `name` by edit distance, or undefined when none is near enough to be a plausible slip. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(previous[j]! + 1, current[j - 1]! + 1, substitution));
    }
    previous = current;
  }
  return previous[b.length]!;
}
