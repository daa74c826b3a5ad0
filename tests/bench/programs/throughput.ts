// The queue of this project in the benches' common loops.
import { MessageEnvelope, MqttMessageQueue, type QoS } from "../../../mod.ts";
import { drive, type Link, type Task } from "./drive.js";

interface Settings extends Task {
  url: string;
  version: 4 | 5;
  size: number;
  /** The body as it is; by default whatever loses nothing. */
  bare?: boolean;
}

const WAIT_MS = 10_000;
const BATCH = 1000;

function linkOf({ url, version, qos, size, bare }: Settings): Link {
  const name = `bench-${crypto.randomUUID()}`;
  const body = new Uint8Array(size).fill(97);
  const common = {
    url,
    protocolVersion: version,
    qos: qos as QoS,
    serializeEnvelope: bare ? false : undefined,
  };
  const make = () => new MqttMessageQueue(name, { ...common, clientId: name, autoSubscribe: true });
  let queue = make();
  let sender = queue;
  const requests = new MqttMessageQueue(`${name}/requests`, { ...common, autoSubscribe: true });
  const replies = new MqttMessageQueue(`${name}/replies`, { ...common, autoSubscribe: true });
  const envelope = () => new MessageEnvelope(null, "m", body);

  const exchange = async (to: MqttMessageQueue, from: MqttMessageQueue): Promise<number> => {
    const waiting = from.receive(null, WAIT_MS);
    const start = performance.now();
    const sent = to.send(null, envelope());
    if (await waiting === null) throw new Error("Cannot measure: no message came");
    const took = performance.now() - start;
    await sent;
    return took;
  };

  return {
    open: () => queue.open(),
    async close() {
      if (sender !== queue) await sender.close();
      await queue.close();
    },
    send: (done) => void sender.send(null, envelope()).then(() => done(), done),
    async take(count, progress) {
      for (let taken = 0; taken < count; progress?.(taken)) {
        const batch = await queue.receiveBatch(null, BATCH, WAIT_MS);
        if (batch.length === 0) throw new Error(`Cannot measure: ${taken} of ${count} came`);
        taken += batch.length;
      }
    },
    left: () => queue.readMessageCount(),
    flush: () => sender.send(null, envelope(), { qos: 1 }),
    trip: () => exchange(queue, queue),
    async listen(count, concurrency) {
      let handled = 0;
      await queue.listen(null, () => {
        // Not awaited: it waits for this very call.
        if (++handled === count) void queue.endListen();
      }, { concurrency });
    },
    async leave() {
      await queue.close();
      sender = new MqttMessageQueue(name, common);
      await sender.open();
    },
    async comeBack() {
      queue = make();
      await queue.open();
    },
    async openReplies() {
      await Promise.all([requests.open(), replies.open()]);
      requests.beginListen(null, () => replies.send(null, envelope()));
    },
    exchange: () => exchange(requests, replies),
    closeReplies: () => Promise.all([requests.close(), replies.close()]),
  };
}

const settings: Settings = JSON.parse(Deno.args[0]);
console.log(JSON.stringify(await drive(linkOf(settings), settings)));
