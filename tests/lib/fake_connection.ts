import type {
  BrokerLimits,
  Connection,
  Delivery,
  LinkState,
  OutgoingMessage,
  Publish,
} from "../../lib/connection.ts";

/** A message that was handed over and not answered yet. */
export interface Published {
  message: OutgoingMessage;
  /** The broker has it, or refuses it. */
  done: (error?: Error) => void;
  /** Whether the sender forgot it. */
  forgotten: boolean;
}

/** A connection without a network: what is handed over waits in `published` for its answer. */
export class FakeConnection implements Connection {
  state: LinkState = "connected";
  writable = true;
  limits: BrokerLimits = {
    protocolVersion: 5,
    maximumQoS: 2,
    retainAvailable: true,
    wildcards: true,
    sharedSubscriptions: true,
    receiveMaximum: 65_535,
    maximumPacketSize: null,
  };
  readonly published: Published[] = [];
  /** What the broker retains, by topic. */
  readonly retained = new Map<string, Delivery>();
  readonly settled: Delivery[] = [];

  /** The bodies that were handed over, in order. */
  get bodies(): string[] {
    return this.published.map(({ message }) => new TextDecoder().decode(message.payload));
  }

  publish(publish: Publish): void {
    this.published.push({
      message: publish.message,
      done: (error) => publish.answer(error),
      forgotten: false,
    });
    publish.packetId = this.published.length;
  }

  forget({ packetId }: Publish): void {
    this.published[packetId - 1].forgotten = true;
  }

  readRetained(filter: string, onMessage: (delivery: Delivery) => void): Promise<void> {
    const under = filter.endsWith("/+") ? filter.slice(0, -1) : null;
    for (const [topic, delivery] of this.retained) {
      const fits = under === null
        ? topic === filter
        : topic.startsWith(under) && !topic.slice(under.length).includes("/");
      if (fits) onMessage(delivery);
    }
    return Promise.resolve();
  }

  settle(delivery: Delivery): void {
    this.settled.push(delivery);
  }

  open(): Promise<void> {
    return Promise.resolve();
  }

  subscribe(): Promise<void> {
    return Promise.resolve();
  }

  synchronize(): Promise<void> {
    return Promise.resolve();
  }

  setPaused(): void {}

  close(): Promise<void> {
    return Promise.resolve();
  }
}
