import assert from "node:assert/strict";
import { EmbeddedBroker } from "../../server/broker.ts";
import {
  ConnectionError,
  MessageEnvelope,
  MqttMessageQueue,
  NotSupportedError,
  type QueueOptions,
} from "../../mod.ts";
import { FakeBroker } from "../support/fake_broker.ts";
import { freePort } from "../support/free_port.ts";
import { Mosquitto } from "../support/mosquitto.ts";
import { queueEvent } from "../support/queue_event.ts";
import { TcpProxy } from "../support/tcp_proxy.ts";

const SUPPORT = new URL("../support/", import.meta.url);
const ca = certificate("ca.crt");

function certificate(name: string): string {
  return Deno.readTextFileSync(new URL(`certificates/${name}`, SUPPORT));
}

function path(name: string): string {
  return new URL(name, SUPPORT).pathname;
}

function tlsListener(port: number, name = "server", ...more: string[]): string[] {
  return [
    `listener ${port} 127.0.0.1`,
    `cafile ${path("certificates/ca.crt")}`,
    `certfile ${path(`certificates/${name}.crt`)}`,
    `keyfile ${path(`certificates/${name}.key`)}`,
    ...more,
  ];
}

async function sendAndReceive(options: QueueOptions): Promise<void> {
  await using queue = new MqttMessageQueue("transport", { autoSubscribe: true, ...options });
  await queue.open();
  const body = new Uint8Array(10_000).map((_, index) => index);
  await queue.send(null, new MessageEnvelope(null, "mymessage", body));
  assert.deepEqual((await queue.receive(null, 10_000))?.message, body);
}

/** The error says why the one side does not trust the other, and its cause has the code. */
async function assertMistrusted(queue: MqttMessageQueue, code: string, why: RegExp): Promise<void> {
  await assert.rejects(queue.open(), (error) => {
    assert.ok(error instanceof ConnectionError);
    assert.match(error.message, /^Cannot connect to mqtts:\/\/localhost:\d+: /);
    assert.match(error.message, why);
    const cause = error.cause as { code?: string; message: string };
    assert.equal(cause.code, code);
    assert.match(cause.message, why);
    return true;
  });
}

for (const protocolVersion of [4, 5] as const) {
  Deno.test(`mqtts verifies the broker with our own authority (${protocolVersion})`, async () => {
    const port = freePort();
    await using _broker = await Mosquitto.start({ config: tlsListener(port) });
    await sendAndReceive({ url: `mqtts://localhost:${port}`, tls: { ca }, protocolVersion });
  });

  Deno.test(`ws carries the queue (${protocolVersion})`, async () => {
    await using broker = await Mosquitto.start({ webSocket: true });
    await sendAndReceive({ url: broker.webSocketUrl, protocolVersion });
  });

  Deno.test(`wss carries the queue (${protocolVersion})`, async () => {
    const port = freePort();
    const config = tlsListener(port, "server", "protocol websockets");
    await using _broker = await Mosquitto.start({ config });
    await sendAndReceive({ url: `wss://localhost:${port}`, tls: { ca }, protocolVersion });
  });

  Deno.test(`user and password open the queue, wrong ones say why (${protocolVersion})`, async () => {
    await using broker = await Mosquitto.start({ config: passwords() });
    await sendAndReceive({
      url: broker.url,
      username: "alice",
      password: "secret",
      protocolVersion,
    });
    await sendAndReceive({
      url: broker.url.replace("://", "://alice:secret@"),
      protocolVersion,
    });
    const queue = new MqttMessageQueue("transport", {
      url: broker.url,
      username: "alice",
      password: "hunter2",
      protocolVersion,
    });
    await assert.rejects(queue.open(), (error) => {
      assert.ok(error instanceof ConnectionError);
      assert.equal(error.reasonCode, protocolVersion === 5 ? 135 : 5);
      assert.match(error.message, /Not authorized/);
      assert.doesNotMatch(Deno.inspect(error), /hunter2/);
      return true;
    });
    assert.equal(queue.state, "closed");
  });
}

Deno.test("the embedded broker's WebSocket carries the queue", async () => {
  await using broker = await EmbeddedBroker.start({ port: 0 });
  await sendAndReceive({ url: broker.webSocketUrl });
});

Deno.test("the query of a ws address goes to the broker, and into no error", async () => {
  const asked: string[] = [];
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, ({ url }) => {
    asked.push(new URL(url).pathname + new URL(url).search);
    return new Response(null, { status: 403 });
  });
  const url = `ws://127.0.0.1:${server.addr.port}/mqtt/`;
  const queue = new MqttMessageQueue("transport", { url: `${url}?token=hunter2` });
  const told: unknown[] = [];
  queue.addEventListener("statechange", ({ detail }) => told.push(detail));
  await assert.rejects(queue.open(), (error) => {
    assert.ok(error instanceof ConnectionError);
    assert.equal(error.url, url);
    assert.match(error.message, /^Cannot connect to ws:\S+\/mqtt\/: /);
    assert.doesNotMatch(Deno.inspect([error, told], { depth: 9 }), /hunter2/);
    return true;
  });
  assert.deepEqual(new Set(asked), new Set(["/mqtt/?token=hunter2"]));
});

Deno.test("a password without a user name opens the queue on MQTT 5", async () => {
  const passwords: (string | undefined)[] = [];
  await using broker = new FakeBroker((packet) => {
    if (packet.cmd !== "connect") return "silence";
    passwords.push(packet.password?.toString());
    return [{ cmd: "connack", reasonCode: 0, sessionPresent: false }];
  });
  await using queue = new MqttMessageQueue("transport", { url: broker.url, password: "secret" });
  await queue.open();
  assert.deepEqual(passwords, ["secret"]);
});

