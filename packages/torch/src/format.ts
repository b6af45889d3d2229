/** Tensors as text, laid out as PyTorch prints them. */
import { type Complex, type Dtype, isComplexDtype, isFloatingPoint } from "./dtype.ts";
import { scope } from "./scope.ts";
import type { Tensor } from "./tensor.ts";
import { elements } from "./tensor-members.ts";
import { torch } from "./torch.ts";

const PRECISION = 4;
const SUMMARIZE_ABOVE = 1000;
const EDGE_ITEMS = 3;
const LINE_WIDTH = 80;
/** More decimals than an exact half can have among numbers that are shown with four. */
const EXACT_DECIMALS = 60;

type Element = number | bigint | boolean | Complex;
type Tree = Element | Tree[];

export function formatTensor(tensor: Tensor): string {
  if (tensor.isDisposed) return "Tensor(disposed)";
  return scope(() => {
    const { shape, dtype, device } = tensor;
    const numel = tensor.numel;
    if (device === "meta")
      return `tensor(..., device='meta', size=(${shape.join(", ")})${dtype === "float32" ? "" : `, dtype=torch.${dtype}`})`;
    if (tensor.layout !== "strided") return formatSparse(tensor);
    const suffix: string[] = [];
    if (device !== "cpu") suffix.push(`device='${device}'`);
    if (numel === 0 && shape.length !== 1) suffix.push(`size=(${shape.join(", ")})`);
    if (dtype !== "float32" && dtype !== "int64" && dtype !== "bool" && dtype !== "complex64") suffix.push(`dtype=torch.${dtype}`);
    else if (numel === 0 && dtype !== "float32") suffix.push(`dtype=torch.${dtype}`);
    if (tensor.requiresGrad) suffix.push("requires_grad=True");
    const prefix = "tensor(";
    const summarize = numel > SUMMARIZE_ABOVE;
    const tree = numel === 0 ? [] : treeOf(tensor, dtype, summarize);
    const leaves: Element[] = [];
    flatten(tree, leaves);
    const body = numel === 0 ? "[]" : render(tree, shape, 0, prefix.length, summarize, formatter(leaves, dtype));
    return `${prefix}${[body, ...suffix].join(", ")})`;
  });
}

/** The parts that a sparse layout is made of, each as it prints itself, below each other. */
function formatSparse(tensor: Tensor): string {
  const { layout, shape } = tensor;
  const rows = layout === "sparse_csr" || layout === "sparse_bsr";
  const parts: [string, Tensor][] =
    layout === "sparse_coo"
      ? [
          ["indices", torch._indices(tensor)],
          ["values", torch._values(tensor)],
        ]
      : [
          rows ? ["crow_indices", torch.crowIndices(tensor)] : ["ccol_indices", torch.ccolIndices(tensor)],
          rows ? ["col_indices", torch.colIndices(tensor)] : ["row_indices", torch.rowIndices(tensor)],
          ["values", torch.values(tensor)],
        ];
  const indented = ([name, part]: [string, Tensor]) =>
    `${name}=${formatTensor(part.detach())}`.replaceAll("\n", `\n${" ".repeat(8 + name.length)}`);
  const nnz = parts.at(-1)![1].size(0);
  const size = [`size=(${shape.join(", ")})`, `nnz=${nnz}`, ...(tensor.device === "cpu" ? [] : [`device='${tensor.device}'`])].join(", ");
  const lines = parts.map(indented);
  // As PyTorch breaks the lines, which is not the same for both kinds.
  const last = layout === "sparse_coo" ? [`${size}, layout=torch.${layout}`] : [`${lines.pop()}, ${size}`, `layout=torch.${layout}`];
  return `tensor(${[...lines, ...last].join(",\n       ")})`;
}

/** All elements, or three from each end of every dimension. */
function treeOf(tensor: Tensor, dtype: Dtype, summarize: boolean): Tree {
  let shown = tensor.detach();
  if (summarize) {
    shown.shape.forEach((size, dim) => {
      if (size > 2 * EDGE_ITEMS) shown = torch.cat([shown.slice(dim, 0, EDGE_ITEMS), shown.slice(dim, size - EDGE_ITEMS, size)], dim);
    });
  }
  const flat = elements(shown, dtype);
  const { shape } = shown;
  let position = 0;
  const nest = (depth: number): Tree =>
    depth === shape.length ? flat[position++]! : Array.from({ length: shape[depth]! }, () => nest(depth + 1));
  return nest(0);
}

