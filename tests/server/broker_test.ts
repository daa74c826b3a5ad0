import assert from "node:assert/strict";
import { EmbeddedBroker } from "../../server/broker.ts";
import { freePort } from "../support/free_port.ts";
import { PacketClient } from "../support/packet_client.ts";

const QOS = [0, 1, 2] as const;
const LARGE = new Uint8Array(2 << 20).map((_, index) => index * 31 + (index >> 8));

function start(): Promise<EmbeddedBroker> {
  return EmbeddedBroker.start({ port: 0 });
}

for (const qos of QOS) {
  for (const link of ["url", "webSocketUrl"] as const) {
    Deno.test(`EmbeddedBroker carries 2 MiB both ways at QoS ${qos} (${link})`, async () => {
      await using broker = await start();
      await using client = await PacketClient.connect(broker[link]);
      await client.client.subscribeAsync("large", { qos });
      await client.client.publishAsync("large", LARGE as never, { qos });
      const [message] = await client.waitForMessages(1);
      assert.equal(message.qos, qos);
      assert.equal(message.payload.length, LARGE.length);
      assert.ok(message.payload.every((byte, index) => byte === LARGE[index]));
    });
  }
}

Deno.test("EmbeddedBroker keeps the order of one sender's messages", async () => {
  await using broker = await start();
  await using receiver = await PacketClient.connect(broker.url);
  await receiver.client.subscribeAsync("order", { qos: 1 });
  await using sender = await PacketClient.connect(broker.webSocketUrl);
  const texts = Array.from({ length: 500 }, (_, index) => `${index}`);
  await Promise.all(texts.map((text) => sender.client.publishAsync("order", text, { qos: 1 })));
  const messages = await receiver.waitForMessages(500);
  assert.deepEqual(messages.map(({ text }) => text), texts);
});

for (const qos of [1, 2] as const) {
  Deno.test(`EmbeddedBroker delivers at QoS ${qos} before it acknowledges to the sender`, async () => {
    await using broker = await start();
    await using receiver = await PacketClient.connect(broker.url);
    await receiver.client.subscribeAsync("sync", { qos });
    await using sender = await PacketClient.connect(broker.url);
    for (let sent = 1; sent <= 100; sent++) {
      await sender.client.publishAsync("sync", `${sent}`, { qos });
      await receiver.ping();
      assert.equal(receiver.messages.length, sent);
    }
  });

  Deno.test(`EmbeddedBroker delivers again what was not acknowledged at QoS ${qos}`, async () => {
    await using broker = await start();
    const session = { clientId: "durable", clean: false, withholdAcks: true };
    await using sender = await PacketClient.connect(broker.url);
    const first = await PacketClient.connect(broker.url, session);
    await first.client.subscribeAsync("again", { qos });
    await sender.client.publishAsync("again", "a", { qos });
    await sender.client.publishAsync("again", "b", { qos });
    const ids = (await first.waitForMessages(2)).map(({ messageId }) => messageId);
    await first.crash();
    await sender.client.publishAsync("again", "c", { qos });

    await using second = await PacketClient.connect(broker.url, session);
    const messages = await second.waitForMessages(3);
    assert.deepEqual(messages.map(({ text }) => text), ["a", "b", "c"]);
    assert.deepEqual(messages.slice(0, 2).map(({ messageId }) => messageId), ids);
    assert.deepEqual(messages.slice(0, 2).map(({ dup }) => dup), [true, true]);
    assert.equal(new Set(messages.map(({ messageId }) => messageId)).size, 3);
  });
}

Deno.test("EmbeddedBroker keeps 1,000 messages for a durable session that is away", async () => {
  await using broker = await start();
  const session = { clientId: "away", clean: false };
  {
    await using client = await PacketClient.connect(broker.url, session);
    await client.client.subscribeAsync("backlog", { qos: 1 });
  }
  await using sender = await PacketClient.connect(broker.url);
  const texts = Array.from({ length: 1000 }, (_, index) => `${index}`);
  await Promise.all(texts.map((text) => sender.client.publishAsync("backlog", text, { qos: 1 })));
  await using client = await PacketClient.connect(broker.url, session);
  const messages = await client.waitForMessages(1000);
  assert.deepEqual(messages.map(({ text }) => text), texts);
});

Deno.test("EmbeddedBroker never gives a new message the packet id of one that is still out", async () => {
  await using broker = await start();
  const session = { clientId: "ids", clean: false, withholdAcks: true };
  await using sender = await PacketClient.connect(broker.url);
  const send = async (count: number) => {
    for (let i = 0; i < count; i++) await sender.client.publishAsync("ids", "x", { qos: 1 });
  };
  const first = await PacketClient.connect(broker.url, session);
  await first.client.subscribeAsync("ids", { qos: 1 });
  await send(50);
  await first.waitForMessages(50);
  await first.crash();
  await send(50);
  await using second = await PacketClient.connect(broker.url, session);
  await send(50);
  const messages = await second.waitForMessages(150);
  assert.equal(new Set(messages.map(({ messageId }) => messageId)).size, 150);
});