Deno.test("mqtts refuses a broker of another authority", async () => {
  const port = freePort();
  await using _broker = await Mosquitto.start({ config: tlsListener(port) });
  const url = `mqtts://localhost:${port}`;
  for (const tls of [{ ca: certificate("other_ca.crt") }, {}]) {
    const queue = new MqttMessageQueue("transport", { url, tls });
    await assertMistrusted(queue, "SELF_SIGNED_CERT_IN_CHAIN", /self-signed certificate/);
    assert.equal(queue.state, "closed");
  }
  await sendAndReceive({ url, tls: { rejectUnauthorized: false } });
});

Deno.test("mqtts refuses a broker of another name", async () => {
  const port = freePort();
  await using _broker = await Mosquitto.start({ config: tlsListener(port, "stranger") });
  const queue = new MqttMessageQueue("transport", {
    url: `mqtts://localhost:${port}`,
    tls: { ca },
  });
  await assertMistrusted(
    queue,
    "ERR_TLS_CERT_ALTNAME_INVALID",
    /localhost. is not in the cert's altnames: DNS:elsewhere.example/,
  );
});

Deno.test("a client certificate opens the queue where the broker asks for one", async () => {
  const port = freePort();
  const config = tlsListener(port, "server", "require_certificate true");
  await using _broker = await Mosquitto.start({ config });
  const url = `mqtts://localhost:${port}`;
  const [cert, key] = [certificate("client.crt"), certificate("client.key")];
  await sendAndReceive({ url, tls: { ca, cert, key } });
  const encoder = new TextEncoder();
  const bytes = { ca: encoder.encode(ca), cert: encoder.encode(cert), key: encoder.encode(key) };
  await sendAndReceive({ url, tls: bytes });
  const without = new MqttMessageQueue("transport", { url, tls: { ca } });
  await assertMistrusted(
    without,
    "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED",
    /CertificateRequired/,
  );
});

Deno.test("a credential function is asked again at each connect", async () => {
  await using broker = await Mosquitto.start({ config: passwords() });
  await using proxy = new TcpProxy(broker.port);
  let asked = 0;
  await using queue = new MqttMessageQueue("transport", {
    url: proxy.url,
    username: "alice",
    password: () => ++asked === 2 ? "wrong" : Promise.resolve("secret"),
    reconnectTimeout: 10,
    autoSubscribe: false,
  });
  await queue.open();
  assert.equal(asked, 1);
  const refused = queueEvent(
    queue,
    "statechange",
    ({ cause }) => cause instanceof ConnectionError && cause.reasonCode === 135,
  );
  const back = queueEvent(queue, "statechange", ({ state }) => state === "connected");
  proxy.cut();
  await refused;
  await back;
  assert.equal(asked, 3);
});

Deno.test("a credential function that throws fails open()", async () => {
  await using broker = await Mosquitto.start();
  const queue = new MqttMessageQueue("transport", {
    url: broker.url,
    password: () => Promise.reject(new Error("the vault is shut")),
  });
  await assert.rejects(queue.open(), /the vault is shut/);
  assert.equal(queue.state, "closed");
});

Deno.test("a credential function that does not answer ends with the connect timeout", async () => {
  await using broker = await Mosquitto.start();
  const silent = { url: broker.url, password: () => new Promise<string>(() => {}) };
  const queue = new MqttMessageQueue("transport", { ...silent, connectTimeout: 40 });
  await assert.rejects(queue.open(), { name: "TimeoutError", timeoutMs: 40 });
  const patient = new MqttMessageQueue("transport", { ...silent, connectTimeout: 100 });
  const signal = AbortSignal.abort(new Error("enough"));
  await assert.rejects(patient.open(null, { signal }), /enough/);
  const opening = assert.rejects(patient.open(), { name: "QueueClosedError" });
  await patient.close();
  await opening;
});

for (const protocolVersion of [4, 5] as const) {
  Deno.test(`a group shares the topic (${protocolVersion})`, async () => {
    await using broker = await Mosquitto.start();
    const options = { url: broker.url, protocolVersion, group: "workers", autoSubscribe: true };
    await using one = new MqttMessageQueue("shared", options);
    await using two = new MqttMessageQueue("shared", options);
    await one.open();
    await two.open();
    assert.ok(one.getCapabilities().sharedSubscriptions);
    await one.sendBatch(
      null,
      Array.from({ length: 10 }, (_, index) => new MessageEnvelope(null, "job", `${index}`)),
    );
    assert.deepEqual([await one.readMessageCount(), await two.readMessageCount()], [5, 5]);
  });
}

Deno.test("a group is refused where the broker has no shared subscriptions", async () => {
  await using broker = await EmbeddedBroker.start({ port: 0 });
  const queue = new MqttMessageQueue("shared", { url: broker.url, group: "workers" });
  await assert.rejects(queue.open(), NotSupportedError);
  assert.equal(queue.state, "closed");
});

Deno.test("a group is refused where the broker grants it and delivers nothing", async () => {
  const { Aedes } = await import("../../server/deps.ts");
  const aedes = await Aedes.createBroker();
  const { createServer } = await import("node:net");
  const server = createServer(aedes.handle);
  const port = freePort();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  try {
    const queue = new MqttMessageQueue("shared", {
      url: `mqtt://127.0.0.1:${port}`,
      group: "workers",
    });
    await assert.rejects(queue.open(), NotSupportedError);
  } finally {
    await new Promise<void>((resolve) => aedes.close(resolve));
    await new Promise((resolve) => server.close(resolve));
  }
});

function passwords(): string[] {
  return ["allow_anonymous false", `password_file ${path("passwords")}`];
}
