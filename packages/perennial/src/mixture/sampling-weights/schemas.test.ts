import { expect, test } from "vitest";
import { z } from "zod";
import { planSchema } from "../laws/plan.ts";
import { relatedOrderSchema } from "../order/related-schema.ts";
import { parallelSelectionSchema } from "../transforms/parallel-selection.ts";
import { curriculumSchema } from "./curriculum.ts";
import { layoutSchema } from "./layout.ts";
import { temperatureSchema } from "./temperature.ts";
import { topicUpdateSchema } from "./topic-mixture.ts";
import { twoStageSchema } from "./two-stage.ts";
import { unimaxSchema } from "./unimax.ts";

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly description?: string;
  readonly const?: unknown;
  readonly additionalProperties?: unknown;
}

test.each(
  Object.entries({
    curriculumSchema,
    layoutSchema,
    parallelSelectionSchema,
    planSchema,
    relatedOrderSchema,
    temperatureSchema,
    topicUpdateSchema,
    twoStageSchema,
    unimaxSchema,
  }),
)("%s has a JSON Schema that describes every field and allows no others", (_, schema) => {
  const { properties, additionalProperties } = z.toJSONSchema(schema, { io: "input" }) as JsonSchema;
  expect(additionalProperties).toBe(false);
  const undescribed = Object.entries(properties!).filter(([, field]) => field.const === undefined && !field.description);
  expect(undescribed.map(([name]) => name)).toEqual([]);
});
