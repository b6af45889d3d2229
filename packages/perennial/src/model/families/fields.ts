import { FieldError } from "../../errors.ts";
import type { HuggingFaceConfig } from "../config.ts";

/** A family's own names of common fields: `{ hidden_size: "n_embd" }`. Files may use either. */
export type Aliases = Readonly<Record<string, string>>;

/** Typed reading of `config.json`; errors name the file and the field. */
export class Fields {
  readonly raw: HuggingFaceConfig;
  readonly at: string;
  private readonly aliases: Aliases;
  private readonly assumed: HuggingFaceConfig;

  constructor(raw: HuggingFaceConfig, at: string, aliases: Aliases = {}, assumed: HuggingFaceConfig = {}) {
    this.raw = raw;
    this.at = at;
    this.aliases = aliases;
    this.assumed = assumed;
  }

  /** The same file, with values for fields on which it is silent. */
  assuming(values: HuggingFaceConfig): Fields {
    return new Fields(this.raw, this.at, this.aliases, { ...this.assumed, ...values });
  }

  value(name: string): unknown {
    const alias = this.aliases[name];
    return (alias === undefined ? undefined : this.raw[alias]) ?? this.raw[name] ?? this.assumed[name];
  }

  number(name: string, fallback?: number): number {
    const value = this.value(name) ?? fallback;
    if (typeof value !== "number" || !Number.isFinite(value)) throw this.error(name, "a number");
    return value;
  }

  /** Absent and null are the same. */
  optionalNumber(name: string): number | null {
    return (this.value(name) ?? null) === null ? null : this.number(name);
  }

  flag(name: string, fallback: boolean): boolean {
    const value = this.value(name) ?? fallback;
    if (typeof value !== "boolean") throw this.error(name, "true or false");
    return value;
  }

  /** One of the keys of `choices`, and what it stands for. */
  choice<T>(name: string, choices: Readonly<Record<string, T>>, fallback: string): T {
    const value = this.value(name) ?? fallback;
    const chosen = typeof value === "string" ? choices[value] : undefined;
    if (chosen === undefined) throw this.error(name, `one of ${Object.keys(choices).join(", ")}`);
    return chosen;
  }

  /** Refuses a switch whose other position this decoder does not compute. */
  require(name: string, expected: unknown): void {
    const value = this.value(name);
    if (value !== undefined && value !== null && value !== expected) throw this.error(name, JSON.stringify(expected));
  }

  error(name: string, expected: string): FieldError {
    return new FieldError("MODEL_CONFIG", {
      at: `${this.at} ${this.aliases[name] ?? name}`,
      expected,
      received: this.value(name) ?? null,
    });
  }
}

/** Common names → the family's, or those that the file already has. */
export function renamed(fields: Readonly<Record<string, unknown>>, aliases: Aliases, raw: HuggingFaceConfig): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => {
      const names = [aliases[name] ?? name, name].filter((key) => raw[key] !== undefined);
      return (names.length === 0 ? [aliases[name] ?? name] : names).map((key) => [key, value]);
    }),
  );
}
