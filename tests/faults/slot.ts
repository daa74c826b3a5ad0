import { setTimeout as delay } from "node:timers/promises";
import type { ChildProcess } from "../support/child_process.ts";
import { startDeno } from "../support/deno_process.ts";
import { FaultyNetwork } from "./faulty_network.ts";
import type { LedgerLine } from "./ledger_line.ts";
import { LedgerReader } from "./ledger_reader.ts";
import type { NetworkFault, ProcessFault } from "./plan.ts";
import type { PartSetting } from "./programs/part.ts";
import { resultWithin } from "./result_within.ts";
import { type Outage, recoveries, type Recovery } from "./recovery.ts";
import type { LedgerTally, ProcessLedger } from "./tally.ts";

const ROOT = new URL("../../", import.meta.url);
/** How long a process may take to come to the point where it is to die. */
const POINT_MS = 1_500;
const DELAY_MS = 120;
/** How long a process that was asked to end may take. */
const END_BOUND_MS = 45_000;
/** The exit code of a process that SIGTERM ended, as it did not listen for it yet. */
const TERMINATED = 143;

/** A place for one process after the other: its network, its ledgers, and what was done to it. */
export interface SlotSetting {
  name: string;
  program: "producer" | "consumer";
  /** Whether its processes can be killed without a message being theirs alone. */
  killable: boolean;
  part: Omit<PartSetting, "url" | "ledger" | "clientId" | "seed">;
}

interface Run {
  process: ChildProcess;
  name: string;
  reader: LedgerReader;
  ledger: ProcessLedger;
  states: LedgerLine[];
  /** Whether it was told to end. */
  asked: boolean;
  /** Whether its ledger is read to the end. */
  read: boolean;
}

/** One process after the other under the same client id, behind a network of its own. */
export class Slot implements AsyncDisposable {
  readonly setting: SlotSetting;
  readonly outages: Outage[] = [];
  /** Processes that ended though nobody asked them to, and those that did not though they were asked. */
  readonly deaths: string[] = [];
  readonly stuck: string[] = [];
  kills = 0;
  killsAtPoint = 0;
  stops = 0;
  networkFaults = 0;
  readonly #network: FaultyNetwork;
  readonly #tally: LedgerTally;
  readonly #folder: string;
  readonly #runs: Run[] = [];
  #processWork: Promise<void> = Promise.resolve();
  #networkWork: Promise<void> = Promise.resolve();

  static async start(
    setting: SlotSetting,
    { brokerPort, folder, tally }: { brokerPort: number; folder: string; tally: LedgerTally },
  ): Promise<Slot> {
    const slot = new Slot(setting, await FaultyNetwork.start(brokerPort), folder, tally);
    slot.#run();
    return slot;
  }

  private constructor(
    setting: SlotSetting,
    network: FaultyNetwork,
    folder: string,
    tally: LedgerTally,
  ) {
    this.setting = setting;
    this.#network = network;
    this.#folder = folder;
    this.#tally = tally;
  }

