/**
 * Operators by name. A name is looked up in the dispatcher when it is first used; which overload is meant follows
 * from the kinds of the arguments, and the choice is remembered for each combination of kinds.
 */
import { boundOf } from "./bounded-operators.ts";
import { beginCall, Generator, invoke, put, results } from "./call.ts";
import { FloatScalar, isDtype } from "./dtype.ts";
import { TorchError } from "./errors.ts";
import { native } from "./native.ts";
import { type Argument, camelCase, canPass, parseSchema, type Schema, unreachableArgument } from "./schema.ts";
import { Tensor } from "./tensor.ts";
import { unsafeOperators } from "./unsafe-operators.ts";

/** How a call's values go into an overload's arguments: for each argument the place it is taken from. */
interface Plan {
  readonly schema: Schema;
  readonly operator: number;
  /** Per argument: index of a positional value, the name of an option, or −1 for the default. */
  readonly from: readonly (number | string)[];
  /** Where the operator writes: what it returns in TypeScript. */
  readonly written: readonly number[];
}

// Kinds of values, one octal-and-a-half digit each in a plan's key.
const kinds = {
  undefined: 0,
  null: 1,
  tensor: 2,
  integer: 3,
  number: 4,
  boolean: 5,
  string: 6,
  numbers: 7,
  tensors: 8,
  list: 9,
  bigint: 10,
  generator: 11,
  complex: 12,
  empty: 13,
  dtype: 14,
  integers: 15,
} as const;
type Kind = (typeof kinds)[keyof typeof kinds];

function kindOf(value: unknown): Kind {
  switch (typeof value) {
    case "number":
      return Number.isInteger(value) ? kinds.integer : kinds.number;
    case "undefined":
      return kinds.undefined;
    case "boolean":
      return kinds.boolean;
    case "string":
      return isDtype(value) ? kinds.dtype : kinds.string;
    case "bigint":
      return kinds.bigint;
    case "object": {
      if (value === null) return kinds.null;
      if (value instanceof Tensor) return kinds.tensor;
      if (Array.isArray(value)) return kindOfList(value);
      if (value instanceof FloatScalar) return kinds.number;
      if (value instanceof Generator) return kinds.generator;
      if (ArrayBuffer.isView(value)) return kinds.numbers;
      return kinds.complex;
    }
    default:
      throw new TypeError(`a ${typeof value} cannot be passed to libtorch`);
  }
}

function kindOfList(list: readonly unknown[]): Kind {
  if (list.length === 0) return kinds.empty;
  let kind: Kind = kinds.list;
  const first = list[0];
  if (first instanceof Tensor) kind = kinds.tensors;
  else if (typeof first === "number") kind = list.every(Number.isInteger) ? kinds.integers : kinds.numbers;
  return kind;
}

/** Whether a value of this kind may be passed for a schema type. */
function accepts(type: string, kind: Kind): boolean {
  if (type.endsWith("?")) return kind === kinds.null || kind === kinds.undefined || accepts(type.slice(0, -1), kind);
  const list = /^(.*)\[(\d*)\]$/.exec(type);
  if (list !== null) {
    // An empty list fits every element type, but not those that no list from here can have, as Dimname.
    if (!canPass(type)) return false;
    const element = list[1]!;
    // One value stands for a list of a length that the schema gives: dim: 1 for int[1], [2, 2] from 2 for int[2].
    const isNumeric = element === "int" || element === "SymInt" || element === "float" || element === "Scalar";
    if (list[2] !== "" && isNumeric && (kind === kinds.integer || kind === kinds.bigint)) return true;
    if (list[2] !== "" && ((kind === kinds.number && element === "float") || (kind === kinds.boolean && element === "bool"))) return true;
    if (kind === kinds.empty || kind === kinds.list) return true;
    if (kind === kinds.tensors) return element === "Tensor" || element === "Tensor?";
    if (kind === kinds.integers) return element === "int" || element === "SymInt" || element === "float" || element === "Scalar";
    if (kind === kinds.numbers) return element === "float" || element === "Scalar" || element === "int" || element === "SymInt";
    return kind === kinds.tensor && element === "Tensor";
  }
  switch (type) {
    case "Tensor":
      return kind === kinds.tensor;
    case "int":
    case "SymInt":
      return kind === kinds.integer || kind === kinds.bigint;
    case "float":
      return kind === kinds.number || kind === kinds.integer || kind === kinds.bigint;
    case "Scalar":
      return kind === kinds.number || kind === kinds.integer || kind === kinds.bigint || kind === kinds.boolean || kind === kinds.complex;
    case "bool":
    case "SymBool":
      return kind === kinds.boolean;
    case "complex":
      return kind === kinds.complex || kind === kinds.number || kind === kinds.integer;
    case "ScalarType":
      return kind === kinds.dtype;
    case "str":
    case "Device":
    case "Layout":
    case "MemoryFormat":
      return kind === kinds.string || (kind === kinds.dtype && type === "str");
    case "Generator":
      return kind === kinds.generator;
    case "Storage":
      return kind === kinds.tensor;
    default:
      return false;
  }
}

