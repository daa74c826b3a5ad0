import type { EventEmitter } from "node:events";
import type { Readable } from "node:stream";
import type { Aedes } from "./deps.ts";

interface OrderedPacket {
  cmd: string;
  retain?: boolean;
  brokerId?: string;
  brokerCounter?: number;
}

type Deliver = (packet: OrderedPacket, done: () => void) => void;

/** What is used of a client of aedes. */
interface ClientInside {
  readonly connected: boolean;
  readonly _parser: EventEmitter;
  deliverQoS: Deliver;
  deliver0: Deliver;
  once(event: "connected", listener: () => void): void;
}

/** What is used of aedes beyond its own types. */
interface AedesInside {
  persistence: {
    outgoingStream(client: object): AsyncIterable<OrderedPacket>;
    createRetainedStreamCombi(topics: string[]): Readable;
  };
}

/** What one client is owed before a ping of its own may be answered. */
class Order {
  /** What waited for the session, by broker's id and counter. */
  readonly waited = new Set<string>();
  /** Retained messages that are on their way. */
  retained = 0;
  readonly pings: (() => void)[] = [];

  constructor(readonly client: ClientInside) {}

  /** Answers the pings where nothing stands before them. */
  settle(): void {
    if (!this.client.connected || this.retained > 0) return;
    for (const answer of this.pings.splice(0)) answer();
  }
}

/**
 * Makes aedes keep order for one subscriber, as other brokers do: what waited for a session comes
 * before what is published while it is resumed, and a ping is answered behind both, and behind the
 * retained messages that a subscription asked for.
 */
export class BrokerOrder {
  readonly #orders = new WeakMap<object, Order>();
  #subscriber: Order | undefined;

  /** To be called before a client's subscriptions are restored. */
  attend(each: object): void {
    const client = each as ClientInside;
    const order = new Order(client);
    this.#orders.set(client, order);
    const late: (() => void)[] = [];
    const { deliverQoS, deliver0 } = client;
    const inTurn = (deliver: Deliver): Deliver => (packet, done) => {
      if (client.connected || packet.retain) return deliver(packet, done);
      // The publisher need not wait for it, nor for a client that goes before its turn comes.
      setImmediate(done);
      late.push(() => order.waited.has(nameOf(packet)) || deliver(packet, () => {}));
    };
    client.deliver0 = inTurn(deliver0);
    const deliverInTurn = inTurn(deliverQoS);
    client.deliverQoS = (packet, done) => {
      if (!packet.retain) return deliverInTurn(packet, done);
      deliverQoS(packet, () => {
        order.retained--;
        done();
        order.settle();
      });
    };
    client.once("connected", () => {
      for (const deliver of late.splice(0)) deliver();
      order.waited.clear();
      order.settle();
    });
    const [handle] = client._parser.listeners("packet");
    client._parser.off("packet", handle as () => void);
    client._parser.on("packet", (packet: OrderedPacket) => {
      const go = () => handle.call(client._parser, packet);
      if (packet.cmd !== "pingreq") return go();
      order.pings.push(go);
      order.settle();
    });
  }

  /** To be called once aedes has its persistence. */
  watch(aedes: Aedes): void {
    const { persistence } = aedes as unknown as AedesInside;
    const outgoingStream = persistence.outgoingStream.bind(persistence);
    persistence.outgoingStream = (client) => {
      return noted(outgoingStream(client), this.#orders.get(client)?.waited);
    };
    // aedes asks for the retained messages right behind this event.
    aedes.on("subscribe", (_subscriptions, client) => {
      this.#subscriber = this.#orders.get(client);
    });
    const retained = persistence.createRetainedStreamCombi.bind(persistence);
    persistence.createRetainedStreamCombi = (topics) => {
      const order = this.#subscriber;
      const stream = retained(topics);
      if (order === undefined) return stream;
      order.retained++; // Until the stream has ended.
      stream.on("data", () => order.retained++);
      stream.on("close", () => {
        order.retained--;
        order.settle();
      });
      return stream;
    };
  }
}

async function* noted(
  packets: AsyncIterable<OrderedPacket>,
  names: Set<string> | undefined,
): AsyncGenerator<OrderedPacket> {
  for await (const packet of packets) {
    names?.add(nameOf(packet));
    yield packet;
  }
}

function nameOf({ brokerId, brokerCounter }: OrderedPacket): string {
  return `${brokerId}:${brokerCounter}`;
}
