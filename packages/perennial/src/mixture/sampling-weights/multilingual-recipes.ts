/**
 * The experimental grid of "Rethinking Multilingual Continual Pretraining": 3 bases × {Mono, Bi} × {no code, code} ×
 * {altruistic, selfish, stagnant} = 36 runs named `Base-Data[+Code]-Cat`. The categories are inputs, taken from earlier
 * work on transfer: training an altruistic language helps its relatives, a selfish one mainly itself, a stagnant one
 * neither. Trained and evaluated lists are kept apart (zho_Hani is trained, zho_Hans is evaluated).
 *  Source: Li et al., COLM 2025, arXiv 2504.04152; code MaLA-LM/MixCPT.
 */
export type TransferCategory = "altruistic" | "selfish" | "stagnant";

export interface TrainedLanguage {
  readonly resource: "high" | "mid" | "low";
  readonly language: string;
  /** Evaluated, never trained. */
  readonly related: readonly string[];
}

const row = (resource: TrainedLanguage["resource"], language: string, ...related: string[]): TrainedLanguage => ({
  resource,
  language,
  related,
});

export const trainedLanguages: Readonly<Record<TransferCategory, readonly TrainedLanguage[]>> = {
  altruistic: [
    row("high", "zho_Hani", "yue_Hant"),
    row("mid", "ceb_Latn", "tgl_Latn", "ilo_Latn"),
    row("mid", "mar_Deva", "hin_Deva", "npi_Deva"),
    row("low", "zul_Latn", "xho_Latn", "ssw_Latn"),
    row("low", "khm_Khmr", "vie_Latn"),
  ],
  selfish: [
    row("high", "deu_Latn", "nld_Latn", "dan_Latn"),
    row("mid", "bel_Cyrl", "rus_Cyrl", "ukr_Cyrl"),
    row("mid", "mri_Latn", "smo_Latn", "fij_Latn"),
    row("low", "kir_Cyrl", "kaz_Cyrl", "bak_Cyrl"),
    row("low", "nya_Latn", "bem_Latn", "sna_Latn"),
  ],
  stagnant: [
    row("mid", "tha_Thai", "lao_Laoo", "shn_Mymr"),
    row("mid", "yor_Latn", "ibo_Latn", "hau_Latn"),
    row("low", "sna_Latn", "nya_Latn", "zul_Latn"),
    row("low", "wol_Latn", "bam_Latn"),
  ],
};

export const mixcptBases = { L3: "Llama-3.1-8B", L2: "Llama-2-7B", V7: "Viking-7B" } as const;

export interface MultilingualRecipe {
  readonly name: string;
  readonly base: keyof typeof mixcptBases;
  readonly data: "monolingual" | "bilingual";
  readonly code: boolean;
  readonly category: TransferCategory;
}

const CATEGORY = { altruistic: "Alt", selfish: "Sel", stagnant: "Stag" } as const;

export function multilingualRecipes(): MultilingualRecipe[] {
  const bases = Object.keys(mixcptBases) as (keyof typeof mixcptBases)[];
  const categories = Object.keys(CATEGORY) as TransferCategory[];
  return bases.flatMap((base) =>
    (["monolingual", "bilingual"] as const).flatMap((data) =>
      [false, true].flatMap((code) =>
        categories.map((category) => {
          const name = `${base}-${data === "monolingual" ? "Mono" : "Bi"}${code ? "+Code" : ""}-${CATEGORY[category]}`;
          return { name, base, data, code, category };
        }),
      ),
    ),
  );
}
