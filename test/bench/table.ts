/** One figure, and whether it keeps its bound. */
export interface Row {
  readonly name: string;
  /** Of `ours` and `theirs`; empty for a mere count. */
  readonly unit: string;
  readonly ours: number;
  /** What ours is compared with: the other program, or ourselves with less to carry. Null where there is nothing. */
  readonly theirs: number | null;
  /** `ours / theirs`. */
  readonly ratio: number | null;
  readonly bound: string;
  /** Null where the figure is only shown. */
  readonly met: boolean | null;
}

type Figures = Pick<Row, 'name' | 'unit' | 'ours'> & { readonly theirs: number };

export function ratioAtMost(bound: number, figures: Figures): Row {
  const ratio = figures.ours / figures.theirs;
  return { ...figures, ratio, bound: `ratio ≤ ${bound}`, met: ratio <= bound };
}

export function ratioAtLeast(bound: number, figures: Figures): Row {
  const ratio = figures.ours / figures.theirs;
  return { ...figures, ratio, bound: `ratio ≥ ${bound}`, met: ratio >= bound };
}

export function atMost(bound: number, figures: Pick<Row, 'name' | 'unit' | 'ours'>): Row {
  const { unit, ours } = figures;
  return { ...figures, theirs: null, ratio: null, bound: `≤ ${bound} ${unit}`.trimEnd(), met: ours <= bound };
}

/** A count that has to be just this. */
export function exactly(count: number, figures: Pick<Row, 'name' | 'unit' | 'ours'>): Row {
  return { ...figures, theirs: null, ratio: null, bound: `= ${count}`, met: figures.ours === count };
}

/** Ours may be so much more than the other one, in its unit. */
export function aboveAtMost(bound: number, figures: Figures): Row {
  const ratio = figures.ours / figures.theirs;
  return { ...figures, ratio, bound: `≤ ${bound} ${figures.unit} above`, met: figures.ours - figures.theirs <= bound };
}

/** A figure without a bound: to be seen beside the others. */
export function shown(figures: Figures): Row {
  return { ...figures, ratio: figures.ours / figures.theirs, bound: 'shown', met: null };
}

/** The same for one that nothing is compared with. */
export function measured(figures: Pick<Row, 'name' | 'unit' | 'ours'>): Row {
  return { ...figures, theirs: null, ratio: null, bound: 'shown', met: null };
}

const HEADINGS = ['', 'ours', 'theirs', 'ratio', 'bound', 'met'];

export function printed(rows: readonly Row[]): string {
  const lines = [HEADINGS, ...rows.map(cells)];
  const widths = HEADINGS.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, at) => aligned(cell, at, widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function cells({ name, unit, ours, theirs, ratio, bound, met }: Row): string[] {
  const figure = (value: number | null): string => (value === null ? '' : `${short(value)} ${unit}`.trimEnd());
  const verdict = met === null ? '' : met ? 'yes' : 'NO';
  return [name, figure(ours), figure(theirs), ratio === null ? '' : ratio.toFixed(2), bound, verdict];
}

function aligned(cell: string, column: number, width: number): string {
  return column > 0 && column < 4 ? cell.padStart(width) : cell.padEnd(width);
}

function short(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return value >= 100 ? value.toFixed(0) : value.toFixed(2);
}