function flatten(tree: Tree, into: Element[]): void {
  if (Array.isArray(tree)) for (const item of tree) flatten(item, into);
  else into.push(tree);
}

interface Formatter {
  readonly width: number;
  format(value: Element): string;
}

function formatter(values: readonly Element[], dtype: Dtype): Formatter {
  if (isComplexDtype(dtype)) {
    const part = (name: "re" | "im") =>
      formatter(
        values.map((value) => (value as Complex)[name]),
        "float32",
      );
    const [re, im] = [part("re"), part("im")];
    return {
      width: re.width + im.width + 1,
      format: (value) => {
        const c = value as Complex;
        const imaginary = im.format(c.im).trimStart();
        return `${re.format(c.re)}${imaginary.startsWith("-") ? "" : "+"}${imaginary}j`;
      },
    };
  }
  const text = isFloatingPoint(dtype) ? floatText(values.map(Number)) : plainText;
  // Zeros and what is not finite may stick out: PyTorch does not measure them.
  const measured = isFloatingPoint(dtype) ? values.filter((value) => Number.isFinite(value) && value !== 0) : values;
  const width = measured.reduce((most: number, value) => Math.max(most, text(value).length), 1);
  return { width, format: (value) => text(value).padStart(width) };
}

const plainText = (value: Element) => (typeof value === "boolean" ? (value ? "True" : "False") : String(value));

/** Chooses between whole, fixed and scientific notation for all values together. */
function floatText(values: readonly number[]): (value: Element) => string {
  const sizes = values.filter((value) => Number.isFinite(value) && value !== 0).map(Math.abs);
  const max = Math.max(...sizes);
  const min = Math.min(...sizes);
  const whole = sizes.every(Number.isInteger);
  const scientific = sizes.length > 0 && (max / min > 1000 || max > 1e8 || min < 1e-4);
  return (element) => {
    const value = Number(element);
    if (Number.isNaN(value)) return "nan";
    const sign = value < 0 || Object.is(value, -0) ? "-" : "";
    const size = Math.abs(value);
    if (size === Number.POSITIVE_INFINITY) return `${sign}inf`;
    if (scientific) return `${sign}${halfEven(size, "toExponential").replace(/e([+-])(\d)$/, "e$10$2")}`;
    return `${sign}${whole ? `${size.toFixed(0)}.` : halfEven(size, "toFixed")}`;
  };
}

/** Rounds to four decimals, exact halves to the even digit as C does; JavaScript rounds them up. */
function halfEven(size: number, notation: "toFixed" | "toExponential"): string {
  const rounded = size[notation](PRECISION);
  const [, kept, rest, exponent] = /^(\d+\.\d{4})(\d*)(.*)$/.exec(size[notation](EXACT_DECIMALS))!;
  return /^50*$/.test(rest!) && /[02468]$/.test(kept!) ? kept! + exponent! : rounded;
}

function render(tree: Tree, shape: readonly number[], depth: number, indent: number, summarize: boolean, layout: Formatter): string {
  if (!Array.isArray(tree)) return layout.format(tree).trimStart();
  const cut = summarize && shape[depth]! > 2 * EDGE_ITEMS;
  if (depth === shape.length - 1) {
    const items = tree.map((item) => layout.format(item as Element));
    if (cut) items.splice(EDGE_ITEMS, 0, " ...");
    const perLine = Math.max(1, Math.floor((LINE_WIDTH - indent) / (layout.width + 2)));
    const lines: string[] = [];
    for (let i = 0; i < items.length; i += perLine) lines.push(items.slice(i, i + perLine).join(", "));
    return `[${lines.join(`,\n${" ".repeat(indent + 1)}`)}]`;
  }
  const rows = tree.map((row) => render(row, shape, depth + 1, indent + 1, summarize, layout));
  if (cut) rows.splice(EDGE_ITEMS, 0, "...");
  const gap = `,${"\n".repeat(shape.length - depth - 1)}${" ".repeat(indent + 1)}`;
  return `[${rows.join(gap)}]`;
}
