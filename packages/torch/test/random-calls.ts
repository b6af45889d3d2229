/**
 * Calls operators with arguments that were never meant for them, in a process of its own: a crash there is a failed test
 * here. Run: node --import tsx random-calls.ts SEED CALLS LOG [SKIP]. Before each call its text is written to LOG.
 */
import { openSync, writeSync } from "node:fs";
import { createGenerator, liveTensors, operator, scope, Tensor, tensor, torch } from "../src/index.ts";
import { native } from "../src/native.ts";
import { type Argument, parseSchema, type Schema } from "../src/schema.ts";

const [seed, calls, log, only] = [Number(process.argv[2]), Number(process.argv[3]), openSync(process.argv[4]!, "w"), process.argv[5]];

// Mulberry32: small, and the same everywhere.
let state = seed >>> 0;
function random(): number {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;

const dtypes = [
  "float32",
  "float32",
  "float32",
  "float64",
  "int64",
  "int64",
  "int32",
  "bool",
  "uint8",
  "bfloat16",
  "float16",
  "complex64",
  "int8",
] as const;
const shapes = [[], [1], [3], [2, 3], [3, 3], [2, 2, 3], [1, 2, 4, 4], [0], [2, 0], [1, 1, 1, 1, 1], [4], [2, 3, 2, 2, 2]];
const integers = [
  0,
  1,
  2,
  3,
  -1,
  -2,
  5,
  -100,
  2 ** 31,
  -(2 ** 31),
  2 ** 53,
  -(2 ** 63),
  2 ** 62,
  1e6,
  Number.NaN,
  0.5,
  Number.POSITIVE_INFINITY,
];
const floats = [0, 1, 0.5, -1, 1e-5, Number.NaN, Number.POSITIVE_INFINITY, -1e30, 1e300];
const texts = [
  "",
  "mean",
  "sum",
  "float32",
  "reflect",
  "constant",
  "none",
  "cpu",
  "ii->i",
  "ij,jk->ik",
  "linear",
  "tanh",
  "amax",
  "floor",
  "\0",
  "é".repeat(50),
];

let shown = "";
const show = <T>(text: string, value: T): T => {
  shown += `${text} `;
  return value;
};

const disposed = torch.ones([2]);
disposed.dispose();

function anyTensor(): Tensor {
  const [dtype, shape] = [pick(dtypes), pick(shapes)];
  const kind = random();
  shown += `${dtype}[${shape}]`;
  if (kind < 0.03) return show("disposed", disposed);
  let made = dtype.startsWith("int") ? torch.randint(-3, 6, shape, { dtype }) : torch.randn(shape).to(dtype);
  if (kind < 0.2 && shape.length > 1) made = show("ᵀ", made.transpose(0, 1));
  else if (kind < 0.24) made = show("expanded", made.unsqueeze(0).expand([2, ...shape]));
  else if (kind < 0.27) made = show("meta", made.to("meta"));
  else if (kind < 0.29 && dtype === "float32" && shape.length > 0) made = show("sparse", torch.toSparse(made));
  else if (kind < 0.4 && dtype === "float32") made = show("grad", made.requiresGrad_());
  else if (kind < 0.42) made = show("huge", torch.empty([2 ** 40], { device: "meta" }));
  shown += " ";
  return made;
}

/** A value that may fit the type; one time in ten any other. */
function valueFor(type: string): unknown {
  if (random() < 0.07) return wrong();
  if (type.endsWith("?")) return random() < 0.4 ? show("null", null) : valueFor(type.slice(0, -1));
  const list = /^(.*)\[(\d*)\]$/.exec(type);
  if (list !== null) {
    const length = list[2] !== "" && random() < 0.7 ? Number(list[2]) : random() < 0.01 ? 70_000 : Math.floor(random() * 4);
    shown += "[";
    const items = Array.from({ length: Math.min(length, 3) }, () => valueFor(list[1]!));
    if (length > 3) for (let i = 3; i < length; i++) items.push(items[i % 3]);
    return show("]", items);
  }
  switch (type) {
    case "Tensor":
    case "Storage":
      return anyTensor();
    case "int":
    case "SymInt": {
      const value = random() < 0.7 ? Math.floor(random() * 4) - 1 : pick(integers);
      return show(String(value), value);
    }
    case "float": {
      const value = random() < 0.6 ? random() : pick(floats);
      return show(String(value), value);
    }
    case "Scalar": {
      const value = random() < 0.1 ? { re: 1, im: -2 } : random() < 0.5 ? pick(integers) : pick(floats);
      return show(JSON.stringify(value), value);
    }
    case "bool":
      return show("bool", random() < 0.5);
    case "str":
      return show("str", pick(texts));
    case "ScalarType": {
      const value = pick(dtypes);
      return show(value, value);
    }
    case "Device":
      return show("device", pick(["cpu", "cpu", "cpu", "meta", "cuda", "nowhere:3"]));
    case "Layout":
      return show("layout", pick(["strided", "strided", "sparse_coo", "sparse_csr", "odd"]));
    case "MemoryFormat":
      return show("format", pick(["contiguous", "preserve", "channels_last", "odd"]));
    case "Generator":
      return show("generator", createGenerator(1));
    default:
      return show("undefined", undefined);
  }
}

const wrong = (): unknown => {
  const value = pick<() => unknown>([
    () => null,
    () => undefined,
    () => "text",
    () => true,
    () => 7n,
    () => 2n ** 63n,
    () => Number.NaN,
    () => [],
    () => [[1]],
    () => [null, undefined],
    () => ({ re: 1, im: Number.NaN }),
    () => ({}),
    () => new Float32Array(2),
    () => new Date(0),
    () => disposed,
    () => [disposed],
    () => Symbol.iterator,
    () => anyTensor(),
  ])();
  return show(typeof value, value);
};

/** Not called at random: it maps, and where it is told to creates, files of any name. */
const touchesFiles = "aten::from_file";

const schemas = native
  .schemas()
  .map(parseSchema)
  .filter(({ name }) => /^(aten|perennial)::/.test(name) && name !== touchesFiles)
  .sort((a, b) => (a.text < b.text ? -1 : 1));

function callOnce(schema: Schema): void {
  const argumentFor = (argument: Argument) => {
    shown += `${argument.name}=`;
    return valueFor(argument.type);
  };
  const positional = schema.arguments.filter((argument) => !argument.keywordOnly && (!argument.hasDefault || random() < 0.4));
  const values = positional.map(argumentFor);
  const keyword = schema.arguments.filter((argument) => argument.keywordOnly && (!argument.hasDefault || random() < 0.3));
  if (keyword.length > 0) values.push(Object.fromEntries(keyword.map((argument) => [argument.option, argumentFor(argument)])));
  writeSync(log, `${schema.name}.${schema.overload}(${shown})\n`, 0);
  const result = operator(schema.name).call(undefined, values);
  if (result instanceof Tensor && result.requiresGrad && result.isLeaf === false && result.device === "cpu") result.sum().backward();
}

const touched = new Set<string>();
const before = liveTensors();
let succeeded = 0;
for (let i = 0; i < calls; i++) {
  const schema = only === undefined ? pick(schemas) : pick(schemas.filter(({ name }) => name === only));
  shown = "";
  touched.add(schema.name);
  try {
    scope(() => callOnce(schema));
    succeeded++;
  } catch (error) {
    if (!(error instanceof Error) || error.message === "") throw error;
  }
}
// Whatever happened, the engine still works and holds nothing back.
const sum = scope(() => tensor([1, 2, 3]).sum().item());
console.log(JSON.stringify({ operators: touched.size, calls, succeeded, sum, leaked: liveTensors() - before }));
