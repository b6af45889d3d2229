/** Tasks, groups and tags by name, found in files and folders, as lm-evaluation-harness finds them. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { FieldError, nearest, PerennialError } from "../../errors.ts";
import { checkFields, type TaskConfig, taskConfig } from "./config.ts";
import { type FieldCheck, listOf, oneOf, record, text } from "./fields.ts";
import { readTaskYaml, type TaskYaml } from "./yaml-file.ts";

export interface GroupMetric {
  readonly metric: string;
  /** Undefined: every pipeline that the tasks have. */
  readonly filters: readonly string[] | undefined;
  readonly weightBySize: boolean;
}

export interface TaskGroup {
  readonly name: string;
  readonly alias: string;
  readonly children: readonly (TaskGroup | string)[];
  readonly metrics: readonly GroupMetric[];
  readonly version: string | number | undefined;
  readonly written: Readonly<Record<string, unknown>>;
}

export interface Selection {
  readonly tasks: readonly TaskConfig[];
  /** Outermost groups. */
  readonly groups: readonly TaskGroup[];
}

type Overrides = Readonly<Record<string, unknown>>;

export class TaskIndex {
  private readonly tasks = new Map<string, TaskYaml>();
  private readonly groups = new Map<string, TaskYaml>();
  private readonly tags = new Map<string, string[]>();
  /** Files that could not be read, by path: an error only where all tasks are asked for. */
  private readonly broken: Error[] = [];

  /** Folders are searched for `.yaml` files; one without `task` and `group` is there to be included. */
  constructor(paths: readonly string[]) {
    for (const path of paths) {
      const stats = statSync(path, { throwIfNoEntry: false });
      if (stats === undefined) throw new PerennialError("TASK_MISSING", `${path}: no such file or folder.`);
      if (stats.isDirectory()) for (const file of yamlFiles(path)) this.add(file, false);
      else this.add(path, true);
    }
    if (this.tasks.size + this.groups.size === 0) {
      if (this.broken[0] !== undefined) throw this.broken[0];
      throw new FieldError("TASK_MISSING", { at: paths.join(", "), expected: "at least one .yaml file with a field `task` or `group`" });
    }
  }

  /** The tasks and groups of these names (tags too); all when none is named. */
  select(names: readonly string[] = []): Selection {
    if (names.length === 0 && this.broken[0] !== undefined) throw this.broken[0];
    const tasks = new Map<string, TaskConfig>();
    const groups: TaskGroup[] = [];
    const asked = names.length > 0 ? names : [...this.groups.keys(), ...this.tasks.keys()];
    for (const name of asked) {
      if (groups.some((group) => group.name === name)) continue;
      const yaml = this.groups.get(name);
      if (yaml !== undefined) groups.push(this.group(name, yaml, yaml.fields, {}, tasks, []));
      else for (const task of this.tags.get(name) ?? [name]) this.task(task, {}, undefined, tasks);
    }
    const inner = new Set(groups.flatMap((group) => innerGroups(group)));
    return { tasks: [...tasks.values()], groups: groups.filter(({ name }) => !inner.has(name)) };
  }

  private add(file: string, alone: boolean): void {
    let yaml: TaskYaml;
    try {
      yaml = readTaskYaml(file);
    } catch (error) {
      if (alone || !(error instanceof Error)) throw error;
      this.broken.push(error);
      return;
    }
    const { task, group } = yaml.fields;
    const isGroup = typeof group === "string" && typeof task !== "string";
    const name = isGroup ? group : task;
    if (typeof name !== "string") {
      if (alone) throw new FieldError("TASK_FIELD", { at: yaml.at("task"), expected: "a name", received: task ?? null });
      return;
    }
    const known = isGroup ? this.groups : this.tasks;
    const before = known.get(name);
    if (before !== undefined && before.file !== file)
      throw new FieldError("TASK_NAME", {
        at: yaml.at(isGroup ? "group" : "task"),
        expected: `a name that ${before.file} does not have`,
        received: name,
      });
    known.set(name, yaml);
    if (isGroup) return;
    for (const tag of [yaml.fields.tag, group].flat())
      if (typeof tag === "string") this.tags.set(tag, [...(this.tags.get(tag) ?? []), name]);
  }

  private task(
    name: string,
    overrides: Overrides,
    group: { name: string; yaml: TaskYaml } | undefined,
    tasks: Map<string, TaskConfig>,
  ): string {
    const yaml = this.tasks.get(name);
    if (yaml === undefined && (group === undefined || Object.keys(overrides).every((field) => field === "task"))) {
      const near = nearest(name, [...this.tasks.keys(), ...this.groups.keys(), ...this.tags.keys()]);
      throw new FieldError("TASK_NAME", {
        at: group === undefined ? "--task" : group.yaml.at("task"),
        expected: "the name of a task, a group or a tag",
        received: name,
        todo:
          near === undefined
            ? `known are ${[...this.tasks.keys(), ...this.groups.keys()].slice(0, 20).join(", ")}`
            : `did you mean ${near}?`,
      });
    }
    const full = yaml === undefined ? `${group!.name}::${name}` : name;
    if (!tasks.has(full)) tasks.set(full, taskConfig(withOverrides(yaml, { ...overrides, task: full }, group?.yaml)));
    return full;
  }

