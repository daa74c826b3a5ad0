import assert from "node:assert/strict";
import type { Delivery, QoS } from "../../lib/connection.ts";
import { DeferredAcks } from "../../lib/deferred_ack.ts";
import type { AcknowledgementType } from "../../lib/publish_packet.ts";
import { delivery } from "./deliveries.ts";

const NAMES = { 4: "puback", 5: "pubrec", 6: "pubrel", 7: "pubcomp" };

/** Held acknowledgements, and a link that is up. */
class Setting {
  readonly acks: DeferredAcks;
  /** What was written, such as `puback 7`. */
  readonly written: string[] = [];
  readonly deliveries: Delivery[] = [];
  readonly forgotten: number[] = [];
  redelivered = 0;

  constructor(order: "arrival" | "settled" = "arrival") {
    const write = (type: AcknowledgementType, packetId: number) => {
      this.written.push(`${NAMES[type]} ${packetId}`);
    };
    this.acks = new DeferredAcks(order, write, {
      onDelivery: (delivery) => this.deliveries.push(delivery),
      onForgotten: (held) => this.forgotten.push(held),
      onRedelivered: () => this.redelivered++,
    });
    this.acks.link(false);
  }

  /** The broker delivers a message. */
  deliver(packetId: number, given: { qos?: QoS; dup?: boolean; body?: string } = {}): void {
    const { qos = 1, dup = false, body = `${packetId}` } = given;
    this.acks.receive(delivery(body, { qos, dup, packetId: qos === 0 ? null : packetId }));
  }

  /** The link is lost, and another one comes up. */
  relink(sessionPresent = true): void {
    this.acks.unlink();
    this.acks.link(sessionPresent);
  }

  /** Settles the messages with these places in `deliveries`. */
  settle(...places: number[]): void {
    for (const place of places) this.acks.settle(this.deliveries[place]);
  }
}

for (const { qos, ack } of [{ qos: 1, ack: "puback" }, { qos: 2, ack: "pubrec" }] as const) {
  Deno.test(`QoS ${qos}: nothing is acknowledged before it is settled, once`, () => {
    const setting = new Setting();
    setting.deliver(7, { qos });
    assert.deepEqual(setting.written, []);
    setting.settle(0, 0);
    assert.deepEqual(setting.written, [`${ack} 7`]);
  });
}

Deno.test("what is delivered is handed on as it came", () => {
  const setting = new Setting();
  const message = delivery("body", { packetId: 7, retain: true });
  setting.acks.receive(message);
  assert.equal(setting.deliveries[0], message);
});

Deno.test("QoS 0 is handed on each time, and settling it writes nothing", () => {
  const setting = new Setting();
  setting.deliver(7, { qos: 0 });
  setting.deliver(7, { qos: 0, dup: true });
  assert.equal(setting.deliveries.length, 2);
  setting.settle(0, 1);
  assert.deepEqual(setting.written, []);
});

Deno.test("acknowledgements go out in the order of arrival", () => {
  const setting = new Setting("arrival");
  for (const id of [5, 3, 9]) setting.deliver(id);
  setting.settle(2);
  setting.settle(1);
  assert.deepEqual(setting.written, []);
  setting.settle(0);
  assert.deepEqual(setting.written, ["puback 5", "puback 3", "puback 9"]);
});

Deno.test("with ackOrder settled each goes out when it is settled", () => {
  const setting = new Setting("settled");
  for (const id of [5, 3, 9]) setting.deliver(id);
  setting.settle(2, 0, 1);
  assert.deepEqual(setting.written, ["puback 9", "puback 5", "puback 3"]);
});

Deno.test("thousands that are settled in turn are acknowledged in turn", () => {
  const setting = new Setting("arrival");
  const ids = Array.from({ length: 5_000 }, (_, index) => index + 1);
  for (const id of ids) setting.deliver(id);
  for (const id of ids) setting.settle(id - 1);
  assert.deepEqual(setting.written, ids.map((id) => `puback ${id}`));
  setting.deliver(6_000);
  setting.settle(5_000);
  assert.equal(setting.written.at(-1), "puback 6000");
});

for (const order of ["arrival", "settled"] as const) {
  Deno.test(`nothing is acknowledged on a link that did not deliver it (${order})`, () => {
    const setting = new Setting(order);
    setting.deliver(1);
    setting.deliver(2);
    setting.acks.unlink();
    setting.settle(0);
    setting.acks.link(true);
    assert.deepEqual(setting.written, []);
    setting.deliver(1, { dup: true });
    assert.deepEqual(setting.written, ["puback 1"]);
    setting.deliver(2, { dup: true });
    setting.settle(1);
    assert.deepEqual(setting.written, ["puback 1", "puback 2"]);
    assert.deepEqual([setting.deliveries.length, setting.redelivered], [2, 2]);
  });
}