export type Options = Readonly<Record<string, unknown>>;

const isOptions = (value: unknown): value is Options =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype && !("re" in value && "im" in value);

/** One name with all its overloads. */
export class Operator {
  readonly name: string;
  private schemas: readonly Schema[] | undefined;
  private readonly plans = new Map<number, Plan>();
  private readonly plansWithOptions = new Map<string, Plan>();
  private readonly bound;

  /** `name` with its namespace, e.g. `aten::add`. */
  constructor(name: string) {
    this.name = name;
    this.bound = boundOf(name);
  }

  /** Overloads, the plainest first. */
  get overloads(): readonly Schema[] {
    this.schemas ??= native
      .overloads(this.name)
      .map(parseSchema)
      .sort((a, b) => rank(a) - rank(b) || (a.overload < b.overload ? -1 : 1));
    return this.schemas;
  }

  /** Calls the overload that fits. `self`, where given, goes to the argument of that name. */
  call(self: Tensor | undefined, values: readonly unknown[]): unknown {
    let count = values.length;
    let options: Options | undefined;
    const last = values[count - 1];
    if (isOptions(last)) {
      options = last;
      count--;
    }
    // −0 and beyond: two kinds of receiver, then a digit for each value.
    let key = self === undefined ? 1 : 2;
    for (let i = 0; i < count; i++) key = key * 16 + kindOf(values[i]);
    let plan: Plan | undefined;
    if (options === undefined && count <= 12) {
      plan = this.plans.get(key);
      if (plan === undefined) {
        plan = this.plan(self, values.slice(0, count), {});
        this.plans.set(key, plan);
      }
    } else {
      let text = `${key}`;
      for (const name in options) text += `,${name}:${kindOf(options[name])}`;
      plan = count <= 12 ? this.plansWithOptions.get(text) : undefined;
      if (plan === undefined) {
        plan = this.plan(self, values.slice(0, count), options ?? {});
        if (count <= 12) this.plansWithOptions.set(text, plan);
      }
    }
    const { from } = plan;
    if (this.bound !== undefined) {
      const excess = this.bound((i) => {
        const source = from[i]!;
        return source === SELF ? self : typeof source === "string" ? options![source] : source >= 0 ? values[source] : undefined;
      }, plan.schema);
      if (excess !== undefined) throw new TorchError(`${this.name}: ${excess}`, this.name);
    }
    beginCall(plan.operator, from.length);
    for (let i = 0; i < from.length; i++) {
      const source = from[i]!;
      if (source === SELF) put(self);
      else if (typeof source === "string") put(options![source]);
      else if (source >= 0) put(values[source]);
      else put(undefined);
    }
    const resultCount = invoke();
    if (plan.written.length === 0) return results(resultCount);
    const targets = plan.written.map((i) => {
      const source = from[i]!;
      return source === SELF ? self : typeof source === "string" ? options![source] : values[source];
    });
    return targets.length === 1 ? targets[0] : targets;
  }

  private plan(self: Tensor | undefined, values: readonly unknown[], options: Options): Plan {
    if (this.overloads.length === 0) {
      throw new TorchError(`libtorch ${native.describeLibrary().version} has no operator ${this.name}`, this.name);
    }
    const unsafe = unsafeOperators[this.name];
    if (unsafe !== undefined) throw new TorchError(`${this.name} ${unsafe}`, this.name);
    let best: { schema: Schema; from: (number | string)[]; defaults: number } | undefined;
    for (const schema of this.overloads) {
      const fit = fits(schema, self, values, options);
      if (fit !== undefined && (best === undefined || fit.defaults < best.defaults)) best = { schema, ...fit };
    }
    if (best === undefined) throw this.noOverload(self, values, options);
    const operator = native.operatorIndex(best.schema.name, best.schema.overload);
    const written = onlyWrites(best.schema) ? best.schema.arguments.flatMap((a, i) => (a.written ? [i] : [])) : [];
    return { schema: best.schema, operator, from: best.from, written };
  }

