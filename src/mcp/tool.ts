import type { z } from 'zod';
import type { Caller, Coordinator } from '../coordinator/contract.js';
import type { Refusal } from '../domain/refusal.js';

/**
 * What a call does to the world: `look` changes nothing; `change` changes files or scopes, recorded and never beyond
 * recall; `lock` does so too and may be repeated; `execute` can do anything.
 */
export type Effect = 'look' | 'change' | 'lock' | 'execute';

export interface Image {
  /** Base64. */
  readonly data: string;
  readonly mimeType: string;
}

/** One tool, as a value. Methods, so that tools with different inputs stand in one list. */
export interface Tool<Input = object, Output extends object = object> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly effect: Effect;
  readonly schema: z.ZodType<Input>;
  handler(coordinator: Coordinator, caller: Caller, input: Input): Promise<Output | Refusal>;
  /** The whole output as text, for the model. */
  text(output: Output): string;
  images?(output: Output): readonly Image[];
  /** What `structuredContent` holds, where it is not the output itself. */
  structured?(output: Output): object;
}
