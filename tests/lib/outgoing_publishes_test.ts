import assert from "node:assert/strict";
import { encodeEnvelope } from "../../lib/envelope_codec.ts";
import { ConnectionError, NotSupportedError } from "../../lib/errors.ts";
import { MessageEnvelope } from "../../lib/message_envelope.ts";
import { PacketType, publishSize } from "../../lib/publish_packet.ts";
import { OutgoingSetting as Setting } from "./outgoing_setting.ts";

const { puback, pubrec, pubrel, pubcomp } = PacketType;
const QUOTA_EXCEEDED = 0x97;

/** A message in the JSON form. */
function inJson(body: string): Uint8Array {
  return encodeEnvelope(new MessageEnvelope(null, "order", body), {
    correlationId: null,
    serializeEnvelope: true,
    protocolVersion: 4,
    expiry: null,
    now: 1_000,
  }).payload;
}

Deno.test("QoS 0 is answered as soon as it is written", () => {
  const setting = new Setting();
  setting.publish(["a", ""], { qos: 0 });
  assert.deepEqual(setting.link.take(), ["publish a", "publish"]);
  assert.deepEqual(setting.answers, [{ body: "a" }, { body: "" }]);
});

Deno.test("QoS 0 waits where there is no room, and is answered once there is", () => {
  const setting = new Setting();
  setting.link.hasRoom = false;
  setting.publish(["a", ""], { qos: 0 });
  assert.deepEqual(setting.link.take(), ["publish a", "publish"]);
  assert.deepEqual(setting.answers, []);
  setting.publishes.drained();
  assert.deepEqual(setting.sent, ["a", ""]);
  setting.publishes.drained();
  setting.relink();
  assert.equal(setting.answers.length, 2);
  assert.deepEqual(setting.link.take(), []);
});

Deno.test("QoS 0 that still waits fails with the link, and is not sent again", () => {
  const setting = new Setting();
  setting.link.hasRoom = false;
  setting.publish(["a"], { qos: 0 });
  const cause = new Error("cut");
  setting.publishes.unlink(cause);
  assert.deepEqual(setting.failed(ConnectionError), ["a"]);
  const error = setting.answers[0].error as ConnectionError;
  assert.deepEqual([error.cause, error.url], [cause, setting.link.url]);
  setting.link.take();
  setting.publishes.link();
  setting.publishes.drained();
  assert.deepEqual([setting.link.take(), setting.answers.length], [[], 1]);
});

Deno.test("what is written is the message, with a packet id of its own", () => {
  const setting = new Setting();
  const properties = { contentType: "text/plain", userProperties: { color: "blå" } };
  const [publish] = setting.publish(["body"], { topic: "t", qos: 2, retain: true, properties });
  const [packet] = setting.link.takePackets();
  assert.ok(packet.cmd === "publish");
  const { topic, qos, retain, dup, messageId } = packet;
  assert.deepEqual({ topic, qos, retain, dup, messageId }, {
    ...{ topic: "t", qos: 2, retain: true, dup: false, messageId: 1 },
  });
  assert.equal(packet.properties!.contentType, "text/plain");
  assert.equal(packet.properties!.userProperties!.color, "blå");
  assert.equal(publish.packetId, 1);
});

Deno.test("QoS 1 is answered with its PUBACK, once", () => {
  const setting = new Setting();
  setting.publish(["a", "b"]);
  assert.deepEqual(setting.link.take(), ["publish 1 a", "publish 2 b"]);
  assert.deepEqual(setting.answers, []);
  setting.acknowledge(puback, 2);
  setting.acknowledge(puback, 2);
  assert.deepEqual(setting.answers, [{ body: "b" }]);
  setting.acknowledge(puback, 1);
  assert.deepEqual(setting.sent, ["b", "a"]);
});

