import { noGrad } from "../autograd.ts";
import { isTensor, keep, scope } from "../scope.ts";
import type { Tensor } from "../tensor.ts";

/** Parameters that share settings. `learningRate` and the rest may be changed between steps. */
export type ParameterGroup<Settings> = Settings & { readonly parameters: readonly Tensor[]; readonly name: string };

/** What a caller passes: a list of parameters, or groups that override some of the settings. */
export type Parameters<Settings> = readonly Tensor[] | readonly (Partial<Settings> & { parameters: readonly Tensor[]; name?: string })[];

/** Everything an optimizer must remember, by names that do not depend on the process. */
export interface OptimizerState {
  readonly step: number;
  /** Steps of each parameter, by group; absent where every parameter took all of them. */
  readonly parameterSteps?: readonly (readonly number[])[] | undefined;
  readonly settings: readonly Record<string, unknown>[];
  /** `group.parameter.slot`, e.g. `0.3.expAvg`. */
  readonly tensors: ReadonlyMap<string, Tensor>;
}

export abstract class Optimizer<Settings extends { learningRate: number; weightDecay: number }> {
  readonly groups: readonly ParameterGroup<Settings>[];
  /** Calls of `step` so far. */
  stepCount = 0;
  /**
   * Steps in which a parameter had a gradient, by group, where they are not all `stepCount`: a parameter that joins later
   * begins with its first step, as in PyTorch.
   */
  private parameterSteps: number[][] | undefined;
  /** Slot name → group → one tensor per parameter. */
  protected readonly slots = new Map<string, Tensor[][]>();

  constructor(parameters: Parameters<Settings>, defaults: Settings) {
    const list =
      parameters.length > 0 && isTensor(parameters[0])
        ? [{ parameters: parameters as readonly Tensor[] }]
        : (parameters as readonly (Partial<Settings> & { parameters: readonly Tensor[]; name?: string })[]);
    this.groups = list.map((group, i) => ({ ...defaults, name: `group${i}`, ...group }));
    const seen = new Set<Tensor>();
    for (const group of this.groups) {
      for (const tensor of group.parameters) {
        if (seen.has(tensor)) throw new Error(`${this.constructor.name}: a parameter of ${group.name} appears twice`);
        if (!tensor.isLeaf) throw new Error(`${this.constructor.name}: a parameter of ${group.name} is not a leaf`);
        seen.add(tensor);
      }
    }
    if (seen.size === 0) throw new Error(`${this.constructor.name}: there are no parameters`);
  }

  /** Sets the learning rate of every group. */
  set learningRate(rate: number) {
    for (const group of this.groups) group.learningRate = rate;
  }

  /**
   * Updates the parameters from their gradients; parameters without one stay as they are. `gradScale` multiplies the
   * gradients on the way: clipping by norm without a pass of its own.
   */
  step(options: { gradScale?: number } = {}): this {
    this.stepCount++;
    noGrad(() =>
      scope(() => {
        for (const [i, group] of this.groups.entries()) this.update(group, i, options.gradScale ?? 1);
      }),
    );
    return this;
  }

  /** Forgets the gradients. */
  zeroGrad(): this {
    for (const group of this.groups) for (const tensor of group.parameters) tensor.grad = null;
    return this;
  }

  state(): OptimizerState {
    const tensors = new Map<string, Tensor>();
    for (const [slot, groups] of this.slots)
      for (const [g, list] of groups.entries()) for (const [p, tensor] of list.entries()) tensors.set(`${g}.${p}.${slot}`, tensor);
    const settings = this.groups.map(({ parameters: _, ...rest }) => rest as Record<string, unknown>);
    return { step: this.stepCount, parameterSteps: this.parameterSteps?.map((steps) => [...steps]), settings, tensors };
  }

