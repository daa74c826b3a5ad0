import assert from "node:assert/strict";
import type { Settings } from "../../server/settings.ts";
import { freePort } from "../support/free_port.ts";
import { bodies, jsonLines, shell, shellWithoutReader, startShell } from "./shell.ts";
import { TestServer } from "./test_server.ts";

/** A running server with a socket. */
class ListeningServer implements AsyncDisposable {
  readonly test: TestServer;
  readonly url: string;
  readonly #http: Deno.HttpServer<Deno.NetAddr>;

  static async start(changes: Partial<Settings> = {}): Promise<ListeningServer> {
    return new ListeningServer(await TestServer.start(changes));
  }

  private constructor(test: TestServer) {
    this.test = test;
    this.#http = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      test.server.app.fetch,
    );
    this.url = `http://127.0.0.1:${this.#http.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.test[Symbol.asyncDispose]();
    await this.#http.shutdown();
  }
}

Deno.test("--server: send, peek, count and receive work on the queue of a running server", async () => {
  await using server = await ListeningServer.start({ topic: "served" });
  const on = ["--server", server.url];
  assert.equal((await shell(["peek", ...on])).code, 3);
  const lines = ["one", "zwei ü", "", '{"three": 3}'];
  const sent = await shell(["send", ...on], { stdin: lines.join("\n") });
  assert.equal(sent.code, 0, sent.stderr);
  assert.equal(jsonLines(sent.stdout)[0].topic, "served");
  assert.deepEqual(bodies(await shell(["peek", ...on])), lines);
  assert.equal((await shell(["count", ...on])).stdout, '{"count":4}\n');
  const received = await shell(["receive", ...on, "--count", "3"]);
  assert.deepEqual(bodies(received), lines.slice(0, 3));
  assert.equal(jsonLines(received.stdout)[0].lockedUntil, null);
  assert.equal((await shell(["count", ...on])).stdout, '{"count":1}\n');
  const rest = await shell(["receive", ...on, "--count", "9", "--timeout", "50"]);
  assert.deepEqual([rest.code, bodies(rest)], [0, lines.slice(3)]);
  assert.equal((await shell(["receive", ...on, "--timeout", "50"])).code, 3);
});

Deno.test("--server: send carries a type, a correlation id, another topic and bytes that are no text", async () => {
  await using server = await ListeningServer.start();
  const on = ["--server", `${server.url}/`, "--topic", "other"];
  await shell(["count", ...on]);
  const input = { stdin: Uint8Array.of(0, 255, 10, 65) };
  await shell(["send", ...on, "--type", "raw", "--correlation-id", "7"], input);
  const [bytes, text] = jsonLines((await shell(["receive", ...on, "--count", "2"])).stdout);
  assert.deepEqual([bytes.encoding, bytes.message, text.message], ["base64", "AP8=", "A"]);
  assert.deepEqual([bytes.messageType, bytes.correlationId, bytes.topic], ["raw", "7", "other"]);
  assert.equal((await shell(["count", "--server", server.url])).stdout, '{"count":0}\n');
});

Deno.test("--server: listen prints what comes; Ctrl-C ends it and loses nothing", async () => {
  await using server = await ListeningServer.start();
  const on = ["--server", server.url];
  await using listening = startShell(["listen", ...on]);
  await shell(["send", ...on], { stdin: "one\ntwo" });
  await listening.stdout.waitFor('"message":"two"');
  listening.signal("SIGINT");
  const result = await listening.result();
  assert.deepEqual([result.code, result.stderr, bodies(result)], [0, "", ["one", "two"]]);
  await shell(["send", ...on, "three"]);
  assert.deepEqual(bodies(await shell(["receive", ...on])), ["three"]);
});

Deno.test("--server: a message whose line nobody reads goes back at once", async () => {
  await using server = await ListeningServer.start();
  const on = ["--server", server.url];
  await shell(["send", ...on, "kept"]);
  assert.deepEqual(await shellWithoutReader(["receive", ...on]), { code: 0, stderr: "" });
  assert.deepEqual(bodies(await shell(["peek", ...on])), ["kept"]);
});

Deno.test("--server: dead letters are shown, redriven and purged", async () => {
  await using server = await ListeningServer.start();
  const on = ["--server", server.url];
  for (const message of ["one", "two"]) {
    const { messageId } = await (await server.test.post("/api/send", { message })).json();
    await server.test.get("/api/peek");
    await server.test.post("/api/dead-letter", { messageId, reason: "unwanted" });
  }
  const [first] = jsonLines((await shell(["dead", ...on])).stdout);
  assert.deepEqual([first.message, first.reason], ["one", "unwanted"]);
  const redriven = await shell(["dead", "redrive", `${first.messageId}`, ...on]);
  assert.deepEqual([redriven.code, redriven.stdout], [0, '{"count":1}\n']);
  assert.deepEqual(bodies(await shell(["receive", ...on])), ["one"]);
  assert.equal((await shell(["dead", "purge", "--all", ...on])).stdout, '{"count":1}\n');
  assert.equal((await shell(["dead", ...on])).code, 3);
});

Deno.test("--server: a protected server wants its token, from a flag, the environment or its own address", async () => {
  const token = "a-long-secret";
  await using server = await ListeningServer.start({ token });
  const on = ["count", "--server", server.url];
  const without = await shell(on);
  assert.equal(without.code, 1);
  assert.match(without.stderr, /^Cannot use the server: it asks for its token[^\n]+\n$/);
  const wrong = await shell([...on, "--token", "another-secret"]);
  assert.equal(wrong.code, 1);
  assert.doesNotMatch(wrong.stderr, /another-secret/);
  const right = [
    shell([...on, "--token", token]),
    shell(on, { env: { MQTT_QUEUE_TOKEN: token } }),
    shell(["count", "--server", `${server.url}/?token=${token}`]),
  ];
  for (const { code, stdout } of await Promise.all(right)) {
    assert.deepEqual([code, stdout], [0, '{"count":0}\n']);
  }
});

Deno.test("--server: what the server refuses is its sentence", async () => {
  await using server = await ListeningServer.start();
  const wildcard = await shell(["send", "--server", server.url, "--topic", "a/#", "x"]);
  assert.equal(wildcard.code, 2);
  assert.match(wildcard.stderr, /^Cannot send: [^\n]+\n$/);
  const tooMany = await shell(["peek", "--server", server.url, "--count", "5000"]);
  assert.equal(tooMany.code, 2);
  assert.match(tooMany.stderr, /^Cannot use max: a whole number from 1 to 1000 [^\n]+\n$/);
});

Deno.test("--server: a server that is down, and one that is another, are one sentence", async () => {
  const url = `http://127.0.0.1:${freePort()}`;
  const down = await shell(["count", "--server", url]);
  assert.equal(down.code, 1);
  assert.match(down.stderr, /^Cannot reach the server at http:[^\n]+refused[^\n]*\n$/);

  await using stranger = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response("<h1>Hello</h1>", { headers: { "content-type": "text/html" } }),
  );
  const other = await shell(["count", "--server", `http://127.0.0.1:${stranger.addr.port}`]);
  assert.equal(other.code, 1);
  assert.match(other.stderr, /^Cannot use the server at http:[^\n]+ no MqttMessageQueue [^\n]+\n$/);
});

Deno.test("--server: Ctrl-C ends a waiting receive without a word", async () => {
  await using server = await ListeningServer.start();
  const asked = Promise.withResolvers<void>();
  await using proxy = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      const url = new URL(request.url);
      if (url.pathname === "/api/receive") asked.resolve();
      return server.test.request(url.pathname + url.search, request);
    },
  );
  await using receiving = startShell([
    "receive",
    "--server",
    `http://127.0.0.1:${proxy.addr.port}`,
  ]);
  await asked.promise;
  receiving.signal("SIGINT");
  const { code, stdout, stderr } = await receiving.result();
  assert.deepEqual([code, stdout, stderr], [130, "", ""]);
});
