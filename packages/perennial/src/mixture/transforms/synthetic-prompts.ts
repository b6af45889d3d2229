/**
 * Marco-LLM's three prompts for synthetic text: explain keywords, tell a story with keywords, write another sample.
 *  Slots are published, exact words are ours. Source: Ming et al., arXiv 2412.04003, table 14.
 */
export interface KeywordExplanation {
  readonly role: string;
  readonly subject: string;
  readonly keywords: readonly string[];
  readonly reader: string;
}

export const keywordExplanationPrompt = ({ role, subject, keywords, reader }: KeywordExplanation): string =>
  `You are ${role}, an expert in ${subject}. Explain each of these keywords in at least three sentences, with a story where it helps, so that ${reader} understands: ${keywords.join(", ")}. End with a summary.`;

export interface KeywordStory extends KeywordExplanation {
  readonly passage: string;
  readonly scene: string;
  readonly minWords: number;
  readonly maxWords: number;
  readonly style: string;
  readonly ending: string;
  readonly language: string;
}

export const keywordStoryPrompt = (story: KeywordStory): string =>
  `You are ${story.role}, an expert in ${story.subject}. Write ${story.passage} in ${story.language} for ${story.reader}, ${story.minWords} to ${story.maxWords} words long, in a ${story.style} style. It is set in ${story.scene}, uses all of these keywords: ${story.keywords.join(", ")}, and has ${story.ending} ending.`;

export const fewShotSamplePrompt = (samples: readonly string[]): string =>
  `${samples.map((sample, i) => `Sample ${i + 1}:\n${sample}`).join("\n\n")}\n\nWrite a new, rarer sample of the same domain, of similar length and difficulty. Do not mention that it follows from other samples.`;
