/** Markup as a tagged template. Whatever is put in is escaped, unless it is markup already: text from a run can never become a tag. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Content = Markup | string | number | null | undefined | readonly Content[];

export function html(strings: TemplateStringsArray, ...contents: Content[]): Markup {
  return new Markup(strings.reduce((text, part, i) => text + markup(contents[i - 1]) + part));
}

/** Text that is markup by construction: our own style sheet, script and charts. */
export const trusted = (text: string): Markup => new Markup(text);

function markup(content: Content): string {
  if (content === null || content === undefined) return "";
  if (content instanceof Markup) return content.text;
  return typeof content === "object" ? content.map(markup).join("") : escaped(String(content));
}

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const escaped = (text: string) => text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
