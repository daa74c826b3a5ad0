import type { CampaignReport, QosReport } from "./campaign_run.ts";

const EXAMPLES = 10;

const ROWS: readonly [what: string, count: (part: QosReport) => number][] = [
  ["processes killed", ({ kills }) => kills],
  ["… of these at a chosen point", ({ killsAtPoint }) => killsAtPoint],
  ["processes stopped for longer than the keepalive", ({ stops }) => stops],
  ["network faults", ({ networkFaults }) => networkFaults],
  ["broker restarts (both at once)", ({ restarts }) => restarts],
  ["messages sent", ({ sent }) => sent],
  ["sends that failed and said so", ({ failed }) => failed],
  ["settled", ({ settled }) => settled],
  ["… of these given up as dead letters", ({ buried }) => buried],
  ["lost", ({ lost }) => lost.length],
  ["handed out twice by one process", ({ repeatedWithin }) => repeatedWithin.length],
  ["handed out behind a later one", ({ outOfOrder }) => outOfOrder.length],
  ["handed out by more than one process", ({ repeatedAcross }) => repeatedAcross],
  ["taken twice by the broker", ({ takenTwice }) => takenTwice.length],
  ["left at the broker", ({ left }) => left],
  ["waits that were stuck", ({ stuck }) => stuck.length],
  ["processes that died by themselves", ({ deaths }) => deaths.length],
  ["errors that nothing explains", ({ errors }) => errors.length],
  ["recoveries measured", ({ recoveries }) => recoveries.length],
  ["longest time to recover, ms", ({ recoveries }) => longest(recoveries.map(({ ms }) => ms))],
  [
    "… beyond the attempt that was announced, ms",
    ({ recoveries }) => longest(recoveries.map(({ beyondAttemptMs }) => beyondAttemptMs)),
  ],
];

/** Whether the campaign found nothing that must not be. */
export function isFlawless({ parts }: CampaignReport): boolean {
  return parts.every((part) => flawsOf(part).every(([, flaws]) => flaws.length === 0));
}

/** The table, in Markdown, and the first examples of each flaw. */
export function formatReport({ seed, tookMs, parts }: CampaignReport): string {
  const cells = [
    [`seed ${seed}, ${Math.round(tookMs / 1_000)} s`, ...parts.map(({ qos }) => `QoS ${qos}`)],
    ...ROWS.map((
      [what, count],
    ) => [what, ...parts.map((part) => count(part).toLocaleString("en"))]),
  ];
  const widths = cells[0].map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  const lines = cells.map((row) =>
    `| ${
      row.map((cell, at) => at === 0 ? cell.padEnd(widths[at]) : cell.padStart(widths[at])).join(
        " | ",
      )
    } |`
  );
  lines.splice(
    1,
    0,
    `| ${
      widths.map((width, at) => at === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`).join(
        " | ",
      )
    } |`,
  );
  for (const part of parts) {
    for (const [what, flaws] of flawsOf(part)) {
      for (const flaw of flaws.slice(0, EXAMPLES)) lines.push(`QoS ${part.qos}, ${what}: ${flaw}`);
    }
  }
  return lines.join("\n");
}

/** At QoS 2 a message that the broker took twice is a flaw too. */
function flawsOf(part: QosReport): [what: string, flaws: readonly string[]][] {
  return [
    ["lost", part.lost],
    ["handed out twice", part.repeatedWithin],
    ["out of order", part.outOfOrder],
    ["stuck", part.stuck],
    ["died", part.deaths],
    ["error", part.errors],
    ["taken twice", part.qos === 2 ? part.takenTwice : []],
  ];
}

function longest(times: readonly number[]): number {
  return times.reduce((longest, each) => Math.max(longest, each), 0);
}
