import type { QueueStats } from "../mod.ts";
import type { QueueKeeper } from "./queue_keeper.ts";

const GAUGES = [
  ["available", "mqtt_queue_messages_available", "Messages ready to be received"],
  ["locked", "mqtt_queue_messages_locked", "Messages received under a lock and not settled"],
  ["bufferedBytes", "mqtt_queue_buffered_bytes", "Bytes of the messages held"],
  ["pendingSends", "mqtt_queue_pending_sends", "Sends that the broker has not confirmed"],
] as const;

const COUNTERS = [
  ["sent", "mqtt_queue_messages_sent_total", "Messages that the broker took"],
  ["arrived", "mqtt_queue_messages_arrived_total", "Messages that came from the broker"],
  ["received", "mqtt_queue_messages_received_total", "Messages handed to a receiver"],
  ["completed", "mqtt_queue_messages_completed_total", "Messages completed"],
  ["abandoned", "mqtt_queue_messages_abandoned_total", "Messages put back"],
  ["deadLettered", "mqtt_queue_messages_dead_lettered_total", "Messages made dead letters"],
  ["dropped", "mqtt_queue_messages_dropped_total", "Messages dropped on overflow or expiry"],
  ["redelivered", "mqtt_queue_messages_redelivered_total", "Messages that came again"],
  ["reconnects", "mqtt_queue_reconnects_total", "Links lost and found again"],
] as const;

/** The queues' numbers in the text format of Prometheus. */
export function metricsText(keepers: readonly QueueKeeper[], streams: number): string {
  const lines: string[] = [];
  const stats = keepers.map(({ queue }) => ({
    label: topicLabel(queue.getName()),
    ...queue.stats(),
  }));
  const add = (kind: string, name: string, help: string, value: (s: QueueStats) => number) => {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${kind}`);
    for (const each of stats) lines.push(`${name}{queue="${each.label}"} ${value(each)}`);
  };
  add(
    "gauge",
    "mqtt_queue_connected",
    "1 while the link to the broker is up",
    ({ state }) => state === "connected" ? 1 : 0,
  );
  for (const [key, name, help] of GAUGES) add("gauge", name, help, (each) => each[key]);
  for (const [key, name, help] of COUNTERS) add("counter", name, help, (each) => each[key]);
  lines.push(
    "# HELP mqtt_queue_pages_listening Pages that listen to the live feed",
    "# TYPE mqtt_queue_pages_listening gauge",
    `mqtt_queue_pages_listening ${streams}`,
  );
  return lines.join("\n") + "\n";
}

function topicLabel(topic: string): string {
  return topic.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n");
}