  private group(
    name: string,
    yaml: TaskYaml,
    fields: Overrides,
    inherited: Overrides,
    tasks: Map<string, TaskConfig>,
    path: readonly string[],
  ): TaskGroup {
    if (path.includes(name))
      throw new FieldError("TASK_GROUP", {
        at: yaml.at("task"),
        expected: "groups that do not hold themselves",
        received: [...path, name],
      });
    const { group: _, group_alias, task, aggregate_metric_list, metadata, tag: __, ...rest } = fields;
    const overrides = { ...rest, ...inherited };
    const members = typeof task === "string" ? [task] : (task ?? []);
    if (!Array.isArray(members) || members.length === 0)
      throw new FieldError("TASK_GROUP", { at: yaml.at("task"), expected: "a list of tasks", received: task ?? null });
    const children = members.flatMap((member: unknown): (TaskGroup | string)[] => {
      const item = typeof member === "string" ? { task: member } : member;
      if (!record(item))
        throw new FieldError("TASK_GROUP", { at: yaml.at("task"), expected: "a name, or a map with task or group", received: member });
      const inner = item as Record<string, unknown>;
      if (typeof inner.group === "string") {
        const known = this.groups.get(inner.group);
        const { group: innerName, ...own } = inner;
        if (known !== undefined)
          return [this.group(innerName as string, known, known.fields, { ...overrides, ...own }, tasks, [...path, name])];
        return [this.group(`${name}::${innerName}`, yaml, inner, overrides, tasks, [...path, name])];
      }
      if (typeof inner.task !== "string")
        throw new FieldError("TASK_GROUP", { at: yaml.at("task"), expected: "a member with a task or a group", received: member });
      const known = this.groups.get(inner.task);
      const { task: innerTask, ...own } = inner;
      if (known !== undefined)
        return [this.group(innerTask as string, known, known.fields, { ...overrides, ...own }, tasks, [...path, name])];
      return (this.tags.get(inner.task) ?? [inner.task]).map((each) => this.task(each, { ...overrides, ...own }, { name, yaml }, tasks));
    });
    return {
      name,
      alias: typeof group_alias === "string" ? group_alias : name,
      children,
      metrics: groupMetrics(aggregate_metric_list, yaml),
      version: (metadata as { version?: string | number } | null | undefined)?.version,
      written: fields,
    };
  }
}

const flag: FieldCheck = Object.assign((value: unknown) => typeof value === "boolean", { expected: "true or false" });

function groupMetrics(written: unknown, yaml: TaskYaml): GroupMetric[] {
  const entries = written === undefined || written === null ? [] : Array.isArray(written) ? written : [written];
  return entries.map((entry: unknown, i) => {
    const at = (field: string) => yaml.at(`aggregate_metric_list[${i}].${field}`);
    if (!record(entry)) throw new FieldError("TASK_GROUP", { at: at("metric"), expected: "a map with metric", received: entry });
    const fields = entry as Record<string, unknown>;
    const filter = Object.assign((value: unknown) => text(value) || listOf(text)(value), { expected: "names of filter pipelines" });
    checkFields(fields, { metric: text, filter_list: filter, aggregation: oneOf(["mean"]), weight_by_size: flag }, at);
    if (typeof fields.metric !== "string")
      throw new FieldError("TASK_GROUP", { at: at("metric"), expected: "a metric by name", received: null });
    const filters = fields.filter_list as string | string[] | null | undefined;
    return {
      metric: fields.metric,
      filters: filters === undefined || filters === null ? undefined : [filters].flat(),
      weightBySize: fields.weight_by_size !== false,
    };
  });
}

/** The task with fields of its group on top (or nothing but these). */
function withOverrides(yaml: TaskYaml | undefined, overrides: Overrides, group: TaskYaml | undefined): TaskYaml {
  const above = (field: string) => group !== undefined && (yaml === undefined || (field !== "task" && Object.hasOwn(overrides, field)));
  return {
    fields: { ...yaml?.fields, ...overrides },
    file: yaml?.file ?? group!.file,
    at: (field) => (above(field.split(/[.[]/)[0]!) ? `${group!.at("task").split(" ")[0]} ${field}` : yaml!.at(field)),
    folderOf: (field) => (above(field) ? group! : yaml!).folderOf(field),
  };
}

export const leafTasks = ({ children }: TaskGroup): string[] =>
  children.flatMap((child) => (typeof child === "string" ? [child] : leafTasks(child)));

const innerGroups = ({ children }: TaskGroup): string[] =>
  children.flatMap((child) => (typeof child === "string" ? [] : [child.name, ...innerGroups(child)]));

function* yamlFiles(folder: string): Generator<string> {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    if (entry.name.startsWith(".") || entry.name === "__pycache__" || entry.name === "node_modules") continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* yamlFiles(path);
    else if (/\.ya?ml$/.test(entry.name)) yield path;
  }
}
