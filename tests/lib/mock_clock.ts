import { mock } from "node:test";

/** Timers and `Date` that move only when they are told to, until the scope is left. */
export class MockClock implements Disposable {
  constructor(now = 1_000_000) {
    mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now });
  }

  /** Moves on by `ms`, and runs what becomes due. */
  tick(ms: number): void {
    mock.timers.tick(ms);
  }

  [Symbol.dispose](): void {
    mock.timers.reset();
  }
}

/** Lets everything that is resolved already run on. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}
