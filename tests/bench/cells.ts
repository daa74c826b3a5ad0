import {
  type Contestant,
  flooded,
  holding,
  measured,
  mosquittoClients,
  page,
  served,
  startedCold,
  together,
} from "./contestants.ts";

/** One figure of a cell, as the table shows it. */
export interface Measure {
  /** Its name among the figures. */
  key: string;
  title: string;
  /** Where the reference has it under another name. */
  referenceKey?: string;
  /** Digits behind the point. @default {0} */
  digits?: number;
}

/** A contestant and those it is compared with. */
export interface Comparison {
  subject: string;
  references: readonly string[];
}

/** What is measured in alternation, on one broker. */
export interface Cell {
  title: string;
  contestants: readonly Contestant[];
  comparisons: readonly Comparison[];
  measures: readonly Measure[];
  /** How often each contestant has its turn, where the usual number is too much or too little. */
  rounds?: number;
  /** Milliseconds that one program may run, where the usual bound does not do. */
  limitMs?: number;
}

/** `full` is what the note shows; `quick` is for a look while one works. */
export type Form = "full" | "quick";

/** The contestants' names. */
export const NAMES = {
  ours5: "queue, MQTT 5",
  oursJson: "queue, 3.1.1, JSON",
  oursBare: "queue, 3.1.1, bare",
  raw5: "MQTT.js, MQTT 5",
  raw5Properties: "MQTT.js, MQTT 5, same properties",
  raw4: "MQTT.js, 3.1.1",
  node5: "MQTT.js in Node, MQTT 5",
  node4: "MQTT.js in Node, 3.1.1",
  pip: "pip-services3-mqtt-node",
  mosquitto: "mosquitto_pub, mosquitto_sub",
  held10: "10 held",
  held1000: "1,000 held",
  held65535: "65,535 held",
  page: "page",
} as const;

/** The cells that the targets are read from. */
export const TITLES = {
  headline: "QoS 1, 100 B",
  held: "Cost of an operation while so many are held",
  flood: "2,000 messages of 1 MiB waiting at the broker",
  page: "The page, 1,000 messages a second",
} as const;

const WINDOW = 4096;
const OURS = { file: "programs/throughput.ts" };
const RAW = { file: "rivals/mqttjs.js" };
const RAW_IN_NODE = { ...RAW, runtime: "node" } as const;
const SIZES = [[16, "16 B"], [100, "100 B"], [1024, "1 KiB"], [65_536, "64 KiB"]] as const;
/** Messages per mode at QoS 0, 1 and 2: half a second or so. Of 64 KiB fewer than a queue may hold (64 MiB). */
const COUNTS = { small: [8_000, 5_000, 4_000], large: [500, 500, 400] } as const;
/** The loops become faster for some 20,000 messages; what is left of that is the same for all contestants. */
const WARM_UP = { small: 5_000, large: 300 } as const;
const HEADLINE = {
  qos: 1,
  size: 100,
  label: "100 B",
  count: 30_000,
  warmUp: 20_000,
  trips: 1_000,
} as const;
/** For what takes its time, and has bounds of its own. */
const LONG_MS = 150_000;
const EVERY_MODE = ["both", "listen", "wait", "reply", "send", "receive"];

const THROUGHPUT: readonly Measure[] = [
  { key: "both", title: "send and receive together, messages/s" },
  { key: "both cpu", title: "the same, processor µs/message", digits: 1 },
  { key: "both broker", title: "the same, the broker's processor µs/message", digits: 1 },
  { key: "both load", title: "the same, the broker's share of a core", digits: 2 },
  { key: "listen 1", referenceKey: "both", title: "the same by `listen`, concurrency 1" },
  { key: "listen 32", referenceKey: "both", title: "the same by `listen`, concurrency 32" },
  { key: "send", title: "send alone, messages/s" },
  { key: "send cpu", title: "the same, processor µs/message", digits: 1 },
  { key: "receive", title: "receive alone, messages/s" },
  { key: "receive cpu", title: "the same, processor µs/message", digits: 1 },
  { key: "wait p50", title: "waiting receive, median ms", digits: 3 },
  { key: "wait p99", title: "waiting receive, p99 ms", digits: 3 },
  { key: "reply p50", title: "request and reply, median ms", digits: 3 },
  { key: "reply p99", title: "request and reply, p99 ms", digits: 3 },
];

/** What a form measures. Rivals in Node are left out where there is none. */
export function cellsOf(form: Form, hasNode: boolean): Cell[] {
  const cells = form === "full" ? fullCells() : quickCells();
  if (hasNode) return cells;
  const inNode: string[] = [NAMES.node4, NAMES.node5, NAMES.pip];
  return cells.map((cell) => ({
    ...cell,
    contestants: cell.contestants.filter(({ name }) => !inNode.includes(name)),
  }));
}

