import { z } from 'zod';

/** The part of JSON Schema that all clients and models take: flat, no unions, no limits, no dialect. */
export type Shape = {
  type: 'object' | 'array' | 'string' | 'number' | 'integer' | 'boolean';
  description?: string;
  enum?: string[];
  items?: Shape;
  properties?: { [name: string]: Shape };
  required?: string[];
};

export type ObjectShape = Shape & { type: 'object'; properties: { [name: string]: Shape } };

const flat: z.ZodType<Shape> = z.lazy(() =>
  z.object({
    type: z.enum(['object', 'array', 'string', 'number', 'integer', 'boolean']),
    description: z.string().exactOptional(),
    enum: z.array(z.string()).exactOptional(),
    items: flat.exactOptional(),
    properties: z.record(z.string(), flat).exactOptional(),
    required: z.array(z.string()).exactOptional(),
  }),
);

const made = new WeakMap<z.ZodType, ObjectShape>();

/** What a client is shown of an input. Throws for a schema that is not flat (a union has no `type`). */
export function shapeOf(schema: z.ZodType): ObjectShape {
  const known = made.get(schema);
  if (known !== undefined) return known;
  const { properties, ...rest } = flat.parse(z.toJSONSchema(schema, { io: 'input' }));
  if (properties === undefined) throw new Error('an input schema is an object with properties');
  const shape: ObjectShape = { ...rest, type: 'object', properties };
  made.set(schema, shape);
  return shape;
}
