import assert from "node:assert/strict";
import { publicUrl } from "../../lib/public_url.ts";

for (
  const [url, shown] of [
    ["mqtt://broker:1883", "mqtt://broker:1883"],
    ["mqtts://bob:hunter2@broker", "mqtts://broker"],
    ["ws://bob@broker/a@b", "ws://broker/a@b"],
    ["wss://broker/mqtt/?token=hunter2", "wss://broker/mqtt/"],
    ["wss://broker?a=b&token=hun@ter2/", "wss://broker"],
    ["wss://broker/mqtt#hunter2", "wss://broker/mqtt"],
    ["", ""],
  ]
) {
  Deno.test(`"${url}" is shown as "${shown}"`, () => assert.equal(publicUrl(url), shown));
}
