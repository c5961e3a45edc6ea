import type { Stage } from './stage.js';
import type { Row } from './table.js';

/** One measurement. It leaves its folders and processes to the stage. */
export interface Bench {
  readonly name: string;
  run(stage: Stage): Promise<readonly Row[]>;
}
