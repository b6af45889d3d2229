/** How often each n-gram occurs. Keys are unique among n-grams of one order. */
export type NgramCounts = Map<string, number>;

/** Word n-grams of order `order`. Words hold no whitespace, so a space between them is an unambiguous key. */
export function wordNgrams(tokens: readonly string[], order: number): NgramCounts {
  const counts: NgramCounts = new Map();
  for (let i = 0; i + order <= tokens.length; i++) add(counts, order === 1 ? tokens[i]! : tokens.slice(i, i + order).join(" "));
  return counts;
}

/** Character n-grams of orders 1 … maxOrder; a character is a code point. */
export function characterNgrams(text: string, maxOrder: number): NgramCounts[] {
  const starts: number[] = [];
  for (let at = 0; at < text.length; at += text.codePointAt(at)! > 0xffff ? 2 : 1) starts.push(at);
  starts.push(text.length);
  return Array.from({ length: maxOrder }, (_, n) => {
    const counts: NgramCounts = new Map();
    for (let i = 0; i + n + 1 < starts.length; i++) add(counts, text.slice(starts[i], starts[i + n + 1]));
    return counts;
  });
}

function add(counts: NgramCounts, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