function fullCells(): Cell[] {
  const matrix = [1, 0, 2].flatMap((qos) =>
    SIZES.filter(([size]) => qos !== HEADLINE.qos || size !== HEADLINE.size)
      .map(([size, label]) => {
        const scale = size === 65_536 ? "large" : "small";
        const [count, warmUp] = [COUNTS[scale][qos], WARM_UP[scale]];
        return throughput({ qos, size, label, count, warmUp, trips: 200 }, false);
      })
  );
  // Those of the targets first: should the time be up, the others are left out.
  return [
    { ...throughput(HEADLINE, true), rounds: 5 },
    { ...held(100, 30_000), rounds: 2 },
    flood(),
    pageBench(),
    ...matrix,
    ...SIZES.map(([size, label]) => ({
      ...memory(size, label, size === 65_536 ? 500 : 20_000),
      rounds: 2,
    })),
    codec("100 B", 100, 5_000),
    codec("64 KiB", 65_536, 200),
    coldStart(),
    { ...several(10, 2_000), rounds: 2 },
    { ...jsonApi(2_000), rounds: 2 },
  ];
}

function quickCells(): Cell[] {
  return [
    { ...codec("100 B", 100, 2_000), rounds: 1 },
    { ...coldStart(), rounds: 1 },
    quickHeld(),
    quickHeadline(),
  ];
}

/** The headline without what needs most time: `listen`, replies, and MQTT.js in Node. */
function quickHeadline(): Cell {
  const modes = ["both", "wait", "send", "receive"];
  const cell = throughput(
    { ...HEADLINE, count: 5_000, warmUp: 6_000, trips: 100, modes },
    true,
  );
  const leftOut: string[] = [NAMES.node4, NAMES.node5];
  return { ...cell, contestants: cell.contestants.filter(({ name }) => !leftOut.includes(name)) };
}

/** The two levels that the targets name. */
function quickHeld(): Cell {
  const { contestants, comparisons, ...cell } = held(30, 20_000);
  return {
    ...cell,
    contestants: contestants.filter(({ name }) => name !== NAMES.held1000),
    comparisons: comparisons.filter(({ subject }) => subject !== NAMES.held1000),
    rounds: 1,
  };
}

/** Everything that moves messages, at one quality of service and size. */
function throughput(
  { qos, size, label, count, warmUp, trips, modes: wanted = EVERY_MODE }: {
    qos: number;
    size: number;
    label: string;
    count: number;
    warmUp: number;
    trips: number;
    modes?: readonly string[];
  },
  everyRival: boolean,
): Cell {
  // Mosquitto keeps nothing at QoS 0 for a session that is away.
  const modes = wanted.filter((mode) => qos > 0 || mode !== "receive");
  const task = { modes, qos, size, count, warmUp, trips, window: WINDOW };
  const rivalTask = { ...task, modes: modes.filter((mode) => mode !== "listen") };
  const contestants = [
    measured(NAMES.ours5, OURS, { ...task, version: 5 }),
    measured(NAMES.raw5, RAW, { ...rivalTask, version: 5 }),
    measured(NAMES.node5, RAW_IN_NODE, { ...rivalTask, version: 5 }),
    mosquittoClients(NAMES.mosquitto, { qos, size, count }),
  ];
  const references: string[] = [NAMES.raw5, NAMES.node5, NAMES.mosquitto];
  const comparisons: Comparison[] = [{ subject: NAMES.ours5, references }];
  if (qos === 1) {
    references.unshift(NAMES.raw5Properties);
    contestants.splice(
      1,
      0,
      measured(NAMES.raw5Properties, RAW, { ...rivalTask, version: 5, properties: true }),
    );
  }
  if (everyRival) {
    contestants.push(
      measured(NAMES.oursJson, OURS, { ...task, version: 4 }),
      measured(NAMES.oursBare, OURS, { ...task, version: 4, bare: true }),
      measured(NAMES.raw4, RAW, { ...rivalTask, version: 4 }),
      measured(NAMES.node4, RAW_IN_NODE, { ...rivalTask, version: 4 }),
      // It polls ten times a second: few single messages are enough. It answers no requests here.
      measured(NAMES.pip, { file: "rivals/pip_services.js", runtime: "node" }, {
        ...rivalTask,
        modes: ["both", "wait", "send"],
        trips: 4,
      }),
    );
    references.push(NAMES.pip);
    comparisons.push(
      { subject: NAMES.oursJson, references: [NAMES.raw4, NAMES.node4, NAMES.pip] },
      { subject: NAMES.oursBare, references: [NAMES.raw4, NAMES.node4] },
    );
  }
  return {
    title: everyRival ? TITLES.headline : `QoS ${qos}, ${label}`,
    contestants,
    comparisons,
    measures: THROUGHPUT,
  };
}

function memory(size: number, label: string, count: number): Cell {
  const settings = { version: 5, size, count } as const;
  return {
    title: `Memory per held message, ${label}`,
    contestants: [
      holding(NAMES.ours5, { file: "programs/memory.ts", collectsGarbage: true }, settings),
      holding(NAMES.raw5, { file: "rivals/mqttjs_memory.js", collectsGarbage: true }, settings),
    ],
    comparisons: [{ subject: NAMES.ours5, references: [NAMES.raw5] }],
    measures: [{ key: "bytes", title: "resident bytes per message" }],
  };
}