Deno.test("a refusal is an error that tells the reason in a number and in words", () => {
  const setting = new Setting();
  setting.publish(["a", "b"]);
  setting.acknowledge(puback, 1, QUOTA_EXCEEDED);
  setting.acknowledge(puback, 2, 0x80);
  assert.deepEqual(setting.failed(ConnectionError), ["a", "b"]);
  const [quota, unspecified] = setting.answers.map(({ error }) => error as ConnectionError);
  assert.deepEqual([quota.reasonCode, quota.url], [QUOTA_EXCEEDED, setting.link.url]);
  assert.match(quota.message, /^Cannot send to "orders\/new": .*quota exceeded/i);
  assert.equal(unspecified.reasonCode, 0x80);
});

Deno.test("a refusal for a reason that nobody knows is one as well", () => {
  const setting = new Setting();
  setting.publish(["a"]);
  setting.acknowledge(puback, 1, 0xfe);
  assert.deepEqual(setting.failed(ConnectionError), ["a"]);
  assert.match(setting.answers[0].error!.message, /254/);
});

Deno.test("that nobody is subscribed is an error for a message that is mandatory alone", () => {
  const setting = new Setting();
  setting.publish(["a"], { mandatory: true });
  setting.publish(["b"]);
  for (const id of [1, 2]) setting.acknowledge(puback, id, 0x10);
  assert.deepEqual([setting.failed(ConnectionError), setting.sent], [["a"], ["b"]]);
  const error = setting.answers[0].error as ConnectionError;
  assert.equal(error.reasonCode, 0x10);
  assert.match(error.message, /nobody is subscribed/);
});

Deno.test("QoS 2 is released when its PUBREC comes, and answered with its PUBCOMP", () => {
  const setting = new Setting();
  setting.publish(["a"], { qos: 2 });
  assert.deepEqual(setting.link.take(), ["publish 1 a"]);
  setting.acknowledge(pubrec, 1);
  assert.deepEqual([setting.link.take(), setting.answers], [["pubrel 1"], []]);
  setting.acknowledge(pubcomp, 1);
  assert.deepEqual([setting.link.take(), setting.sent], [[], ["a"]]);
});

Deno.test("a PUBREC that refuses ends the message, and nothing is released", () => {
  const setting = new Setting();
  setting.publish(["a"], { qos: 2 });
  setting.link.take();
  setting.acknowledge(pubrec, 1, QUOTA_EXCEEDED);
  assert.deepEqual(setting.link.take(), []);
  assert.equal((setting.answers[0].error as ConnectionError).reasonCode, QUOTA_EXCEEDED);
});

Deno.test("what is said of no message of ours is passed over", () => {
  const setting = new Setting();
  setting.publish(["a"]);
  setting.link.take();
  for (const type of [puback, pubrec, pubrel, pubcomp]) {
    for (const id of [0, 2, 65_535]) setting.acknowledge(type, id);
  }
  assert.deepEqual([setting.link.take(), setting.answers], [[], []]);
});

Deno.test("an answer that belongs to another QoS is passed over", () => {
  const setting = new Setting();
  setting.publish(["a"]);
  setting.publish(["b"], { qos: 2 });
  setting.link.take();
  for (const type of [pubrec, pubrel, pubcomp]) setting.acknowledge(type, 1, QUOTA_EXCEEDED);
  for (const type of [puback, pubrel]) setting.acknowledge(type, 2, QUOTA_EXCEEDED);
  assert.deepEqual([setting.link.take(), setting.answers], [[], []]);
});

Deno.test("what has no answer goes out again on the next link, in order", () => {
  const setting = new Setting();
  setting.publish(["a", "b", "c", "d"]);
  setting.publish(["e", "f"], { qos: 2 });
  setting.acknowledge(puback, 2);
  setting.acknowledge(pubrec, 5);
  setting.relink();
  const again = ["publish 1 a dup", "publish 3 c dup", "publish 4 d dup", "pubrel 5"];
  assert.deepEqual(setting.link.take(), [...again, "publish 6 f dup"]);
  setting.relink();
  assert.deepEqual(setting.link.take(), [...again, "publish 6 f dup"]);
  assert.deepEqual(setting.sent, ["b"]);
});