Deno.test("EmbeddedBroker keeps a retained message for whoever subscribes later", async () => {
  await using broker = await start();
  await using client = await PacketClient.connect(broker.url);
  await client.client.publishAsync("kept", "here", { qos: 1, retain: true });
  await client.client.subscribeAsync("kept", { qos: 1 });
  const [message] = await client.waitForMessages(1);
  assert.equal(message.text, "here");
  assert.equal(message.retain, true);
});

Deno.test("EmbeddedBroker does not wait for a subscriber that does not read", async () => {
  await using broker = await start();
  await using slow = await PacketClient.connect(broker.url);
  await slow.client.subscribeAsync("flood", { qos: 0 });
  await using quick = await PacketClient.connect(broker.url);
  await quick.client.subscribeAsync("flood", { qos: 0 });
  slow.client.stream.pause();
  for (let i = 0; i < 20; i++) await quick.client.publishAsync("flood", LARGE as never, { qos: 1 });
  await quick.waitForMessages(20);
  await quick.ping();
  slow.client.stream.resume();
});

Deno.test("EmbeddedBroker refuses MQTT 5 by name", async () => {
  await using broker = await start();
  await assert.rejects(
    PacketClient.connect(broker.url, { protocolVersion: 5 }),
    /Unacceptable protocol version/i,
  );
});

Deno.test("EmbeddedBroker refuses a shared subscription", async () => {
  await using broker = await start();
  await using client = await PacketClient.connect(broker.url);
  await assert.rejects(client.client.subscribeAsync("$share/group/topic", { qos: 1 }));
  assert.equal(client.client.connected, true);
});

Deno.test("EmbeddedBroker refuses a WebSocket from another host's page", async () => {
  await using broker = await start();
  for (const [origin, status] of [["https://example.com", 403], ["null", 403]] as const) {
    assert.equal(await upgrade(broker, origin), status);
  }
  assert.equal(await upgrade(broker, "http://localhost:8080"), 101);
});

Deno.test("EmbeddedBroker answers a plain request with a sentence", async () => {
  await using broker = await start();
  const response = await fetch(broker.webSocketUrl.replace("ws:", "http:"));
  assert.equal(response.status, 426);
  assert.match(await response.text(), /MQTT broker/);
});

Deno.test("EmbeddedBroker takes the next free port where the wanted one is taken", async () => {
  const port = freePort();
  await using first = await EmbeddedBroker.start({ port, webSocketPort: 0 });
  await using second = await EmbeddedBroker.start({ port, webSocketPort: 0 });
  assert.equal(new URL(first.url).port, `${port}`);
  assert.ok(Number(new URL(second.url).port) > port);
  await using _client = await PacketClient.connect(second.url);
});

Deno.test("EmbeddedBroker ends every connection when it is closed, twice without harm", async () => {
  const broker = await start();
  const clients = [
    await PacketClient.connect(broker.url),
    await PacketClient.connect(broker.webSocketUrl),
  ];
  const closed = clients.map(({ client }) =>
    new Promise<void>((resolve) => client.once("close", () => resolve()))
  );
  await Promise.all([broker.close(), broker.close()]);
  await Promise.all(closed);
  for (const client of clients) await client[Symbol.asyncDispose]();
  await broker.close();
});

Deno.test("EmbeddedBroker outlives bytes that are no MQTT", async () => {
  await using broker = await start();
  {
    using connection = await Deno.connect({
      hostname: "127.0.0.1",
      port: Number(new URL(broker.url).port),
    });
    await connection.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
    assert.equal(await connection.read(new Uint8Array(64)), null);
  }
  await using _client = await PacketClient.connect(broker.url);
});

/** The status of a WebSocket handshake that claims to come from a page of this origin. */
async function upgrade(broker: EmbeddedBroker, origin: string): Promise<number> {
  const { hostname, port } = new URL(broker.webSocketUrl);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  const lines = [
    "GET / HTTP/1.1",
    `Host: ${hostname}:${port}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    "Sec-WebSocket-Protocol: mqtt",
    `Origin: ${origin}`,
  ];
  await connection.write(new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n`));
  const buffer = new Uint8Array(1024);
  const size = await connection.read(buffer) ?? 0;
  return Number(new TextDecoder().decode(buffer.subarray(0, size)).split(" ")[1]);
}
