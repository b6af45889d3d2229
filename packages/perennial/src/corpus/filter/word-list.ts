/** Word, domain and URL lists as people keep them: one entry a line, `#` begins a comment line, blank lines do not count. */
export function parseList(text: string): string[] {
  return text
    .split("\n")
    .filter((line) => !line.startsWith("#"))
    .map((line) => line.trim())
    .filter((line) => line !== "");
}
