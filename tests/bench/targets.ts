import { NAMES, TITLES } from "./cells.ts";
import { type CellResult, valuesOf } from "./run_cell.ts";
import { ratioOf, type Spread, spreadOf } from "./statistics.ts";

/** A target, and what came of it. */
export interface Verdict {
  what: string;
  /** `at least 1.0x`. */
  asked: string;
  /** `null` where it was not measured. */
  measured: Spread | null;
  digits: number;
  unit: string;
  held: boolean;
}

interface Target {
  what: string;
  cell: string;
  subject: string;
  figure: string;
  /** Compared with this; without it the figure itself is the measure. */
  reference?: string;
  atLeast?: number;
  atMost?: number;
  unit?: string;
  /** Said beside the bound. */
  aim?: string;
}

const TOGETHER = "QoS 1, 100 B, send and receive";
const RAW_TARGET = {
  cell: TITLES.headline,
  figure: "both",
  atLeast: 1,
  aim: "aim 1.3x",
} as const;
const HELD_TARGET = {
  cell: TITLES.held,
  subject: NAMES.held65535,
  reference: NAMES.held10,
  atMost: 1.5,
} as const;

const TARGETS: readonly Target[] = [
  {
    ...RAW_TARGET,
    what: `${TOGETHER}: MQTT 5 against MQTT.js with the same properties`,
    subject: NAMES.ours5,
    reference: NAMES.raw5Properties,
  },
  {
    ...RAW_TARGET,
    what: `${TOGETHER}: MQTT 5 against MQTT.js without properties`,
    subject: NAMES.ours5,
    reference: NAMES.raw5,
  },
  {
    ...RAW_TARGET,
    what: `${TOGETHER}: 3.1.1 bare against MQTT.js`,
    subject: NAMES.oursBare,
    reference: NAMES.raw4,
  },
  {
    ...RAW_TARGET,
    what: `${TOGETHER}: 3.1.1 as JSON against MQTT.js without`,
    subject: NAMES.oursJson,
    reference: NAMES.raw4,
  },
  {
    ...RAW_TARGET,
    what: `${TOGETHER}: MQTT 5 against pip-services3-mqtt-node`,
    subject: NAMES.ours5,
    reference: NAMES.pip,
    atLeast: 3,
    aim: undefined,
  },
  {
    ...RAW_TARGET,
    what: `${TOGETHER}: 3.1.1 as JSON against pip-services3-mqtt-node, JSON too`,
    subject: NAMES.oursJson,
    reference: NAMES.pip,
    atLeast: 3,
    aim: undefined,
  },
  {
    what: "waiting receive, median, against MQTT.js from publish to message",
    cell: TITLES.headline,
    subject: NAMES.ours5,
    reference: NAMES.raw5,
    figure: "wait p50",
    atMost: 1.2,
  },
  { ...HELD_TARGET, what: "`receive` at 65,535 held against 10", figure: "receive" },
  { ...HELD_TARGET, what: "`peek` at 65,535 held against 10", figure: "peek" },
  { ...HELD_TARGET, what: "`complete` at 65,535 held against 10", figure: "complete" },
  {
    ...HELD_TARGET,
    what: "`readMessageCount`, asking the broker, at 65,535 held against 10",
    figure: "count",
  },
  { ...HELD_TARGET, what: "`stats` at 65,535 held against 10", figure: "stats" },
  {
    what: "2,000 messages of 1 MiB waiting: resident memory at most",
    cell: TITLES.flood,
    subject: NAMES.ours5,
    figure: "peak",
    atMost: 300,
    unit: " MiB",
  },
  {
    what: "2,000 messages of 1 MiB waiting: lost",
    cell: TITLES.flood,
    subject: NAMES.ours5,
    figure: "lost",
    atMost: 0,
    unit: "",
  },
  {
    what: "page, 1,000 messages/s: publish to line in the DOM, p95",
    cell: TITLES.page,
    subject: NAMES.page,
    figure: "p95 ms",
    atMost: 150,
    unit: " ms",
  },
  {
    what: "page, 1,000 messages/s: longest task (50: none was longer)",
    cell: TITLES.page,
    subject: NAMES.page,
    figure: "longest task ms",
    atMost: 50,
    unit: " ms",
  },
];

/** What came of each target. */
export function judge(results: readonly CellResult[]): Verdict[] {
  return TARGETS.map((target) => {
    const { what, atLeast = -Infinity, atMost = Infinity, unit = "x", aim } = target;
    const digits = unit === "x" ? 2 : 0;
    const bound = target.atLeast === undefined ? atMost : atLeast;
    const word = target.atLeast === undefined ? "at most" : "at least";
    const limit = unit === "x" ? bound.toFixed(1) : bound;
    const asked = `${word} ${limit}${unit}${aim === undefined ? "" : `, ${aim}`}`;
    const measured = measuredFor(target, results);
    const held = measured !== null && measured.median >= atLeast && measured.median <= atMost;
    return { what, asked, measured, digits, unit, held };
  });
}

function measuredFor(
  { cell, subject, reference, figure }: Target,
  results: readonly CellResult[],
): Spread | null {
  const result = results.find((result) => result.cell.title === cell);
  if (result === undefined) return null;
  const own = valuesOf(result, subject, figure);
  if (reference !== undefined) return ratioOf(own, valuesOf(result, reference, figure));
  const there = own.filter((value) => value !== null);
  return there.length === 0 ? null : spreadOf(there);
}
