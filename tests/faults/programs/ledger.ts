import type { LedgerLine } from "../ledger_line.ts";

const encoder = new TextEncoder();
/** Chances that a wait gets beyond its bound: one who was stopped in between has not run meanwhile. */
const CHANCES = 5;
const CHANCE_MS = 1_000;

/** What this process did, written synchronously into a file of its own. */
export class Ledger implements Disposable {
  readonly #file: Deno.FsFile;

  constructor(path: string) {
    this.#file = Deno.openSync(path, { append: true });
  }

  write(kind: LedgerLine["kind"], more: Omit<LedgerLine, "kind" | "at"> = {}): void {
    const line: LedgerLine = { kind, at: Date.now(), ...more };
    this.#file.writeSync(encoder.encode(`${JSON.stringify(line)}\n`));
  }

  /** Notes a wait that does not end within its bound. */
  async bounded<Result>(what: string, boundMs: number, wait: Promise<Result>): Promise<Result> {
    let chances = CHANCES;
    const look = () => {
      if (chances-- > 0) timer = setTimeout(look, CHANCE_MS);
      else this.write("stuck", { what: `${what}: ${boundMs} ms` });
    };
    let timer = setTimeout(look, boundMs);
    try {
      return await wait;
    } finally {
      clearTimeout(timer);
    }
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}