  /** The program that runs. */
  get #current(): Run {
    return this.#runs.at(-1)!;
  }

  /** Kills or stops the process, once what was done to it before is over. */
  harm(what: ProcessFault, lastsMs: number): void {
    this.#processWork = this.#processWork.then(() =>
      what === "stop" ? this.#stop(lastsMs) : this.#kill(what)
    );
  }

  /** Breaks the network, once what was broken before is whole. */
  disturb(what: NetworkFault, lastsMs: number): void {
    this.#networkWork = this.#networkWork.then(() => this.#break(what, lastsMs));
  }

  /** Resolves when no fault is at work. */
  async settled(): Promise<void> {
    await Promise.all([this.#processWork, this.#networkWork]);
  }

  /** Reads what was written since. */
  read(): LedgerLine[] {
    return this.#runs.flatMap((run) => {
      if (run.read) return [];
      const lines = run.reader.read();
      for (const line of lines) {
        run.ledger.add(line);
        if (line.kind === "state") run.states.push(line);
      }
      return lines;
    });
  }

  /** Asks the process to end, and waits for it. */
  async end(): Promise<void> {
    const run = this.#current;
    run.asked = true;
    run.process.signal("SIGTERM");
    const result = await resultWithin(END_BOUND_MS, run.process.result());
    if (result === null) {
      this.stuck.push(`${run.name}: did not end within ${END_BOUND_MS} ms`);
      await run.process.kill();
    }
    this.read();
    run.read = true;
    // Who was started a moment ago, in place of one that was killed, has no state to write down yet.
    const hadBegun = run.states.length > 0;
    if (result !== null && result.code !== 0 && (hadBegun || result.code !== TERMINATED)) {
      this.deaths.push(`${run.name}: exit code ${result.code} ${result.stderr}`);
    }
  }

  /** How long each outage was felt after it had ended. */
  recoveries(): Recovery[] {
    return this.#runs.flatMap(({ states }) => recoveries(states, this.outages));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { process } of this.#runs) await process[Symbol.asyncDispose]();
    await this.#network[Symbol.asyncDispose]();
  }

  #run(): void {
    const { name: slotName, program, part } = this.setting;
    const name = `${slotName}-${this.#runs.length}`;
    const path = `${this.#folder}/${name}.jsonl`;
    Deno.writeTextFileSync(path, "");
    const setting: PartSetting = {
      ...part,
      url: `mqtt://127.0.0.1:${this.#network.port}`,
      ledger: path,
      clientId: slotName,
      seed: this.#runs.length,
    };
    const process = startDeno([
      ...["run", "--quiet", "--no-prompt", "--allow-env"],
      `--allow-net=127.0.0.1:${this.#network.port}`,
      `--allow-write=${path}`,
      `tests/faults/programs/${program}.ts`,
      JSON.stringify(setting),
    ], { cwd: ROOT.pathname });
    const run: Run = {
      process,
      name,
      reader: new LedgerReader(path),
      ledger: this.#tally.addProcess(name),
      states: [],
      asked: false,
      read: false,
    };
    this.#runs.push(run);
    process.result().then(({ code, stderr }) => {
      if (!run.asked) this.deaths.push(`${name}: exit code ${code} ${stderr}`);
    });
  }

  async #kill(what: ProcessFault): Promise<void> {
    const run = this.#current;
    const { process } = run;
    run.asked = true;
    if (what !== "kill") {
      process.signal(what === "kill at first point" ? "SIGUSR1" : "SIGUSR2");
      const frozen = process.stdout.waitFor("frozen").catch(() => null);
      if (await resultWithin(POINT_MS, frozen) !== null) this.killsAtPoint++;
    }
    await process.kill();
    this.kills++;
    this.read();
    run.ledger.killed();
    run.read = true;
    this.#run();
  }

  async #stop(lastsMs: number): Promise<void> {
    const outage = { what: "stop", from: Date.now(), to: Infinity };
    this.outages.push(outage);
    this.#current.process.signal("SIGSTOP");
    await delay(lastsMs);
    this.#current.process.signal("SIGCONT");
    outage.to = Date.now();
    this.stops++;
  }

  async #break(what: NetworkFault, lastsMs: number): Promise<void> {
    const network = this.#network;
    const outage = { what, from: Date.now(), to: Infinity };
    this.outages.push(outage);
    this.networkFaults++;
    switch (what) {
      case "refuse":
        network.refuse();
        network.cut();
        break;
      case "half open up":
        network.stall("up");
        break;
      case "half open down":
        network.stall("down");
        break;
      case "silent drop":
        network.swallow("up");
        network.swallow("down");
        break;
      case "delay":
        network.delay(DELAY_MS);
        break;
      case "dribble":
        network.dribble();
        break;
      case "reset":
        network.reset(lastsMs % 2 === 0 ? "up" : "down");
        break;
      case "cut":
        network.cut();
    }
    // A cut is over at once; a reset waits for a packet to cut in two.
    if (what !== "cut") await delay(lastsMs);
    network.heal();
    outage.to = Date.now();
  }
}
