/** Tensors as text, laid out as PyTorch prints them. */
import { type Dtype, isComplexDtype, isFloatingPoint } from "./dtype.ts";
import { scope } from "./scope.ts";
import type { Tensor } from "./tensor.ts";
import { elements } from "./tensor-members.ts";
import { torch } from "./torch.ts";

const PRECISION = 4;
const SUMMARIZE_ABOVE = 1000;
const EDGE_ITEMS = 3;
const LINE_WIDTH = 80;

type Element = number | bigint | boolean | { re: number; im: number };
type Tree = Element | Tree[];

export function formatTensor(tensor: Tensor): string {
  if (tensor.isDisposed) return "Tensor(disposed)";
  return scope(() => {
    const { shape, dtype, device } = tensor;
    const numel = tensor.numel;
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
    const { format } = formatter(leaves, dtype);
    const body = numel === 0 ? "[]" : render(tree, shape, 0, prefix.length, summarize, format);
    return `${prefix}${[body, ...suffix].join(", ")})`;
  });
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

function formatter(values: readonly Element[], dtype: Dtype): { format: (value: Element) => string } {
  if (isComplexDtype(dtype)) {
    const re = formatter(
      values.map((value) => (value as { re: number }).re),
      "float32",
    ).format;
    const im = formatter(
      values.map((value) => Math.abs((value as { im: number }).im)),
      "float32",
    ).format;
    return {
      format: (value) => {
        const c = value as { re: number; im: number };
        return `${re(c.re)}${c.im < 0 || Object.is(c.im, -0) ? "-" : "+"}${im(Math.abs(c.im)).trim()}j`;
      },
    };
  }
  if (!isFloatingPoint(dtype)) {
    const texts = values.map((value) => (typeof value === "boolean" ? (value ? "True" : "False") : String(value)));
    const width = Math.max(0, ...texts.map((text) => text.length));
    return { format: (value) => (typeof value === "boolean" ? (value ? "True" : "False") : String(value)).padStart(width) };
  }
  const numbers = values.map(Number);
  const finite = numbers.filter((value) => Number.isFinite(value) && value !== 0).map(Math.abs);
  let text: (value: number) => string;
  if (finite.length === 0) {
    text = (value) => special(value) ?? `${value === 0 && Object.is(value, -0) ? "-" : ""}0.`;
  } else {
    const max = Math.max(...finite);
    const min = Math.min(...finite);
    if (finite.every(Number.isInteger)) {
      text = max / min > 1000 || max > 1e8 ? scientific : (value) => special(value) ?? `${Object.is(value, -0) ? "-0" : value.toFixed(0)}.`;
    } else {
      text = max / min > 1000 || max > 1e8 || min < 1e-4 ? scientific : (value) => special(value) ?? value.toFixed(PRECISION);
    }
  }
  const width = Math.max(...numbers.map((value) => text(value).length));
  return { format: (value) => text(Number(value)).padStart(width) };
}

const special = (value: number) => (Number.isNaN(value) ? "nan" : value === Infinity ? "inf" : value === -Infinity ? "-inf" : undefined);
const scientific = (value: number) => special(value) ?? value.toExponential(PRECISION).replace(/e([+-])(\d)$/, "e$10$2");

function render(
  tree: Tree,
  shape: readonly number[],
  depth: number,
  indent: number,
  summarize: boolean,
  format: (value: Element) => string,
): string {
  if (!Array.isArray(tree)) return format(tree).trimStart();
  const cut = summarize && shape[depth]! > 2 * EDGE_ITEMS;
  if (depth === shape.length - 1) {
    const items = tree.map((item) => format(item as Element));
    if (cut) items.splice(EDGE_ITEMS, 0, " ...");
    const width = (items[0]?.length ?? 0) + 2;
    const perLine = Math.max(1, Math.floor((LINE_WIDTH - indent) / width));
    const lines: string[] = [];
    for (let i = 0; i < items.length; i += perLine) lines.push(items.slice(i, i + perLine).join(", "));
    return `[${lines.join(`,\n${" ".repeat(indent + 1)}`)}]`;
  }
  const rows = tree.map((row) => render(row, shape, depth + 1, indent + 1, summarize, format));
  if (cut) rows.splice(EDGE_ITEMS, 0, "...");
  const gap = `,${"\n".repeat(shape.length - depth - 1)}${" ".repeat(indent + 1)}`;
  return `[${rows.join(gap)}]`;
}
