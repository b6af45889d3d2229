/**
 * FUAR (Jang et al. 2022, CKL): facts forgotten per fact updated or acquired. Gap = score after − score before of each probe set,
 *   FUAR = Σ max(0, −Gap(invariant)) / ( Σ max(0, Gap(updated)) + Σ max(0, Gap(acquired)) )
 * 0: nothing forgotten, 1: one fact lost per fact gained; lower is better; null: nothing was gained.
 */
export interface ProbePair {
  readonly before: number;
  readonly after: number;
}

export interface FactProbes {
  readonly invariant: readonly ProbePair[];
  readonly updated: readonly ProbePair[];
  readonly acquired: readonly ProbePair[];
}

export function fuar({ invariant, updated, acquired }: FactProbes): number | null {
  const gained = (pairs: readonly ProbePair[]) => pairs.reduce((sum, { before, after }) => sum + Math.max(0, after - before), 0);
  const lost = invariant.reduce((sum, { before, after }) => sum + Math.max(0, before - after), 0);
  const gain = gained(updated) + gained(acquired);
  return gain > 0 ? lost / gain : null;
}
