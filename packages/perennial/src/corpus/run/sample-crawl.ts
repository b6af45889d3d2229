/** A small crawl with known truth, for tests: articles of made-up prose in the chrome of sites, and near copies of them under other addresses. */

import { type Stream, stream } from "../../stream.ts";
import { pageTemplates, wrapArticle } from "../extract/sample-pages.ts";
import { warcResponse } from "../warc/index.ts";

/** Common words, enough to be identified by. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  en: "the of and to in that was for with his they this have from one had but not what were when your said there each which their time will about many then them would write like these long make thing see him two has look more day could come did sound most number who over know water than call first people may down side been now find head stand own page should country found answer school grow study still learn plant cover food sun four thought let keep eye never last door between city tree cross since hard start might story".split(
    " ",
  ),
  fr: "le de un être et à il avoir ne je son que se qui ce dans en du elle au pour pas vous par sur faire plus dire me on mon lui nous comme mais pouvoir avec tout y aller voir bien où sans tu ou leur homme si deux mari moi vouloir te femme venir quand grand notre devoir là jour prendre même votre tout rien petit encore aussi quelque dont mer trouver donner temps ça peu falloir sous parler alors main chose ton mettre vie savoir yeux passer autre après regarder toujours puis jamais cela aimer non heure croire cent monde enfant fois seul".split(
    " ",
  ),
};

export interface SamplePage {
  readonly url: string;
  readonly html: string;
  readonly language: string;
  /** Number of the article that the page shows; copies share it. */
  readonly article: number;
}

export interface SampleOptions {
  readonly seed: number;
  readonly articles: number;
  /** Chance of another copy of an article under another address, changed in one of 60 words. */
  readonly copies?: number;
}

export function samplePages({ seed, articles, copies = 0.3 }: SampleOptions): SamplePage[] {
  const random = stream(seed, "sample-crawl");
  const templates = Object.keys(pageTemplates);
  const pages: SamplePage[] = [];
  for (let article = 0; article < articles; article++) {
    const language = article % 3 === 2 ? "fr" : "en";
    const paragraphs = Array.from({ length: 3 + random.integer(3) }, () => paragraph(random, WORDS[language]!));
    do {
      const number = pages.length;
      const html = paragraphs.map((text) => `<p>${text}</p>`).join("\n");
      const page = { title: sentence(random, WORDS[language]!, 5), html, language, variant: number };
      pages.push({
        url: `https://site${number % 7}.example.org/${number}`,
        html: wrapArticle(templates[number % templates.length]!, page),
        language,
        article,
      });
      paragraphs[0] = paragraphs[0]!.replace(/\w+(?=\.)/, "changed");
    } while (random.uniform() < copies);
  }
  return random.shuffle(pages);
}

/** The pages as WARC files of the given number. */
export function sampleCrawl(options: SampleOptions, files: number): Uint8Array[] {
  const pages = samplePages(options);
  return Array.from({ length: files }, (_, file) =>
    Buffer.concat(
      pages.filter((_, i) => i % files === file).map(({ url, html }) => warcResponse({ url, html, date: "2026-11-01T00:00:00Z" })),
    ),
  );
}

function sentence(random: Stream, words: readonly string[], length: number): string {
  const text = Array.from({ length }, () => words[random.integer(words.length)]!).join(" ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const paragraph = (random: Stream, words: readonly string[]): string =>
  Array.from({ length: 3 + random.integer(3) }, () => `${sentence(random, words, 8 + random.integer(10))}.`).join(" ");
