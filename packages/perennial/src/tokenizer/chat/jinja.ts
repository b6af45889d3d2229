/**
 * Jinja templates that come with models and tasks, rendered with bounds: they read what they are given and write a text. The engine
 * (`@huggingface/jinja`) has no access to files, modules or JavaScript; here its work is counted and cut off, so that no template hangs or
 * fills the memory, and values are printed as Python prints them (`None`, `['a', "it's"]`), which the engine does as JSON.
 */
import * as jinja from "@huggingface/jinja";
import { FieldError } from "../../errors.ts";
import { Float, pythonText, Tuple } from "./repr.ts";
import { methods, pythonFilters, type TemplateFunction } from "./string-methods.ts";

// The package's own declarations cannot be resolved under Node's rules; this is what we use of it.
/** Any node of the engine's tree. */
interface Node {
  type: string;
  [field: string]: unknown;
}
interface Value {
  readonly type: string;
  readonly value: unknown;
}
interface Environment {
  readonly variables: Map<string, Value>;
  set(name: string, value: unknown): Value;
}
interface Engine {
  readonly Environment: new () => Environment;
  readonly Interpreter: new (environment: Environment) => { evaluate(node: Node | undefined, environment: Environment): Value };
  tokenize(source: string, options: { lstrip_blocks: boolean; trim_blocks: boolean }): unknown;
  parse(tokens: unknown): Node;
}
const engine = jinja as unknown as Engine;

export interface TemplateOptions {
  /** Names the template in errors: file and field. */
  readonly at: string;
  /** Chat templates are written for blocks that leave no line behind (`trim_blocks`, `lstrip_blocks`); task templates are not. */
  readonly trimBlocks?: boolean;
  /** Printing a variable that is not there is an error, not nothing. */
  readonly strict?: boolean;
  readonly filters?: Readonly<Record<string, TemplateFunction>>;
}

/** Longer templates are refused; the longest of known models has 20,000 characters. */
const MAX_TEMPLATE_CHARACTERS = 200_000;
/** Evaluated nodes, and 256 characters or list items each, in one rendering; a few seconds. A turn of a conversation takes about 30. */
const MAX_WORK = 200_000;
/** Characters of a text, or values in a list, at any moment. */
const MAX_SIZE = 4_000_000;
const MAX_RANGE = 10_000;

export class Template {
  private readonly program: Node;
  private readonly options: TemplateOptions;

  constructor(source: string, options: TemplateOptions) {
    this.options = options;
    if (source.length > MAX_TEMPLATE_CHARACTERS || /\s{2000}/.test(source))
      throw new FieldError("TEMPLATE_SIZE", {
        at: options.at,
        expected: `a template of at most ${MAX_TEMPLATE_CHARACTERS} characters, without 2,000 blanks in a row`,
        received: source.length,
      });
    try {
      const blocks = options.trimBlocks === true;
      // The engine drops one newline at the end, as Jinja does by default and for chat templates.
      const text = !blocks && source.endsWith("\n") ? `${source}\n` : source;
      this.program = engine.parse(engine.tokenize(text, { lstrip_blocks: blocks, trim_blocks: blocks }));
      printOutputs(this.program);
    } catch (cause) {
      throw this.error(cause, "a Jinja template");
    }
  }

  render(variables: Readonly<Record<string, unknown>>): string {
    const environment = new engine.Environment();
    for (const [name, value] of Object.entries({ ...GLOBALS, ...variables })) environment.variables.set(name, toValue(value));
    try {
      return new BoundedInterpreter(environment, this.options).evaluate(this.program, environment).value as string;
    } catch (cause) {
      throw this.error(cause, "a template that can be rendered");
    }
  }

  private error(cause: unknown, expected: string): FieldError {
    const reason = cause instanceof RangeError ? "it nests or grows without end" : cause instanceof Error ? cause.message : String(cause);
    return new FieldError("TEMPLATE", { at: this.options.at, expected: `${expected} (${reason})` }, { cause });
  }
}

const GLOBALS: Readonly<Record<string, unknown>> = {
  true: true,
  false: false,
  none: null,
  True: true,
  False: false,
  None: null,
  raise_exception: (message: unknown) => {
    throw new Error(String(message));
  },
  range: (first: number, second?: number, step = 1) => {
    const [from, to] = second === undefined ? [0, first] : [first, second];
    const count = Math.max(0, Math.ceil((to - from) / step));
    if (!(count <= MAX_RANGE)) throw new Error(`range() of ${count} numbers, at most ${MAX_RANGE} are allowed`);
    return Array.from({ length: count }, (_, i) => from + i * step);
  },
};

