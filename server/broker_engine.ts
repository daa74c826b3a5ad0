import { Readable } from "node:stream";
import { BrokerOrder } from "./broker_order.ts";
import { Aedes } from "./deps.ts";

type Publish = Aedes["publish"];
type PublishDone = Parameters<Publish>[1];
/** aedes itself calls its `publish` with the client that sent the message between the two. */
type InnerPublish = (
  packet: Parameters<Publish>[0],
  clientOrDone?: object | PublishDone | null,
  done?: PublishDone,
) => void;

interface StoredPacket {
  cmd: string;
  messageId?: number;
  brokerId?: string;
  brokerCounter?: number;
}

/** What is used of aedes beyond its own types. */
interface AedesInside {
  publish: InnerPublish;
  persistence: {
    outgoingStream(client: { id: string }): AsyncIterable<StoredPacket>;
    outgoingUpdate(client: { id: string }, packet: StoredPacket): Promise<void>;
  };
}

// The whole range of packet ids: aedes cuts the link of a sender at QoS 2 that has more than this under way.
const MAX_INCOMING = 65_535;

/**
 * aedes, set up as the heart of a message queue broker, with six of its habits put right:
 *
 * - it acknowledges QoS 1 before it publishes;
 * - it grants shared subscriptions and never delivers to them;
 * - it delivers again without the DUP flag;
 * - it takes one PUBREL that is under way for another, and delivers what was received at QoS 2 anew;
 * - it answers a ping before it has delivered what waited, and delivers new messages before that;
 * - it numbers packets from a random start at every connect, so that new ones may take ids that are still in use.
 */
export async function createBrokerEngine(): Promise<Aedes> {
  const published = new WeakSet<object>();
  const order = new BrokerOrder();
  const aedes = await Aedes.createBroker({
    preConnect: (client, _packet, done) => {
      order.attend(client);
      done(null, true);
    },
    maxInflightInbound: MAX_INCOMING,
    // No limits: a subscriber that does not read must not hold up the others.
    concurrency: 0,
    drainTimeout: 0,
    // A null makes aedes answer with the failure code 0x80.
    authorizeSubscribe: (_client, subscription, done) =>
      done(null, subscription.topic.startsWith("$share/") ? null : subscription),
    // The one hook that comes before the acknowledgement of QoS 1, so it publishes.
    authorizePublish: (_client, packet, done) => {
      if (packet.topic.startsWith("$SYS/")) {
        return done(new Error("Cannot publish: topics below $SYS/ are the broker's own"));
      }
      if (packet.cmd !== "publish" || packet.qos !== 1) return done();
      aedes.publish(packet, (error) => {
        published.add(packet);
        done(error);
      });
    },
  });
  // aedes creates both when it starts to listen, which it does by now.
  const inside = aedes as unknown as AedesInside;
  publishOnce(inside, published);
  order.watch(aedes);
  flagRedelivery(inside);
  tellReleasesApart(inside);
  continuePacketIds(aedes);
  return aedes;
}

function publishOnce(aedes: AedesInside, published: WeakSet<object>): void {
  const publish = aedes.publish.bind(aedes);
  aedes.publish = (packet, ...rest) => {
    if (!published.delete(packet)) return publish(packet, ...rest);
    const done = rest.find((argument) => typeof argument === "function") as PublishDone | undefined;
    done?.();
  };
}

/** [MQTT-3.3.1-1]: a packet that was sent before, and so has an id, goes out with DUP set. */
function flagRedelivery({ persistence }: AedesInside): void {
  const outgoingStream = persistence.outgoingStream.bind(persistence);
  persistence.outgoingStream = (client) => Readable.from(withDup(outgoingStream(client)));
}

async function* withDup(packets: AsyncIterable<StoredPacket>): AsyncGenerator<StoredPacket> {
  for await (const packet of packets) {
    const sentBefore = packet.cmd === "publish" && packet.messageId !== undefined;
    if (!sentBefore) yield packet;
    else yield Object.assign(Object.create(Object.getPrototypeOf(packet)), packet, { dup: true });
  }
}

/** [MQTT-4.3.3-1]: stored packets are told apart by broker and counter, and a PUBREL has neither. */
function tellReleasesApart({ persistence }: AedesInside): void {
  const outgoingUpdate = persistence.outgoingUpdate.bind(persistence);
  persistence.outgoingUpdate = (client, packet) => {
    if (packet.cmd === "pubrel" && packet.brokerId === undefined) {
      packet.brokerId = "pubrel";
      packet.brokerCounter = packet.messageId;
    }
    return outgoingUpdate(client, packet);
  };
}

/** [MQTT-2.3.1-2]: a new packet takes an id that is not in use, so a durable session counts on where it was. */
function continuePacketIds(aedes: Aedes): void {
  const counters = new Map<string, { next: number }>();
  aedes.on("client", (client) => {
    const counter = (client.clean ? undefined : counters.get(client.id)) ?? { next: 1 };
    if (client.clean) counters.delete(client.id);
    else counters.set(client.id, counter);
    // Shared, not copied: a client that is gone already still numbers what was on its way.
    Object.defineProperty(client, "_nextId", {
      get: () => counter.next,
      set: (next: number) => counter.next = next,
    });
  });
}
