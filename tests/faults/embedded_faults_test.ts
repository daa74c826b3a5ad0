import assert from "node:assert/strict";
import { EmbeddedBroker } from "../../server/broker.ts";
import { MessageEnvelope, MqttMessageQueue } from "../../mod.ts";

const DEAD = 500;
const WAITING = 1_000;
/** Sent at a time while the session is resumed. */
const FEW = 5;

function numbered(from: number, count: number): MessageEnvelope[] {
  return Array.from({ length: count }, (_, index) => {
    return new MessageEnvelope(null, "job", `${from + index}`);
  });
}

Deno.test(`${DEAD} dead letters on the embedded broker are counted and seen, all of them`, async () => {
  await using broker = await EmbeddedBroker.start({ port: 0 });
  await using queue = new MqttMessageQueue("many", { url: broker.url, receiveMode: "peekLock" });
  await queue.open();
  assert.equal(await queue.readMessageCount(), 0);
  await queue.sendBatch(null, numbered(0, DEAD));
  for (let dead = 0; dead < DEAD; dead++) {
    await queue.moveToDeadLetter((await queue.receive(null, 10_000))!);
  }
  assert.equal(await queue.deadLetters.count(), DEAD);
  assert.equal((await queue.deadLetters.peekBatch(2 * DEAD)).length, DEAD);
});

Deno.test("what waits at the embedded broker comes before what is sent while the session is resumed", async () => {
  await using broker = await EmbeddedBroker.start({ port: 0 });
  const options = { url: broker.url, clientId: "consumer", autoSubscribe: true };
  {
    await using before = new MqttMessageQueue("order", options);
    await before.open();
  }
  await using producer = new MqttMessageQueue("order", { url: broker.url });
  await producer.open();
  await producer.sendBatch(null, numbered(0, WAITING));
  await using consumer = new MqttMessageQueue("order", options);
  const opening = consumer.open();
  let opened = false;
  const open = opening.then(() => opened = true);
  let sent = WAITING;
  for (; !opened; sent += FEW) await producer.sendBatch(null, numbered(sent, FEW));
  await open;
  const numbers: number[] = [];
  while (numbers.length < sent) {
    const message = await consumer.receive(null, 10_000);
    assert.ok(message !== null, `${numbers.length} came`);
    numbers.push(Number(message.getMessageAsString()));
  }
  const behind = numbers.filter((number, index) => index > 0 && number < numbers[index - 1]);
  assert.deepEqual(behind, []);
});
