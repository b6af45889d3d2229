/** What a field may hold; `expected` says it in words. */
export interface FieldCheck {
  (value: unknown): boolean;
  readonly expected?: string;
}
export type FieldChecks = Readonly<Record<string, FieldCheck>>;

const check = (holds: (value: unknown) => boolean, expected: string): FieldCheck =>
  Object.assign((value: unknown) => holds(value), { expected });

export const text = check((value) => typeof value === "string", "a text");
export const whole = check((value) => Number.isSafeInteger(value) && (value as number) >= 0, "a whole number");
export const flag = check((value) => typeof value === "boolean", "true or false");
export const textOrNumber = check((value) => typeof value === "string" || typeof value === "number", "a text or a number");
export const record = check((value) => typeof value === "object" && value !== null && !Array.isArray(value), "a map of fields");
export const oneOf = (names: readonly string[]): FieldCheck =>
  check((value) => names.includes(value as string), `one of ${names.join(", ")}`);
export const listOf = (item: FieldCheck): FieldCheck =>
  check((value) => Array.isArray(value) && value.every((inner) => item(inner)), `a list, each ${item.expected}`);
