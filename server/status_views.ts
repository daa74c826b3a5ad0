import type { QueueStats } from "../mod.ts";
import { html, raw } from "./deps.ts";
import type { Html } from "./live_feed.ts";
import type { LinkStatus } from "./queue_keeper.ts";
import { visibleLine } from "./visible_text.ts";

/** Everything the status bar shows. */
export interface QueueStatus {
  brokerUrl: string;
  embedded: boolean;
  topic: string;
  qos: number;
  link: LinkStatus;
  stats: QueueStats;
  /** Dead letters, or `null` where that is not known. */
  dead: number | null;
  protocolVersion: 4 | 5 | null;
  rates: { arrived: number; sent: number };
  /** Arrivals a second over the last three minutes, oldest first. */
  peaks: readonly number[];
  /** In ms since 1970. */
  now: number;
}

/** One of the queues that are open on the server. */
export interface QueueLink {
  topic: string;
  href: string;
  ready: number;
}

/** What the bar shows beside the queue's status. */
export interface PageStatus extends QueueStatus {
  listening: boolean;
  queues: readonly QueueLink[];
  saved: {
    names: readonly string[];
    /** Changed with each change of what is saved. */
    version: string;
  };
}

const WAVE_HEIGHT = 20;
/** Below this many a second the wave stays low: a single message is a ripple, not a storm. */
const WAVE_FLOOR = 4;

/** The inside of the status bar. */
export function statusView(status: PageStatus): Html {
  const { stats, rates, link, dead } = status;
  const topic = visibleLine(status.topic, 120);
  const broker = visibleLine(status.brokerUrl, 120);
  return html`
    <div class="queue ${lamp(link)}">
      <h1><span class="lamp" aria-hidden="true"></span><bdi>${topic}</bdi></h1>
      <p class="link">
        <span class="state">${linkText(status)}</span>
        <span class="broker"><bdi>${broker}</bdi></span>
        <span>${status.embedded ? "embedded broker" : ""}</span>
        <span>${protocolText(status)}</span>
        <span>QoS ${status.qos}</span>
        <span class="span">${spanText(status)}</span>
        <span class="listening">${status.listening ? "listening" : ""}</span>
      </p>
      ${queuesView(status)}
    </div>
    <dl class="numbers">
      ${figure("ready", stats.available)} ${figure("locked", stats.locked)}
      ${figure("dead", dead ?? "–")} ${figure("in/s", rates.arrived)}
      ${figure("out/s", rates.sent)}
    </dl>
    ${wave(status.peaks)}
    <p id="words" hidden data-saved="${status.saved.names.join(" ")}"
      data-kept="${status.saved.version}"
      data-version="${stats.arrived}.${stats.available}.${stats.locked}.${dead ?? 0}"></p>
  `;
}

/** What the command `status` prints. */
export function statusTable(status: QueueStatus): [string, string][] {
  const { stats, link, rates } = status;
  const trouble: [string, string][] = link.trouble === null ? [] : [["trouble", link.trouble]];
  return [
    ["link", linkText(status)],
    ...trouble,
    ["broker", `${status.brokerUrl}${status.embedded ? ", embedded" : ""}`],
    ["protocol", protocolText(status)],
    ["topic", status.topic],
    ["QoS", String(status.qos)],
    [
      "messages",
      `${stats.available} ready, ${stats.locked} locked, ${stats.bufferedBytes} bytes, ${
        status.dead ?? "unknown"
      } dead`,
    ],
    ["per second", `${rates.arrived} in, ${rates.sent} out`],
    ["since start", `${stats.arrived} arrived, ${stats.sent} sent, ${stats.received} received`],
    ["settled", `${stats.completed} completed, ${stats.abandoned} abandoned`],
    ["lost", `${stats.dropped} dropped, ${stats.reconnects} reconnects`],
  ];
}

/** One sentence for a screen reader. */
export function statusSentence({ link, stats }: QueueStatus): string {
  const ready = `${stats.available} ${stats.available === 1 ? "message" : "messages"} ready`;
  if (link.state === "connected") return `Connected, ${ready}.`;
  return `Not connected: ${link.state}. ${ready}.`;
}

function lamp({ state }: LinkStatus): string {
  if (state === "connected") return "up";
  return state === "disconnected" || state === "closed" ? "down" : "between";
}

function linkText({ link, now }: QueueStatus): string {
  const wait = link.retryAt === null ? 0 : Math.ceil((link.retryAt - now) / 1000);
  const next = wait > 0 ? `, next try in ${wait} s` : ", trying";
  if (link.state === "waiting") return `cannot connect${next}`;
  if (link.state === "reconnecting") return `link lost${next}`;
  return link.state;
}

function protocolText({ protocolVersion }: QueueStatus): string {
  if (protocolVersion === null) return "MQTT";
  return protocolVersion === 5 ? "MQTT 5" : "MQTT 3.1.1";
}

/** What the wave shows. */
function spanText({ peaks }: PageStatus): string {
  const highest = Math.max(...peaks);
  return highest === 0 ? "" : `peak ${highest.toLocaleString("en")}/s in 3 min`;
}

/** The open queues, where there are others than this one. */
function queuesView({ queues, topic }: PageStatus): Html | string {
  if (queues.length < 2) return "";
  return html`
    <nav class="queues" aria-label="Open queues">
      ${queues.map((queue) =>
        html`
          <a href="${queue.href}" data-topic="${queue.topic}"
            ${queue.topic === topic ? raw('aria-current="page"') : ""}><bdi>${visibleLine(
              queue.topic,
              40,
            )}</bdi> <span>${queue.ready.toLocaleString("en")}</span></a>
        `
      )}
    </nav>
  `;
}

function figure(name: string, value: number | string) {
  const written = value.toLocaleString("en");
  return html`
    <div>
      <dt>${name}</dt>
      <dd class="${written.length > 5 ? "long" : ""}">${written}</dd>
    </div>
  `;
}

/** The arrivals of the last minutes as a curve from edge to edge. */
function wave(counts: readonly number[]): Html {
  const peak = Math.max(WAVE_FLOOR, ...counts);
  const points = counts.map((count, x) => [x, WAVE_HEIGHT - (count / peak) * (WAVE_HEIGHT - 2)]);
  let path = `M0 ${points[0][1].toFixed(1)}`;
  for (let i = 1; i < points.length; i++) {
    const [x0, y0] = points[i - 1];
    const [x1, y1] = points[i];
    const middle = (x0 + x1) / 2;
    path += `C${middle} ${y0.toFixed(1)} ${middle} ${y1.toFixed(1)} ${x1} ${y1.toFixed(1)}`;
  }
  const right = counts.length - 1;
  return raw(
    `<svg class="wave" viewBox="0 0 ${right} ${WAVE_HEIGHT}" preserveAspectRatio="none" aria-hidden="true" focusable="false">` +
      `<path class="water" d="${path}V${WAVE_HEIGHT}H0Z"/><path class="line" d="${path}"/></svg>`,
  );
}
