import type { QoS } from "../../mod.ts";
import type { Scale } from "./plan.ts";
import type { SlotSetting } from "./slot.ts";

/** Messages are sent a little faster than they have to be: part of the time nobody can. */
const SPARE = 1.5;

/** The consumers, then the producers, of a campaign at one quality of service. */
export function campaignSlots(
  qos: QoS,
  { messages, durationMs }: Scale,
  [newer, older]: readonly [4 | 5, 4 | 5],
): SlotSetting[] {
  const rate = Math.ceil(SPARE * messages / 4 / (durationMs / 1_000));
  const consumers = [
    { style: "receive", protocolVersion: newer, ackOrder: "arrival" },
    { style: "listen", protocolVersion: older, ackOrder: "arrival" },
    { style: "receive", protocolVersion: newer, ackOrder: "settled" },
    { style: "remove", protocolVersion: older, ackOrder: "arrival" },
  ] as const;
  const topics = consumers.map((_, index) => `work/${qos}/${index}`);
  const topicsNewer = topics.filter((_, index) => consumers[index].protocolVersion === newer);
  const common = { qos, topics, rate };
  return [
    ...consumers.map((consumer, index): SlotSetting => ({
      name: `consumer-${qos}-${index}`,
      program: "consumer",
      killable: consumer.style !== "remove",
      part: { ...common, ...consumer, queue: topics[index] },
    })),
    ...[newer, older].map((protocolVersion, index): SlotSetting => ({
      name: `producer-${qos}-${index}`,
      program: "producer",
      killable: true,
      // What MQTT 5 carries beside a body, the name too, does not reach a consumer that speaks 3.1.1.
      part: {
        ...common,
        topics: protocolVersion === older ? topics : topicsNewer,
        protocolVersion,
        queue: "work",
        style: "receive",
        ackOrder: "arrival",
      },
    })),
  ];
}
