import assert from "node:assert/strict";
import { MessageEnvelope } from "../../mod.ts";
import { parseCommandLine } from "../../server/command_line.ts";
import {
  DRAFT_FLAGS,
  draftOf,
  envelopeOf,
  type MessageDraft,
  readDraft,
  readNumber,
  readProperties,
  writeDraft,
} from "../../server/message_draft.ts";

const PLAIN: MessageDraft = {
  body: "hello",
  messageType: null,
  correlationId: null,
  to: null,
  qos: null,
  retain: false,
  expiry: null,
  userProperties: {},
};

function read(line: string): MessageDraft {
  return readDraft(parseCommandLine(line, DRAFT_FLAGS));
}

Deno.test("readDraft() reads every option, and leaves what is not given as the queue has it", () => {
  assert.deepEqual(read("send hello"), PLAIN);
  assert.deepEqual(
    read(
      "send --type a --correlation-id b --qos 0 --retain --expiry 60 --property k=v --property l= --to c/d hello",
    ),
    {
      body: "hello",
      messageType: "a",
      correlationId: "b",
      to: "c/d",
      qos: 0,
      retain: true,
      expiry: 60,
      userProperties: { k: "v", l: "" },
    },
  );
});

Deno.test("readDraft() says what is wrong", () => {
  const cases: [string, RegExp][] = [
    ["send", /^SyntaxError: Cannot send: a text is needed/],
    ["send --qos 3 x", /^RangeError: .*--qos.* 0 to 2 .*received "3"/],
    ["send --expiry 0 x", /^RangeError: .*--expiry/],
    ["send --property k x", /^SyntaxError: .*key=value.*received "k"/],
    ["send --property =v x", /^SyntaxError: .*key=value/],
    ["send --base64 ? x", /^SyntaxError: .*base64/],
  ];
  for (const [line, message] of cases) assert.throws(() => read(line), message, line);
});

Deno.test("what writeDraft() writes, readDraft() reads back, whatever stands in it", () => {
  const bodies = [
    "plain",
    `{"a":  "b"}`,
    "two\nlines",
    " spaces around ",
    "",
    `"in quotes"`,
    "'in quotes'",
    `"half a quote`,
    "--type is text",
    "@name",
    "\u0000\u001b\u2028\u202e",
    new Uint8Array([0, 255, 1]),
    new Uint8Array(),
  ];
  const words = ["word", "two words", `"`, "\\", "--to", "'", "a=b", "new\nline", ""];
  for (const body of bodies) {
    for (const word of words) {
      const draft: MessageDraft = {
        body,
        messageType: word,
        correlationId: word,
        to: word,
        qos: 1,
        retain: true,
        expiry: 1,
        userProperties: { [`k ${word.replaceAll("=", "")}`]: word, __proto: word },
      };
      assert.deepEqual(read(writeDraft(draft)), draft, writeDraft(draft));
    }
  }
});

Deno.test("envelopeOf() marks JSON as JSON and sends it as it was typed", () => {
  const json = envelopeOf({ ...PLAIN, body: `{"n":  12345678901234567890}` });
  assert.equal(json.contentType, "application/json");
  assert.equal(json.getMessageAsString(), `{"n":  12345678901234567890}`);
  assert.equal(envelopeOf({ ...PLAIN, body: "{no json" }).contentType, null);
  assert.equal(envelopeOf({ ...PLAIN, body: "7" }).contentType, null);
  assert.deepEqual(envelopeOf({ ...PLAIN, userProperties: { k: "v" } }).userProperties, { k: "v" });
});

Deno.test("draftOf() sends a message again: text as text, bytes as bytes, a topic is no type", () => {
  const text = new MessageEnvelope("7", "note", "hello");
  assert.deepEqual(draftOf(text), { ...PLAIN, messageType: "note", correlationId: "7" });
  const bytes = new MessageEnvelope(null, null, new Uint8Array([255]));
  assert.deepEqual(draftOf(bytes).body, new Uint8Array([255]));
  assert.equal(writeDraft(draftOf(bytes)), "send --base64 /w==");
  assert.equal(draftOf(new MessageEnvelope(null, null, null)).body, "");
});

Deno.test("readNumber() takes whole numbers in the range and nothing else", () => {
  assert.equal(readNumber("n", "7", 0, 7), 7);
  assert.equal(readNumber("n", "", 0, 7), null);
  assert.equal(readNumber("n", null, 0, 7), null);
  for (const text of ["8", "-1", "1.5", "1e1", " 1", "x", "0x1", "99999999999"]) {
    assert.throws(() => readNumber("n", text, 0, 7), RangeError, text);
  }
});

Deno.test("readProperties() keeps what stands behind the first equals sign", () => {
  assert.deepEqual(readProperties(["a=b=c", "d="]), { a: "b=c", d: "" });
  assert.throws(() => readProperties(["a"]), SyntaxError);
});