Deno.test("after a reconnect the order is that of the new link", () => {
  const setting = new Setting();
  for (const id of [1, 2]) setting.deliver(id);
  setting.relink();
  setting.deliver(2, { dup: true });
  setting.deliver(1, { dup: true });
  setting.settle(0);
  assert.deepEqual(setting.written, []);
  setting.settle(1);
  assert.deepEqual(setting.written, ["puback 2", "puback 1"]);
});

Deno.test("a message that comes twice on one link is shown and acknowledged once", () => {
  const setting = new Setting();
  setting.deliver(1);
  setting.deliver(1, { dup: true });
  setting.settle(0);
  assert.deepEqual(setting.written, ["puback 1"]);
  assert.deepEqual([setting.deliveries.length, setting.redelivered], [1, 1]);
});

Deno.test("a repetition of what was acknowledged at QoS 1 is a delivery of its own", () => {
  const setting = new Setting();
  setting.deliver(1);
  setting.settle(0);
  setting.relink();
  setting.deliver(1, { dup: true });
  assert.equal(setting.deliveries.length, 2);
  setting.settle(1);
  assert.deepEqual(setting.written, ["puback 1", "puback 1"]);
});

Deno.test("a PUBREC that was lost is written again, and the message not shown again", () => {
  const setting = new Setting();
  setting.deliver(1, { qos: 2 });
  setting.settle(0);
  setting.relink();
  setting.deliver(1, { qos: 2, dup: true });
  assert.deepEqual(setting.written, ["pubrec 1", "pubrec 1"]);
  assert.equal(setting.deliveries.length, 1);
});

Deno.test("after its PUBREL a packet id stands for a new message", () => {
  const setting = new Setting();
  setting.deliver(1, { qos: 2 });
  setting.settle(0);
  setting.acks.release(1);
  setting.deliver(1, { qos: 2, dup: true, body: "new" });
  assert.equal(setting.deliveries.length, 2);
  assert.deepEqual(setting.written, ["pubrec 1", "pubcomp 1"]);
});

Deno.test("a PUBREL is answered each time it comes, whatever is known of it", () => {
  const setting = new Setting();
  setting.acks.release(3);
  setting.acks.release(3);
  assert.deepEqual(setting.written, ["pubcomp 3", "pubcomp 3"]);
});

Deno.test("a packet id without DUP is a new message, and the old one is never acknowledged", () => {
  for (const order of ["arrival", "settled"] as const) {
    const setting = new Setting(order);
    setting.deliver(1, { body: "old" });
    setting.deliver(1, { body: "new" });
    assert.equal(setting.deliveries.length, 2);
    setting.settle(0);
    assert.deepEqual(setting.written, []);
    setting.settle(1);
    assert.deepEqual(setting.written, ["puback 1"]);
  }
});

Deno.test("a message whose id was reused does not hold up those behind it", () => {
  const setting = new Setting();
  for (const id of [1, 1, 2]) setting.deliver(id);
  setting.settle(1, 2);
  assert.deepEqual(setting.written, ["puback 1", "puback 2"]);
});

Deno.test("a session that was forgotten is told, and what was held is not acknowledged", () => {
  const setting = new Setting();
  setting.deliver(1);
  setting.deliver(2, { qos: 2 });
  setting.relink(false);
  assert.deepEqual(setting.forgotten, [2]);
  setting.deliver(1, { body: "another" });
  setting.settle(0, 1);
  assert.deepEqual(setting.written, []);
  setting.settle(2);
  assert.deepEqual(setting.written, ["puback 1"]);
});

Deno.test("a PUBREC does not outlive the session either", () => {
  const setting = new Setting();
  setting.deliver(1, { qos: 2 });
  setting.settle(0);
  setting.relink(false);
  setting.deliver(1, { qos: 2, dup: true, body: "another" });
  assert.equal(setting.deliveries.length, 2);
  assert.deepEqual(setting.written, ["pubrec 1"]);
});

Deno.test("a first link without a session is no loss, and neither is a resumed one", () => {
  const setting = new Setting();
  setting.relink(true);
  assert.deepEqual(setting.forgotten, []);
});

Deno.test("an acknowledgement is owed from settling on a dead link until it is asked for again", () => {
  const setting = new Setting();
  setting.deliver(1);
  assert.equal(setting.acks.owes, false);
  setting.acks.unlink();
  assert.equal(setting.acks.owes, false);
  setting.settle(0);
  assert.equal(setting.acks.owes, true);
  setting.acks.link(true);
  assert.equal(setting.acks.owes, true);
  setting.deliver(1, { dup: true });
  assert.equal(setting.acks.owes, false);
});

Deno.test("what only waits for one before it is not owed", () => {
  const setting = new Setting("arrival");
  setting.deliver(1);
  setting.deliver(2);
  setting.settle(1);
  assert.equal(setting.acks.owes, false);
});

Deno.test("nothing is owed to a broker that forgot the session", () => {
  const setting = new Setting();
  setting.deliver(1);
  setting.acks.unlink();
  setting.settle(0);
  setting.acks.link(false);
  assert.equal(setting.acks.owes, false);
});