Deno.test("what was sent again is answered like any other, and new ones follow it", () => {
  const setting = new Setting();
  setting.publish(["a", "b"]);
  setting.relink();
  setting.publish(["c"]);
  assert.deepEqual(setting.link.take(), ["publish 1 a dup", "publish 2 b dup", "publish 3 c"]);
  for (const id of [1, 2, 3]) setting.acknowledge(puback, id);
  assert.deepEqual(setting.sent, ["a", "b", "c"]);
  setting.relink();
  assert.deepEqual(setting.link.take(), []);
});

Deno.test("on version 5 a message of QoS 1 says that it was sent before, one of QoS 2 does not", () => {
  const setting = new Setting();
  setting.publish(["a"], { properties: { userProperties: { color: "blå" } } });
  setting.publish(["b"], { qos: 2 });
  setting.relink();
  const userProperties = setting.link.takePackets().map((packet) => {
    assert.ok(packet.cmd === "publish" && packet.dup);
    return Object.entries(packet.properties?.userProperties ?? {});
  });
  assert.deepEqual(userProperties, [[["color", "blå"], ["resent", "true"]], []]);
});

Deno.test("on 3.1.1 the JSON form says that it was sent before at QoS 1, and nothing else does", () => {
  const json = inJson("body");
  const cases = [
    { payload: json, qos: 1, sendsJson: true, marked: true },
    { payload: json, qos: 2, sendsJson: true, marked: false },
    { payload: json, qos: 1, sendsJson: false, marked: false },
    { payload: new TextEncoder().encode("bare"), qos: 1, sendsJson: true, marked: false },
  ] as const;
  for (const { payload, qos, sendsJson, marked } of cases) {
    const setting = new Setting({ protocolVersion: 4 });
    setting.link.sendsJson = sendsJson;
    setting.publish([""], { payload, qos });
    setting.relink();
    const [packet] = setting.link.takePackets();
    assert.ok(packet.cmd === "publish" && packet.dup);
    const plain = new TextDecoder().decode(payload);
    const expected = marked ? `{"resent":true,${plain.slice(1)}` : plain;
    assert.equal(packet.payload.toString(), expected);
  }
});

Deno.test("a message that has no room for the mark goes out again without it", () => {
  const setting = new Setting();
  const [{ message }] = setting.publish(["a"]);
  setting.relink({ maximumPacketSize: publishSize(message, 5) });
  const [packet] = setting.link.takePackets();
  assert.ok(packet.cmd === "publish" && packet.dup);
  assert.equal(packet.properties, undefined);
  assert.deepEqual(setting.answers, []);
});

Deno.test("a message that was forgotten is ended by its own link", () => {
  const setting = new Setting();
  const [a, b] = [...setting.publish(["a"]), ...setting.publish(["b"], { qos: 2 })];
  for (const publish of [a, b]) setting.publishes.forget(publish);
  assert.deepEqual(setting.answers, []);
  setting.link.take();
  setting.acknowledge(puback, 1);
  setting.acknowledge(pubrec, 2);
  assert.deepEqual(setting.link.take(), ["pubrel 2"]);
  setting.acknowledge(pubcomp, 2);
  assert.deepEqual(setting.sent, ["a", "b"]);
});

Deno.test("a message that was forgotten is answered when the link is lost, and not sent again", () => {
  const setting = new Setting();
  const [, b, c] = setting.publish(["a", "b", "c", "d"]);
  setting.publishes.forget(c);
  setting.publishes.forget(b);
  setting.relink();
  assert.deepEqual(setting.failed(ConnectionError).sort(), ["b", "c"]);
  assert.deepEqual(setting.link.take(), ["publish 1 a dup", "publish 4 d dup"]);
  setting.acknowledge(puback, 2);
  assert.equal(setting.answers.length, 2);
});

