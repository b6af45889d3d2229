/** Typed reading of a file's metadata; errors name the file and the key. */
import { FieldError } from "../errors.ts";
import type { GgufHeader } from "./header.ts";
import type { MetadataValue } from "./values.ts";

export class Keys {
  readonly path: string;
  private readonly header: Pick<GgufHeader, "path" | "metadata">;

  constructor(header: Pick<GgufHeader, "path" | "metadata">) {
    this.header = header;
    this.path = header.path;
  }

  has(key: string): boolean {
    return this.header.metadata.has(key);
  }

  value(key: string): MetadataValue | undefined {
    return this.header.metadata.get(key);
  }

  /** A finite number; single precision as the shortest decimal number that means the same. */
  number(key: string, fallback?: number): number {
    const value = this.value(key) ?? fallback;
    if (typeof value !== "number" || !Number.isFinite(value)) throw this.wrong(key, "a number");
    return shortest(value);
  }

  optionalNumber(key: string): number | undefined {
    return this.has(key) ? this.number(key) : undefined;
  }

  flag(key: string, fallback: boolean): boolean {
    const value = this.value(key) ?? fallback;
    if (typeof value !== "boolean") throw this.wrong(key, "true or false");
    return value;
  }

  string(key: string, fallback?: string): string {
    const value = this.value(key) ?? fallback;
    if (typeof value !== "string") throw this.wrong(key, "a text");
    return value;
  }

  strings(key: string): readonly string[] {
    const value = this.value(key);
    // An empty array says nothing of its type.
    if (!Array.isArray(value) || (value.length > 0 && typeof value[0] !== "string")) throw this.wrong(key, "a list of texts");
    return value as readonly string[];
  }

  /** A list of `count` numbers, or undefined where there is none. */
  numbers(key: string, count: number): number[] | undefined {
    const value = this.value(key);
    if (value === undefined) return undefined;
    if (!ArrayBuffer.isView(value) || value.length !== count) throw this.wrong(key, `a list of ${count} numbers`);
    return Array.from(value as ArrayLike<number | bigint>, Number);
  }

  wrong(key: string, expected: string, todo?: string): FieldError {
    const value = this.value(key);
    return new FieldError("GGUF_METADATA", {
      at: `${this.path} ${key}`,
      expected,
      received: ArrayBuffer.isView(value)
        ? `${value.length} numbers`
        : Array.isArray(value)
          ? `a list of ${value.length}`
          : (value ?? null),
      ...(todo === undefined ? {} : { todo }),
    });
  }
}

/** 0.00001 for 9.999999747378752e-6: the shortest decimal number of the same single precision. Others stay. */
export function shortest(value: number): number {
  if (Number.isInteger(value) || Math.fround(value) !== value) return value;
  for (let digits = 1; digits < 9; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === value) return rounded;
  }
  return value;
}