/** What stands for itself in a block; everything else there is an expression to be printed. */
const STATEMENTS = new Set([
  "Set",
  "If",
  "For",
  "Macro",
  "CallStatement",
  "FilterStatement",
  "Break",
  "Continue",
  "Comment",
  "StringLiteral",
  "Program",
]);

/** Puts a node `Output` around each expression that a block prints. */
function printOutputs(node: Node): void {
  for (const field of ["body", "alternate", "defaultBlock"]) {
    const block = node[field];
    if (!Array.isArray(block)) continue;
    node[field] = (block as Node[]).map((inner) => {
      printOutputs(inner);
      return STATEMENTS.has(inner.type) ? inner : { type: "Output", expression: inner };
    });
  }
}

class BoundedInterpreter extends engine.Interpreter {
  private readonly options: TemplateOptions;
  private readonly sizes = new WeakMap<Value, number>();
  private work = 0;

  constructor(environment: Environment, options: TemplateOptions) {
    super(environment);
    this.options = options;
  }

  override evaluate(node: Node | undefined, environment: Environment): Value {
    this.spend(1);
    const value = this.own(node, environment) ?? super.evaluate(node, environment);
    const size = this.sizeOf(value);
    if (size > MAX_SIZE) throw new Error("it makes a text or list that is too long");
    this.spend(size / 256);
    return value;
  }

  /** The nodes that are not left to the engine. */
  private own(node: Node | undefined, environment: Environment): Value | undefined {
    if (node?.type === "Output") {
      const value = this.inner(node.expression, environment);
      if (this.options.strict === true && value.type === "UndefinedValue")
        throw new Error(`${nameOf(node.expression as Node)} is undefined`);
      return toValue(value.type === "UndefinedValue" ? "" : pythonText(plain(value)));
    }
    if (node?.type === "FilterExpression") {
      const filter = node.filter as Node;
      const name = (filter.type === "CallExpression" ? (filter.callee as Node) : filter).value as string;
      const { filters = {} } = this.options;
      const apply = Object.hasOwn(filters, name) ? filters[name] : pythonFilters[name];
      if (apply === undefined) return undefined;
      const operand = plain(this.inner(node.operand, environment));
      return toValue(apply(operand, ...this.argumentsOf(filter.args, environment)));
    }
    if (node?.type === "CallExpression") {
      const callee = node.callee as Node;
      if (callee.type !== "MemberExpression" || callee.computed === true) return undefined;
      const method = methods[(callee.property as Node).value as string];
      if (method === undefined) return undefined;
      const object = this.inner(callee.object, environment);
      if (object.type !== "StringValue" && object.type !== "ArrayValue" && object.type !== "TupleValue") return undefined;
      return toValue(method(plain(object), ...this.argumentsOf(node.args, environment)));
    }
    return undefined;
  }

  private inner(node: unknown, environment: Environment): Value {
    return this.evaluate(node as Node, environment);
  }

  private argumentsOf(args: unknown, environment: Environment): unknown[] {
    return ((args ?? []) as Node[]).map((argument) =>
      plain(this.inner(argument.type === "KeywordArgumentExpression" ? argument.value : argument, environment)),
    );
  }

  private spend(amount: number): void {
    this.work += amount;
    if (this.work > MAX_WORK) throw new Error("it does not come to an end");
  }

  /** Characters and values inside. Lists and objects never change; a namespace does, and is counted anew. */
  private sizeOf(value: Value): number {
    if (value.type === "StringValue") return (value.value as string).length;
    const inner = value.value instanceof Map ? [...value.value.values()] : Array.isArray(value.value) ? value.value : undefined;
    if (inner === undefined) return 1;
    const known = this.sizes.get(value);
    if (known !== undefined) return known;
    let size = 1;
    for (const item of inner as Value[]) size += value.type === "NamespaceValue" ? 1 : this.sizeOf(item);
    if (value.type !== "NamespaceValue") this.sizes.set(value, size);
    return size;
  }
}

const nameOf = (node: Node): string =>
  node.type === "Identifier"
    ? String(node.value)
    : node.type === "MemberExpression" && node.computed !== true
      ? `${nameOf(node.object as Node)}.${nameOf(node.property as Node)}`
      : "what it prints";

/** From JavaScript to the engine. */
const toValue = (value: unknown): Value => new engine.Environment().set("value", value instanceof Float ? value.value : value);

/** From the engine to JavaScript. */
function plain(value: Value): unknown {
  if (value.type === "FloatValue") return new Float(value.value as number);
  if (value.type === "TupleValue") return Tuple.from((value.value as Value[]).map(plain));
  if (Array.isArray(value.value)) return (value.value as Value[]).map(plain);
  if (value.value instanceof Map) return Object.fromEntries([...value.value].map(([key, inner]) => [key, plain(inner as Value)]));
  return value.value;
}