Deno.test("a message that is forgotten while the link is down is answered at once", () => {
  const setting = new Setting();
  const [a, b] = [...setting.publish(["a"]), ...setting.publish(["b"], { qos: 2 })];
  setting.acknowledge(pubrec, 2);
  setting.publishes.unlink(new Error("cut"));
  setting.link.take();
  for (const publish of [a, b]) setting.publishes.forget(publish);
  assert.deepEqual(setting.failed(ConnectionError), ["a", "b"]);
  setting.publishes.link();
  assert.deepEqual(setting.link.take(), []);
});

Deno.test("a message that is answered can be forgotten, and so can one of QoS 0", () => {
  const setting = new Setting();
  const [a] = setting.publish(["a"]);
  setting.acknowledge(puback, 1);
  setting.publishes.forget(a);
  const [b] = setting.publish(["b"], { qos: 0 });
  setting.publishes.forget(b);
  setting.relink();
  setting.publishes.forget(a);
  assert.deepEqual(setting.answers, [{ body: "a" }, { body: "b" }]);
});

Deno.test("no more go out again than the broker takes now, the next with each answer", () => {
  const setting = new Setting();
  setting.publish(["a", "b", "c"]);
  setting.publish(["d", "e"], { qos: 2 });
  setting.relink({ receiveMaximum: 2 });
  assert.deepEqual(setting.link.take(), ["publish 1 a dup", "publish 2 b dup"]);
  setting.acknowledge(puback, 2);
  assert.deepEqual(setting.link.take(), ["publish 3 c dup"]);
  setting.acknowledge(puback, 1, QUOTA_EXCEEDED);
  assert.deepEqual(setting.link.take(), ["publish 4 d dup"]);
  setting.acknowledge(pubrec, 4);
  assert.deepEqual(setting.link.take(), ["pubrel 4"]);
  setting.acknowledge(pubcomp, 4);
  assert.deepEqual(setting.link.take(), ["publish 5 e dup"]);
  setting.acknowledge(puback, 3);
  setting.acknowledge(pubrec, 5);
  setting.acknowledge(pubcomp, 5);
  assert.deepEqual(setting.link.take(), ["pubrel 5"]);
  assert.deepEqual(setting.sent, ["b", "d", "c", "e"]);
});

Deno.test("what the broker had no room for on one link goes out on the next, in order", () => {
  const setting = new Setting();
  setting.publish(["a", "b", "c"]);
  setting.relink({ receiveMaximum: 1 });
  assert.deepEqual(setting.link.take(), ["publish 1 a dup"]);
  setting.relink({ receiveMaximum: 10 });
  const all = ["publish 1 a dup", "publish 2 b dup", "publish 3 c dup"];
  assert.deepEqual(setting.link.take(), all);
  setting.acknowledge(puback, 1);
  assert.deepEqual(setting.link.take(), []);
});

Deno.test("a link that is lost makes nobody's turn", () => {
  const setting = new Setting();
  setting.publish(["a", "b"]);
  setting.relink({ receiveMaximum: 1 });
  setting.publishes.unlink(new Error("cut"));
  setting.link.take();
  setting.acknowledge(puback, 1);
  assert.deepEqual(setting.link.take(), []);
});

Deno.test("what the broker takes no longer fails when it would go out again, the others go on", () => {
  const setting = new Setting();
  setting.publish(["a", "x".repeat(200)]);
  setting.publish(["c", "d"], { qos: 2 });
  setting.publish(["e"], { retain: true });
  setting.publish(["f"]);
  setting.acknowledge(pubrec, 3);
  setting.relink({ maximumPacketSize: 100, maximumQoS: 1, retainAvailable: false });
  assert.deepEqual(setting.link.take(), ["publish 1 a dup", "pubrel 3", "publish 6 f dup"]);
  assert.deepEqual(setting.failed(NotSupportedError), ["x".repeat(200), "d", "e"]);
  setting.acknowledge(puback, 1);
  setting.acknowledge(pubcomp, 3);
  setting.acknowledge(puback, 6);
  assert.deepEqual(setting.sent, ["a", "c", "f"]);
});

