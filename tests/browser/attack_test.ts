import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mqtt } from "../deps.ts";
import { startChromium } from "../support/chromium.ts";
import { Mosquitto } from "../support/mosquitto.ts";
import { seeFigure, seeInLog, TerminalBrowser, typeLine } from "./terminal_page.ts";

const ATTACKS = [
  `<img src=x onerror="document.title='pwned'"><script>document.title='pwned'</script>`,
  `</pre></bdi></details><hx-partial hx-target="#status" hx-swap="innerHTML">pwned</hx-partial>`,
  `<div hx-swap-oob="innerHTML:#status">pwned</div><b hx-get="/api/count" hx-trigger="load">x</b>`,
  `"' onmouseover="document.title='pwned'" x="`,
  `</title></template></textarea><svg onload="document.title='pwned'">`,
  "\r\rid: 9\r\ndata: <i>pwned</i>\n\n",
  "\u202egnp.exe \u2066hidden\u2069 \u0007\u001b[31m\u200b\ufeff",
];

// One browser for all steps: to start one takes longer than most of them.
Deno.test("what an attacker writes stays text", async (t) => {
  await using chromium = await startChromium();

  await t.step(
    "in payloads, types, ids, properties and topics, in the log and in every panel",
    async () => {
      await using broker = await Mosquitto.start();
      await using browser = await TerminalBrowser.start({ topic: "deep/#" }, { chromium, broker });
      const page = await browser.open();
      await seeInLog(page, "connected");
      const other = await mqtt.connectAsync(broker.url, { protocolVersion: 5 });
      for (const attack of ATTACKS) {
        await other.publishAsync("deep/plain", attack, { qos: 1 });
        const json = {
          message_id: attack,
          correlation_id: attack,
          message_type: attack,
          sent_time: attack,
          message: new TextEncoder().encode(attack).toBase64(),
          content_type: attack,
          user_properties: { [attack]: attack },
        };
        await other.publishAsync("deep/json", JSON.stringify(json), { qos: 1 });
        // The broker takes no controls and no wildcards there.
        const allowed = attack.replace(/[#+]|\p{Cc}/gu, "");
        const topic = `deep/${allowed}`;
        await other.publishAsync(topic, `{${JSON.stringify(attack)}: ${JSON.stringify(attack)}}`, {
          qos: 1,
          properties: { contentType: "text/html", userProperties: { "<b>": allowed.slice(0, 50) } },
        });
        await typeLine(page, attack.replace(/[\r\n]/g, " "));
        const typed = allowed.replace(/["\\]/g, "");
        await typeLine(page, `send --type "${typed}" --to deep/x ${typed}`);
      }
      await other.publishAsync("deep/bytes", Buffer.from([0xff, 0xfe, 0, 0x3c]), {
        qos: 1,
      });
      await other.publishAsync("deep/last", "the last", { qos: 1 });
      await other.endAsync();
      await page.locator(".message.arrived", { hasText: "the last" }).waitFor();

      const assertUnharmed = async () => {
        assert.equal(await page.title(), "deep/# – MQTT terminal");
        const strange = "#log, #panel, #status";
        const inside =
          "img, script, i:not(.tree i), svg:not(.wave), [onload], [onmouseover], [hx-swap-oob]";
        for (const part of strange.split(", ")) {
          assert.equal(await page.locator(part).locator(inside).count(), 0, part);
        }
        assert.equal(await page.locator("h1").textContent(), "deep/#");
        assert.ok(!browser.requests.includes("/api/count"));
        assert.doesNotMatch(
          await page.locator("body").innerText(),
          /[\u202e\u2066]|(?![\n\t])\p{Cc}/u,
        );
        assert.deepEqual(browser.complaints, []);
      };
      await assertUnharmed();
      await typeLine(page, "peek 100");
      await page.locator("#panel tbody").first().waitFor();
      await assertUnharmed();
      const links = await page.locator("#panel tbody a").evaluateAll((all) =>
        all.map((link) => link.getAttribute("href") ?? "")
      );
      for (const href of links.slice(0, 9)) {
        await page.goto(new URL(href, browser.url).href);
        await page.locator("#panel .copies").waitFor();
        await assertUnharmed();
      }
      await page.locator("#panel").getByRole("button", { name: "dead-letter" }).click();
      await seeFigure(page, "dead", "1");
      await typeLine(page, "dead --reason x");
      await page.locator("#panel tbody").first().waitFor();
      await assertUnharmed();
    },
  );

  await t.step("in lines of a mebibyte", async () => {
    await using browser = await TerminalBrowser.start({}, { chromium });
    const page = await browser.open();
    const long = `<b>${"x".repeat(1024 * 1024)}`;
    const other = await mqtt.connectAsync(browser.server.broker.url);
    const json = {
      message_id: long,
      correlation_id: long,
      message_type: long,
      message: btoa(long),
      user_properties: { [long]: long },
    };
    await other.publishAsync("mytopic", JSON.stringify(json), { qos: 1 });
    await other.endAsync();
    await page.locator(".message.arrived", { hasText: "1.0 MiB" }).waitFor();
    await typeLine(page, "peek 10");
    await page.locator("#panel tbody a").click();
    await page.locator("#panel .rest", { hasText: "The first 16 KiB" }).waitFor();
    assert.ok((await page.content()).length < 700_000);
    assert.equal(await page.locator("#log b, #panel .facts b").count(), 0);
    await page.locator("#panel").getByRole("button", { name: "complete" }).click();
    await seeFigure(page, "ready", "0");
    assert.deepEqual(browser.complaints, []);
  });

  await t.step("in what the broker says: a wrong password", async () => {
    await using broker = await Mosquitto.start({ config: ["allow_anonymous false"] });
    await using browser = await TerminalBrowser.start(
      { username: "<b>user</b>", password: "top-secret" },
      { chromium, broker },
    );
    const page = await browser.open();
    await page.locator(".between .state", { hasText: "next try in" }).waitFor();
    assert.ok(!(await page.content()).includes("top-secret"));
    assert.equal(await page.locator("#log b").count(), 0);
  });
});
