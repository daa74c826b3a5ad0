import { fc } from "./deps.ts";

/** One property has so long at most, in milliseconds: all of them together stay a matter of seconds. */
const LIMIT_MS = 3_000;

/**
 * Holds a property against made-up input. Where it does not hold, the error tells the seed, the path and
 * the smallest input; `FUZZ_SEED` tries the same input again.
 */
export async function check<Input>(
  property: fc.IRawProperty<Input>,
  runs = 500,
): Promise<void> {
  const seed = Deno.env.get("FUZZ_SEED");
  await fc.assert(property as fc.IAsyncProperty<Input>, {
    numRuns: runs,
    interruptAfterTimeLimit: LIMIT_MS,
    ...seed === undefined ? {} : { seed: Number(seed) },
  });
}
