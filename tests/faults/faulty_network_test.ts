import assert from "node:assert/strict";
import { FaultyNetwork } from "./faulty_network.ts";

const SOME = new Uint8Array(10).fill(7);

/** Both ends of a link through a faulty network. */
async function setUp() {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const network = await FaultyNetwork.start(listener.addr.port);
  const client = await Deno.connect({ hostname: "127.0.0.1", port: network.port });
  const broker = await listener.accept();
  return {
    network,
    client,
    broker,
    async [Symbol.asyncDispose]() {
      client.close();
      broker.close();
      listener.close();
      await network[Symbol.asyncDispose]();
    },
  };
}

async function read(connection: Deno.Conn, count: number): Promise<number> {
  let seen = 0;
  while (seen < count) {
    const more = await connection.read(new Uint8Array(count - seen));
    if (more === null) break;
    seen += more;
  }
  return seen;
}

Deno.test("what is stalled one way comes when the network heals, the other way at once", async () => {
  await using link = await setUp();
  link.network.stall("up");
  await link.client.write(SOME);
  let came = false;
  const late = read(link.broker, SOME.length).then((count) => {
    came = true;
    return count;
  });
  await link.broker.write(SOME);
  assert.equal(await read(link.client, SOME.length), SOME.length);
  assert.ok(!came);
  link.network.heal();
  assert.equal(await late, SOME.length);
});

Deno.test("what is swallowed never comes, and the link ends when the network heals", async () => {
  await using link = await setUp();
  link.network.swallow("down");
  await link.broker.write(SOME);
  await link.client.write(SOME);
  assert.equal(await read(link.broker, SOME.length), SOME.length);
  link.network.heal();
  assert.equal(await read(link.client, 1), 0);
});

Deno.test("a reset ends the link in the middle of what was sent", async () => {
  await using link = await setUp();
  link.network.reset("up");
  await link.client.write(SOME);
  await assert.rejects(read(link.client, 1), Deno.errors.ConnectionReset);
});

Deno.test("what dribbles or is delayed comes whole", async () => {
  await using link = await setUp();
  link.network.dribble();
  link.network.delay(5);
  await link.client.write(SOME);
  assert.equal(await read(link.broker, SOME.length), SOME.length);
});

Deno.test("new links are cut where the network refuses", async () => {
  await using link = await setUp();
  link.network.refuse();
  using refused = await Deno.connect({ hostname: "127.0.0.1", port: link.network.port });
  assert.equal(await read(refused, 1), 0);
});