  /**
   * Takes over a state of an optimizer with the same groups, settings included. A group whose parameters have taken no step
   * yet has no tensors.
   * Errors: names or shapes that do not fit; the optimizer then stays as it was.
   */
  restore(state: OptimizerState): void {
    const settingsBefore = this.groups.map((group) => ({ ...group }));
    // Settings first: they decide which state tensors there are.
    for (const [i, group] of this.groups.entries()) Object.assign(group, state.settings[i] ?? {});
    const moved = this.groups.map((_, g) => state.parameterSteps?.[g]?.some((steps) => steps > 0) ?? true);
    noGrad(() => {
      for (const [g, has] of moved.entries()) if (has) this.prepare(g);
      const own = new Map([...this.state().tensors].filter(([name]) => moved[Number.parseInt(name, 10)]));
      const missing = [...own.keys()].filter((name) => !state.tensors.has(name));
      const unexpected = [...state.tensors.keys()].filter((name) => !own.has(name));
      const misshaped = [...own].filter(([name, tensor]) => state.tensors.get(name)?.shape.join() !== tensor.shape.join());
      if (missing.length + unexpected.length + misshaped.length > 0) {
        for (const [i, group] of this.groups.entries()) Object.assign(group, settingsBefore[i]);
        const shown = (names: readonly string[]) => names.slice(0, 3).join(", ") || "nothing";
        throw new Error(
          `The optimizer state does not fit: missing ${shown(missing)}, unexpected ${shown(unexpected)}, of another shape ${shown(misshaped.map(([name]) => name).filter((name) => state.tensors.has(name)))}`,
        );
      }
      for (const [name, tensor] of own) tensor.copy_(state.tensors.get(name)!);
      for (const [g, has] of moved.entries()) if (!has) this.forget(g);
    });
    this.restoreSteps(state);
  }

  /** Takes over how many steps were taken, and nothing else. */
  restoreSteps({ step, parameterSteps }: Pick<OptimizerState, "step" | "parameterSteps">): void {
    this.stepCount = step;
    this.parameterSteps = parameterSteps?.map((steps) => [...steps]);
  }

  private forget(group: number): void {
    for (const groups of this.slots.values()) for (const tensor of groups[group]!.splice(0)) tensor.dispose();
  }

  /** Creates the state tensors of a group if there are none yet. */
  protected abstract prepare(group: number): void;
  protected abstract update(group: ParameterGroup<Settings>, index: number, gradScale: number): void;

  /** The tensors of a slot for one group, created on first use. */
  protected slot(name: string, group: number, create: (parameter: Tensor) => Tensor): Tensor[] {
    let groups = this.slots.get(name);
    if (groups === undefined) {
      groups = this.groups.map(() => []);
      this.slots.set(name, groups);
    }
    const list = groups[group]!;
    const { parameters } = this.groups[group]!;
    while (list.length < parameters.length) list.push(keep(create(parameters[list.length]!)));
    return list;
  }

  /**
   * Positions of the parameters that have a gradient, with the gradients, and how many steps each has taken with this
   * one. Each update asks once.
   */
  protected withGradients(group: ParameterGroup<Settings>): {
    indices: number[];
    parameters: Tensor[];
    gradients: Tensor[];
    steps: number[];
  } {
    const indices: number[] = [];
    const parameters: Tensor[] = [];
    const gradients: Tensor[] = [];
    for (const [i, tensor] of group.parameters.entries()) {
      const { grad } = tensor;
      if (grad === null) continue;
      indices.push(i);
      parameters.push(tensor);
      gradients.push(grad);
    }
    return { indices, parameters, gradients, steps: this.countStep(group, indices) };
  }

  private countStep(group: ParameterGroup<Settings>, indices: readonly number[]): number[] {
    if (this.parameterSteps === undefined) {
      if (indices.length === group.parameters.length) return indices.map(() => this.stepCount);
      this.parameterSteps = this.groups.map(({ parameters }) => parameters.map(() => this.stepCount - 1));
      // Groups before this one have taken the step already.
      const at = this.groups.indexOf(group);
      for (const counts of this.parameterSteps.slice(0, at)) counts.fill(this.stepCount);
    }
    const counts = this.parameterSteps[this.groups.indexOf(group)]!;
    return indices.map((i) => {
      counts[i]!++;
      return counts[i]!;
    });
  }

  dispose(): void {
    for (const groups of this.slots.values()) for (const list of groups) for (const tensor of list) tensor.dispose();
    this.slots.clear();
  }
}
