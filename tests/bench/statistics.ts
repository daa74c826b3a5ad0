/** The middle of several values and how far apart they lie. */
export interface Spread {
  median: number;
  min: number;
  max: number;
}

/**
 * The middle value; the mean of the two middle ones where their number is even.
 *
 * @throws {RangeError} where there are none
 */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("Cannot tell the median: there are no values");
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The median with the smallest and the largest value. */
export function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/**
 * How a subject compares with a reference that was measured in alternation with it: the ratio of the medians, and the
 * smallest and the largest ratio within one round. `null` where no round has both.
 *
 * @param subject a value for each round, `null` where that failed
 * @param reference as `subject`
 */
export function ratioOf(
  subject: readonly (number | null)[],
  reference: readonly (number | null)[],
): Spread | null {
  const pairs = subject
    .map((value, round) => [value, reference[round] ?? null] as const)
    .filter((pair): pair is readonly [number, number] => pair[0] !== null && pair[1] !== null);
  if (pairs.length === 0) return null;
  const { min, max } = spreadOf(pairs.map(([ours, theirs]) => ours / theirs));
  const ratio = median(pairs.map(([ours]) => ours)) / median(pairs.map(([, theirs]) => theirs));
  return { median: ratio, min, max };
}