function held(groups: number, warmUp: number): Cell {
  const levels = [[NAMES.held10, 10], [NAMES.held1000, 1000], [NAMES.held65535, 65_535]] as const;
  const costs = ["receive", "lock", "peek", "peekBatch", "complete", "abandon", "count", "stats"];
  const titles: Record<string, string> = {
    lock: "`receive` under a lock",
    peekBatch: "`peekBatch` of 10",
    count: "`readMessageCount`, which asks the broker",
    stats: "`stats`, which asks nobody",
  };
  return {
    title: TITLES.held,
    contestants: levels.map(([name, held]) =>
      measured(name, { file: "programs/held.ts" }, { version: 5, held, groups, warmUp })
    ),
    comparisons: [
      { subject: NAMES.held65535, references: [NAMES.held10] },
      { subject: NAMES.held1000, references: [NAMES.held10] },
    ],
    measures: costs.map((key) => ({
      key,
      title: `${titles[key] ?? `\`${key}\``}, µs`,
      digits: 2,
    })),
  };
}

function codec(label: string, size: number, count: number): Cell {
  const keys = ["encode, properties", "encode, JSON", "decode, properties", "decode, JSON"];
  return {
    title: `Envelope of ${label}`,
    contestants: [measured("envelope codec", { file: "programs/codec.ts" }, { size, count })],
    comparisons: [{ subject: "envelope codec", references: [] }],
    measures: keys.map((key) => ({ key, title: `${key}, ns` })),
  };
}

function coldStart(): Cell {
  const rival = { file: "rivals/mqttjs_cold_start.js" };
  return {
    title: "Cold start, from the process to its first message",
    contestants: [
      startedCold(NAMES.ours5, { file: "programs/cold_start.ts" }, 5),
      startedCold(NAMES.raw5, rival, 5),
      startedCold(NAMES.node5, { ...rival, runtime: "node" }, 5),
    ],
    comparisons: [{ subject: NAMES.ours5, references: [NAMES.raw5, NAMES.node5] }],
    measures: [{ key: "first", title: "first message, ms" }],
  };
}

function several(queues: number, count: number): Cell {
  const settings = { version: 5, count, window: WINDOW / 8, size: 100 };
  const ours = { file: "programs/several.ts" };
  const raw = { file: "rivals/mqttjs_several.js" };
  const one = { ...settings, queues };
  const many = { ...settings, queues: 1 };
  const inOne = "queues in one process";
  const rawInOne = "MQTT.js in one process";
  return {
    title: "Ten queues, QoS 1, 100 B",
    contestants: [
      together(inOne, ours, 1, one),
      together("queues in ten processes", ours, queues, many),
      together(rawInOne, raw, 1, one),
      together("MQTT.js in ten processes", raw, queues, many),
    ],
    comparisons: [
      { subject: inOne, references: ["queues in ten processes", rawInOne] },
      { subject: "queues in ten processes", references: ["MQTT.js in ten processes"] },
    ],
    measures: [
      { key: "rate", title: "send and receive together, messages/s" },
      { key: "rss", title: "resident memory, MiB" },
    ],
  };
}

function jsonApi(count: number): Cell {
  const concurrency = 8;
  return {
    title: `JSON API, ${concurrency} requests at once`,
    contestants: [served("server", { file: "programs/json_api.ts" }, { count, concurrency })],
    comparisons: [{ subject: "server", references: [] }],
    measures: ["send", "count", "receive"].map((key) => ({ key, title: `${key}, requests/s` })),
  };
}

function flood(): Cell {
  return {
    title: TITLES.flood,
    contestants: [
      flooded(NAMES.ours5, { file: "programs/flood.ts" }, {
        version: 5,
        count: 2_000,
        holdMs: 4_000,
      }),
    ],
    comparisons: [{ subject: NAMES.ours5, references: [] }],
    measures: [
      { key: "peak", title: "resident memory at most, MiB" },
      { key: "lost", title: "messages lost" },
      { key: "lostLinks", title: "changes of the link" },
    ],
    rounds: 1,
    limitMs: LONG_MS,
  };
}

function pageBench(): Cell {
  return {
    title: TITLES.page,
    contestants: [page(NAMES.page)],
    comparisons: [{ subject: NAMES.page, references: [] }],
    measures: [
      { key: "p50 ms", title: "publish to line in the DOM, median ms" },
      { key: "p95 ms", title: "publish to line in the DOM, p95 ms" },
      { key: "max ms", title: "publish to line in the DOM, longest ms" },
      { key: "longest task ms", title: "longest task of the page, ms (50: none was longer)" },
    ],
    rounds: 1,
    limitMs: LONG_MS,
  };
}