  private noOverload(self: Tensor | undefined, values: readonly unknown[], options: Options): TorchError {
    const all = self === undefined ? values : [self, ...values];
    const given = [...all.map(shown), ...Object.entries(options).map(([name, value]) => `${name}: ${shown(value)}`)].join(", ");
    const known = new Set(this.overloads.flatMap((schema) => schema.arguments.map((argument) => argument.option)));
    const unknown = Object.keys(options).filter((name) => !known.has(name));
    const hint = unknown.length > 0 ? `\n  no overload has an argument ${unknown.join(", ")}` : "";
    const blocked = this.overloads.map(unreachableArgument);
    if (blocked.every((argument) => argument !== undefined)) {
      const [{ name, type }] = blocked as [Argument];
      return new TorchError(
        `${this.name} cannot be called from TypeScript: its argument ${name} is of type ${type}, which has no counterpart here`,
        this.name,
      );
    }
    return new TorchError(
      `${this.name}: no overload takes (${given})${hint}\n${this.overloads.map((schema) => `  ${schema.text}`).join("\n")}`,
      this.name,
    );
  }
}

const SELF = "\0self";

// Plain overloads before those that write into `out`, Tensor before Scalar, and the base overload first. Those of named
// dimensions, which newer versions have no more, come last: an empty list would fit them as well.
function rank(schema: Schema): number {
  const out = schema.arguments.some((argument) => argument.written && argument.keywordOnly);
  const named = schema.overload.includes("Dimname") || schema.overload.includes("dimname");
  return (out ? 100 : 0) + (named ? 50 : 0) + (schema.overload === "" ? 0 : schema.overload.startsWith("Tensor") ? 1 : 2);
}

const onlyWrites = (schema: Schema) => {
  const arrow = schema.text.lastIndexOf("->");
  const results = schema.text.slice(arrow + 2);
  return schema.returns.length === 0 || (results.match(/!/g)?.length ?? 0) >= schema.returns.length;
};

function fits(
  schema: Schema,
  self: Tensor | undefined,
  values: readonly unknown[],
  options: Options,
): { from: (number | string)[]; defaults: number } | undefined {
  const from: (number | string)[] = [];
  let position = 0;
  let named = 0;
  let defaults = 0;
  let selfUsed = self === undefined;
  const selfName = schema.arguments.some((argument) => argument.name === "self") ? "self" : schema.arguments[0]?.name;
  for (const argument of schema.arguments) {
    if (!selfUsed && argument.name === selfName) {
      if (!accepts(argument.type, kinds.tensor)) return undefined;
      from.push(SELF);
      selfUsed = true;
    } else if (Object.hasOwn(options, argument.option) && options[argument.option] !== undefined) {
      if (!accepts(argument.type, kindOf(options[argument.option]))) return undefined;
      from.push(argument.option);
      named++;
    } else if (!argument.keywordOnly && position < values.length) {
      if (!acceptsValue(argument, values[position])) return undefined;
      from.push(position++);
    } else if (argument.hasDefault || argument.type.endsWith("?")) {
      from.push(-1);
      defaults++;
    } else {
      return undefined;
    }
  }
  const given = Object.values(options).filter((value) => value !== undefined).length;
  return selfUsed && position === values.length && named === given ? { from, defaults } : undefined;
}

const acceptsValue = (argument: Argument, value: unknown) =>
  (value === undefined && argument.hasDefault) || accepts(argument.type, kindOf(value));

function shown(value: unknown): string {
  if (value instanceof Tensor) return value.isDisposed ? "a disposed Tensor" : "Tensor";
  if (Array.isArray(value)) return `[${value.slice(0, 4).map(shown).join(", ")}${value.length > 4 ? ", …" : ""}]`;
  if (value instanceof Generator) return "Generator";
  return typeof value === "bigint" ? `${value}n` : typeof value === "string" ? JSON.stringify(value) : String(value);
}

const operators = new Map<string, Operator>();

/** The operator of that name, with its namespace: `operator("aten::_softmax")`. */
export function operator(name: string): Operator {
  let found = operators.get(name);
  if (found === undefined) {
    found = new Operator(name);
    operators.set(name, found);
  }
  return found;
}

/** Calls any operator of the dispatcher: `call("aten::addmm", [bias, a, b], { beta: 0.5 })`. */
export function callOperator(name: string, values: readonly unknown[], options?: Options): unknown {
  return operator(name).call(undefined, options === undefined ? values : [...values, options]);
}

export { camelCase };
