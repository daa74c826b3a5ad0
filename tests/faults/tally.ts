import type { LedgerLine } from "./ledger_line.ts";

/** What the ledgers of one quality of service say when they are laid side by side. */
export interface Tally {
  /** Messages that a `send` resolved for. */
  sent: number;
  /** Sends that were rejected, and told so. */
  failed: number;
  /** Sent, and completed or given up. */
  settled: number;
  /** Found among the dead letters. */
  buried: number;
  /** Sent, and neither settled nor among the dead letters. */
  lost: string[];
  /** Handed out more often by one process than the broker had them and the process gave them back. */
  repeatedWithin: string[];
  /**
   * Handed out for the first time behind one that the same producer sent later. What a process before
   * had settled, and a broker brings again because it lost that, has had its turn.
   */
  outOfOrder: string[];
  /** Handed out by more than one process. */
  repeatedAcross: number;
  /** Taken more than once by the broker: the acknowledgement of the first was lost with the link. */
  takenTwice: string[];
  /** Waits that did not end within their bound. */
  stuck: string[];
  /** What was told and nothing in the campaign explains. */
  errors: string[];
}

interface Entry {
  sent: boolean;
  settled: boolean;
  /** When a settlement was first asked for. */
  settledAt: number;
  /** How many processes had it. */
  holders: number;
}

/** What one process did with one message. */
interface Handling {
  handouts: number;
  givenBack: number;
}

/** Lays ledgers side by side. It knows nothing of the queue. */
export class LedgerTally {
  readonly #entries = new Map<string, Entry>();
  readonly #stuck: string[] = [];
  readonly #errors: string[] = [];
  readonly #processes: ProcessLedger[] = [];
  #failed = 0;

  /** A ledger more; its lines may come piece by piece. */
  addProcess(name: string): ProcessLedger {
    const process = new ProcessLedger(
      name,
      (line) => this.#take(name, line),
      (id) => this.#entry(id),
    );
    this.#processes.push(process);
    return process;
  }

  /** How many messages were sent so far. */
  get sent(): number {
    return this.#count((entry) => entry.sent);
  }

  /** Those that were sent and are not settled. */
  get open(): string[] {
    const open: string[] = [];
    for (const [id, { sent, settled }] of this.#entries) if (sent && !settled) open.push(id);
    return open;
  }

  /**
   * @param taken how often the broker took each message, by somebody who only watched
   * @param deadLetters the ids that are among the dead letters
   */
  compare(taken: ReadonlyMap<string, number>, deadLetters: ReadonlySet<string>): Tally {
    const repeatedWithin = this.#processes.flatMap((process) => process.repeated(taken));
    const lost: string[] = [];
    for (const process of this.#processes) {
      for (const id of process.buriedIds) if (!deadLetters.has(id)) lost.push(`${id} (buried)`);
    }
    let settled = 0;
    for (const [id, entry] of this.#entries) {
      if (!entry.sent) continue;
      if (entry.settled || deadLetters.has(id)) settled++;
      else lost.push(id);
    }
    return {
      sent: this.sent,
      failed: this.#failed,
      settled,
      buried: [...deadLetters].filter((id) => this.#entries.has(id)).length,
      lost,
      repeatedWithin,
      outOfOrder: this.#processes.flatMap((process) => process.outOfOrder()),
      repeatedAcross: this.#count((entry) => entry.holders > 1),
      takenTwice: [...this.#entries.keys()].filter((id) => (taken.get(id) ?? 0) > 1),
      stuck: this.#stuck,
      errors: this.#errors,
    };
  }

  #take(process: string, { kind, id, at, what }: LedgerLine): void {
    if (kind === "settling" || kind === "completed" || kind === "buried") {
      const entry = this.#entry(id!);
      entry.settledAt = Math.min(entry.settledAt, at);
    }
    if (kind === "sent") this.#entry(id!).sent = true;
    else if (kind === "failed") this.#failed++;
    else if (kind === "completed" || kind === "buried") this.#entry(id!).settled = true;
    else if (kind === "stuck") this.#stuck.push(`${process}: ${what}`);
    else if (kind === "error") this.#errors.push(`${process}: ${what}`);
  }

  #entry(id: string): Entry {
    let entry = this.#entries.get(id);
    if (entry === undefined) {
      entry = { sent: false, settled: false, settledAt: Infinity, holders: 0 };
      this.#entries.set(id, entry);
    }
    return entry;
  }

  #count(counts: (entry: Entry) => boolean): number {
    let count = 0;
    for (const entry of this.#entries.values()) if (counts(entry)) count++;
    return count;
  }
}

/** The ledger of one process. */
export class ProcessLedger {
  readonly #name: string;
  readonly #take: (line: LedgerLine) => void;
  readonly #entry: (id: string) => Entry;
  readonly #handlings = new Map<string, Handling>();
  /** Whose settlement was asked for and has not been told yet. */
  readonly #settling = new Set<string>();
  /** The number of the last message of each producer that was handed out for the first time. */
  readonly #lastNumbers = new Map<string, number>();
  readonly buriedIds: string[] = [];
  readonly #late: { id: string; at: number; behind: number }[] = [];

  constructor(name: string, take: (line: LedgerLine) => void, entry: (id: string) => Entry) {
    this.#name = name;
    this.#take = take;
    this.#entry = entry;
  }

  add(line: LedgerLine): void {
    this.#take(line);
    const { kind, id } = line;
    if (id === undefined) return;
    if (kind === "received") {
      const handling = this.#handlings.get(id) ?? { handouts: 0, givenBack: 0 };
      if (handling.handouts++ === 0) {
        this.#entry(id).holders++;
        this.#order(id, line.at);
      }
      this.#handlings.set(id, handling);
    } else if (kind === "abandoned") {
      this.#handlings.get(id)!.givenBack++;
    } else if (kind === "settling") {
      this.#settling.add(id);
    } else if (kind === "completed") {
      this.#settling.delete(id);
    } else if (kind === "buried") {
      this.buriedIds.push(id);
    }
  }

  /**
   * It was killed. Between a settlement and the word that it resolved lies a moment: whose settlement
   * was asked for then is settled, or comes again.
   */
  killed(): void {
    for (const id of this.#settling) this.#entry(id).settled = true;
  }

  /** What it was handed more often than it gave it back and the broker had it. */
  repeated(taken: ReadonlyMap<string, number>): string[] {
    return [...this.#handlings]
      .filter(([id, { handouts, givenBack }]) => handouts > givenBack + (taken.get(id) ?? 1))
      .map(([id, { handouts }]) => `${id} (${this.#name}, ${handouts} times)`);
  }

  /** What it was handed behind a later one, and nobody had settled by then. */
  outOfOrder(): string[] {
    return this.#late
      .filter(({ id, at }) => this.#entry(id).settledAt >= at)
      .map(({ id, behind }) => `${id} behind ${behind} (${this.#name})`);
  }

  /** A producer numbers its messages: its name stands before the last slash of an id. */
  #order(id: string, at: number): void {
    const slash = id.lastIndexOf("/");
    const [producer, number] = [id.slice(0, slash), Number(id.slice(slash + 1))];
    const last = this.#lastNumbers.get(producer) ?? -1;
    if (number < last) this.#late.push({ id, at, behind: last });
    else this.#lastNumbers.set(producer, number);
  }
}