Deno.test("what fails takes no place of those that the broker has room for", () => {
  const setting = new Setting();
  setting.publish(["x".repeat(200), "y".repeat(200), "a", "b"]);
  setting.relink({ maximumPacketSize: 100, receiveMaximum: 1 });
  assert.deepEqual(setting.link.take(), ["publish 3 a dup"]);
  setting.acknowledge(puback, 3);
  assert.deepEqual(setting.link.take(), ["publish 4 b dup"]);
});

Deno.test("a packet id is not used again before its message is answered", () => {
  const setting = new Setting();
  setting.publish(["first"]);
  setting.publish(["second"], { qos: 2 });
  setting.acknowledge(pubrec, 2);
  for (let id = 3; id <= 65_535; id++) {
    assert.equal(setting.publish([""])[0].packetId, id);
    setting.acknowledge(puback, id);
  }
  setting.acknowledge(puback, 3);
  assert.equal(setting.publish(["after"])[0].packetId, 3);
  assert.equal(setting.publishes.ids.register(1), false);
});

Deno.test("a packet id that is used again stands for its new message alone", () => {
  const setting = new Setting();
  setting.publish(["a"], { qos: 2 });
  setting.acknowledge(pubrec, 1);
  setting.acknowledge(pubcomp, 1);
  const [, b] = setting.publish(["x", "b"]);
  setting.publishes.forget(b);
  for (const id of [2, 3]) setting.acknowledge(puback, id);
  for (let id = 4; id <= 65_535; id++) assert.equal(setting.publishes.ids.next(), id);
  setting.publish(["c", "d", "e"], { qos: 2 });
  setting.relink();
  assert.deepEqual(setting.link.take(), ["publish 1 c dup", "publish 2 d dup", "publish 3 e dup"]);
  assert.deepEqual(setting.sent, ["a", "x", "b"]);
});

Deno.test("a packet id that MQTT.js uses is not used for a message", () => {
  const setting = new Setting();
  assert.equal(setting.publishes.ids.allocate(), 1);
  assert.equal(setting.publishes.ids.register(3), true);
  const ids = setting.publish(["a", "b"]).map(({ packetId }) => packetId);
  assert.deepEqual(ids, [2, 4]);
});

Deno.test("a message that is forgotten before its turn to go out again is not sent", () => {
  const setting = new Setting();
  const [, second] = setting.publish(["a", "b"]);
  setting.relink({ receiveMaximum: 1 });
  assert.equal(setting.link.take().length, 1); // The second waits for the answer to the first.
  setting.publishes.forget(second);
  assert.deepEqual(setting.failed(ConnectionError), ["b"]);
  setting.acknowledge(puback, 1);
  assert.deepEqual([setting.sent, setting.link.take()], [["a"], []]);
});

Deno.test("a PUBCOMP that does not know a PUBREL that was sent again is no failure", () => {
  const PACKET_ID_NOT_FOUND = 0x92;
  const setting = new Setting();
  setting.publish(["a"], { qos: 2 });
  setting.acknowledge(pubrec, 1);
  setting.relink();
  setting.acknowledge(pubcomp, 1, PACKET_ID_NOT_FOUND);
  assert.deepEqual(setting.sent, ["a"]);
  setting.publish(["b"], { qos: 2 });
  setting.acknowledge(pubrec, 2, PACKET_ID_NOT_FOUND); // It says nothing of the kind here.
  assert.deepEqual(setting.failed(ConnectionError), ["b"]);
});

Deno.test("QoS 0 that is handed over while the link is down is not answered as sent", () => {
  const setting = new Setting();
  setting.publishes.unlink(new Error("cut"));
  setting.publish(["a"], { qos: 0 });
  assert.deepEqual([setting.sent, setting.failed(ConnectionError)], [[], ["a"]]);
});

Deno.test("a message that cannot be written fails alone, and is not tried again", () => {
  const setting = new Setting();
  const properties = { userProperties: { long: "x".repeat(70_000) } };
  assert.throws(() => setting.publish(["a"], { properties }), RangeError);
  setting.relink();
  assert.deepEqual(setting.link.take(), []);
});
