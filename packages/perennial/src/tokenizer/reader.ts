/** Reads JSON that nobody has checked: every field is asked for by name and type, and an error tells where it stands. */
import { FieldError } from "../errors.ts";

export type Json = { readonly [key: string]: unknown };

export class Reader {
  private readonly json: Json;
  /** Where this object stands, e.g. `tokenizer.json model`. */
  readonly at: string;

  constructor(value: unknown, at: string) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong(at, "an object", value);
    this.json = value as Json;
    this.at = at;
  }

  has(key: string): boolean {
    return this.json[key] !== undefined && this.json[key] !== null;
  }

  raw(key: string): unknown {
    return Object.hasOwn(this.json, key) ? this.json[key] : undefined;
  }

  where(key: string): string {
    return `${this.at}${this.at.includes(" ") ? "." : " "}${key}`;
  }

  /** The error for a field that is there but cannot be used. */
  wrong(key: string, expected: string, todo?: string): FieldError {
    return wrong(this.where(key), expected, this.raw(key), todo);
  }

  string(key: string, fallback?: string): string {
    return this.typed(key, "a string", (value) => typeof value === "string", fallback);
  }

  boolean(key: string, fallback?: boolean): boolean {
    return this.typed(key, "true or false", (value) => typeof value === "boolean", fallback);
  }

  /** A non-negative integer. */
  count(key: string, fallback?: number): number {
    return this.typed(key, "a whole number", (value) => Number.isSafeInteger(value) && (value as number) >= 0, fallback);
  }

  oneOf<Name extends string>(key: string, names: readonly Name[], fallback?: Name): Name {
    return this.typed(key, `one of ${names.join(", ")}`, (value) => names.includes(value as Name), fallback);
  }

  object(key: string): Reader {
    return new Reader(this.raw(key), this.where(key));
  }

  array(key: string): unknown[] {
    return this.typed<unknown[]>(key, "a list", Array.isArray, undefined);
  }

  objects(key: string): Reader[] {
    return this.array(key).map((value, i) => new Reader(value, `${this.where(key)}[${i}]`));
  }

  private typed<T>(key: string, expected: string, test: (value: unknown) => boolean, fallback: T | undefined): T {
    const value = this.raw(key);
    if ((value === undefined || value === null) && fallback !== undefined) return fallback;
    if (!test(value)) throw this.wrong(key, expected);
    return value as T;
  }
}

function wrong(at: string, expected: string, received: unknown, todo?: string): FieldError {
  return new FieldError("TOKENIZER_FIELD", { at, expected, received: received ?? null, ...(todo === undefined ? {} : { todo }) });
}
