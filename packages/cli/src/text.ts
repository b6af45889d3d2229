/** Text for a terminal: aligned tables and a few colors. */

/** Columns as wide as their widest cell; `right` lists the columns that hold numbers. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], right: readonly number[] = []): string {
  const widths = head.map((title, i) => Math.max(...[head, ...rows].map((row) => width(row[i] ?? title))));
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => {
        const gap = " ".repeat(Math.max(0, widths[i]! - width(cell)));
        return right.includes(i) ? gap + cell : cell + gap;
      })
      .join("  ")
      .trimEnd();
  return `${[head, ...rows].map(line).join("\n")}\n`;
}

/** Terminal columns of a text, without its color codes. Wide scripts count double. */
export function width(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: color codes begin with one
  const plain = text.replace(/\u001b\[\d+m/g, "");
  return [...plain].reduce(
    (sum, character) =>
      sum + (/[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/.test(character) ? 2 : 1),
    0,
  );
}

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;
export type Style = keyof typeof CODES;

export const painter = (color: boolean) => (style: Style, text: string) => (color ? `\u001b[${CODES[style]}m${text}\u001b[0m` : text);

/** Text from a store or a recipe may hold anything; a terminal must only ever see text. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must go
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "�");
}

export function ago(then: number, now: number): string {
  const seconds = Math.max(0, Math.round((now - then) / 1000));
  if (seconds < 90) return `${seconds} s ago`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 129_600) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86_400)} days ago`;
}
