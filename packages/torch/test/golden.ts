/** Golden values written by tools/golden/torch*.py: tensors, scalars and lists as JSON, and how close to them a result must be. */
import { readFileSync } from "node:fs";
import { type Dtype, describeLibrary, float, isComplexDtype, isFloatingPoint, Tensor, tensor, torch } from "../src/index.ts";

/** Whether the libtorch in use is the one that the golden values and the generated functions come from. */
export const isPinned =
  /libtorch (\S+);/.exec(readFileSync(new URL("../src/generated/functions.ts", import.meta.url), "utf8"))![1] === describeLibrary().version;

export interface GoldenTensor {
  /** dtype */
  t: Dtype;
  /** shape */
  s: number[];
  /** Elements; complex numbers as pairs; "nan", "inf" and "-inf" as text. */
  d: (number | string)[];
  /** 1: asks for a gradient. */
  g?: 1;
}
export type Golden = GoldenTensor | { f: number | string } | { c: [number, number] } | number | boolean | string | null | Golden[];

export const readGolden = <T>(name: string): T => JSON.parse(readFileSync(new URL(`../golden/${name}.json`, import.meta.url), "utf8")) as T;

export const numberOf = (value: number | string): number =>
  value === "nan" ? Number.NaN : value === "inf" ? Number.POSITIVE_INFINITY : value === "-inf" ? Number.NEGATIVE_INFINITY : Number(value);

const isGoldenTensor = (value: Golden): value is GoldenTensor => typeof value === "object" && value !== null && "t" in value;

/** The value that an operator is called with. */
export function decode(value: Golden): unknown {
  if (Array.isArray(value)) return value.map(decode);
  if (typeof value !== "object" || value === null) return value;
  if ("f" in value) return float(numberOf(value.f));
  if ("c" in value) return { re: value.c[0], im: value.c[1] };
  return decodeTensor(value);
}

export function decodeTensor({ t, s, d, g }: GoldenTensor): Tensor {
  const numbers = d.map(numberOf);
  let made: Tensor;
  if (isComplexDtype(t)) made = torch.viewAsComplex(tensor(new Float64Array(numbers), { shape: [...s, 2] })).to(t);
  else if (isFloatingPoint(t)) made = tensor(new Float64Array(numbers), { shape: s }).to(t);
  else made = tensor(new BigInt64Array(numbers.map(BigInt)), { shape: s }).to(t);
  return g === 1 ? made.requiresGrad_() : made;
}

export interface Closeness {
  relative?: number;
  absolute?: number;
  /** Compare absolute values: eigenvectors are only known up to their sign. */
  signs?: boolean;
}

/** The first difference between a result and its golden value, as text, or undefined. */
export function difference(actual: unknown, expected: Golden, closeness: Closeness, place = "result"): string | undefined {
  if (isGoldenTensor(expected)) {
    if (!(actual instanceof Tensor)) return `${place}: expected a tensor, received ${String(actual)}`;
    const { dtype, shape } = actual;
    if (dtype !== expected.t) return `${place}: dtype ${dtype}, expected ${expected.t}`;
    if (shape.join() !== expected.s.join()) return `${place}: shape [${shape.join()}], expected [${expected.s.join()}]`;
    return numbersOf(actual, dtype)
      .map((value, i) => differs(value, numberOf(expected.d[i]!), closeness, `${place}[${i}]`))
      .find((text) => text !== undefined);
  }
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length)
      return `${place}: expected ${expected.length} values, received ${String(actual)}`;
    return expected.map((item, i) => difference(actual[i], item, closeness, `${place}.${i}`)).find((text) => text !== undefined);
  }
  if (typeof expected === "object" && expected !== null && "f" in expected)
    return differs(Number(actual), numberOf(expected.f), closeness, place);
  return Object.is(actual, expected) ? undefined : `${place}: ${String(actual)}, expected ${String(expected)}`;
}

function numbersOf(value: Tensor, dtype: Dtype): number[] {
  const plain = value.detach();
  const wide = isComplexDtype(dtype) ? torch.viewAsReal(torch.resolveConj(plain.to("complex128"))) : plain.to("float64");
  return Array.from(wide.toTypedArray() as Float64Array);
}

function differs(actual: number, expected: number, { relative = 0, absolute = 0, signs }: Closeness, place: string): string | undefined {
  const [a, b] = signs === true ? [Math.abs(actual), Math.abs(expected)] : [actual, expected];
  if (Object.is(a, b) || a === b || Math.abs(a - b) <= absolute + relative * Math.abs(b)) return undefined;
  return `${place}: ${actual}, expected ${expected}`;
}

/** Every tensor in a value, depth first. */
export function tensorsIn(value: unknown): Tensor[] {
  if (value instanceof Tensor) return [value];
  return Array.isArray(value) ? value.flatMap(tensorsIn) : [];
}

/** sin(0.7 i + phase) in the given shape: numbers that both languages make for themselves. */
export function wave(shape: readonly number[], phase: number): Tensor {
  const numel = shape.reduce((product, size) => product * size, 1);
  return tensor(
    new Float64Array(numel).map((_, i) => Math.sin(0.7 * i + phase)),
    { shape },
  ).to("float32");
}
