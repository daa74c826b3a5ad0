import assert from "node:assert/strict";
import { MessageEnvelope, MqttMessageQueue } from "../../mod.ts";
import { mqtt } from "../deps.ts";
import { startChromium } from "../support/chromium.ts";
import { Mosquitto } from "../support/mosquitto.ts";
import { seeFigure, seeInLog, TerminalBrowser, typeLine } from "./terminal_page.ts";

// One browser for all steps: to start one takes longer than most of them.
Deno.test("the panel beside the scrollback", async (t) => {
  await using chromium = await startChromium();

  await t.step("peek n shows a table of what waits, and keeps up with it", async () => {
    await using browser = await TerminalBrowser.start({}, { chromium });
    const page = await browser.open();
    await typeLine(page, "send --type order --correlation-id 42 first");
    await typeLine(page, "peek 10");
    const rows = page.locator("#panel tbody");
    await rows.filter({ hasText: "order" }).filter({ hasText: "42" }).waitFor();
    await typeLine(page, "send second");
    await rows.filter({ hasText: "second" }).waitFor();
    await page.getByRole("button", { name: "complete" }).first().click();
    await seeInLog(page, "completed");
    await rows.filter({ hasText: "first" }).waitFor({ state: "detached" });
    assert.equal(await rows.count(), 1);
    await page.keyboard.press("Escape");
    await page.locator("#panel > *").waitFor({ state: "detached" });
    assert.equal(await page.locator("#line:focus").count(), 1);
    assert.deepEqual(browser.complaints, []);
  });

  await t.step("a lock is counted down, renewed, and given back", async () => {
    await using browser = await TerminalBrowser.start({}, { chromium });
    const page = await browser.open();
    await typeLine(page, "send locked one");
    await typeLine(page, "receive --lock");
    await seeFigure(page, "locked", "1");
    await typeLine(page, "peek 5");
    const left = page.locator("#panel tbody.locked [data-left]");
    await left.filter({ hasText: /^2\d$/ }).waitFor();
    await page.getByRole("button", { name: "renew" }).click();
    await seeInLog(page, "locked for 30 s from now");
    await page.getByRole("button", { name: "abandon" }).click();
    await seeInLog(page, "abandoned");
    await seeFigure(page, "locked", "0");
    await page.locator("#panel tbody.ready").waitFor();
    await typeLine(page, "receive --lock");
    await typeLine(page, "complete");
    await seeFigure(page, "ready", "0");
  });

  await t.step(
    "any message can be locked, by its row, by the inspector and by typing",
    async () => {
      await using browser = await TerminalBrowser.start({}, { chromium });
      const page = await browser.open();
      for (const body of ["first", "second", "third"]) await typeLine(page, `send ${body}`);
      await typeLine(page, "peek 9");
      const second = page.locator("#panel tbody", { hasText: "second" });
      await second.getByRole("button", { name: "lock" }).click();
      await seeFigure(page, "locked", "1");
      await second.and(page.locator(".locked")).waitFor();
      const third = await page.locator("#panel tbody", { hasText: "third" }).getAttribute(
        "data-id",
      );
      await typeLine(page, `inspect ${third}`);
      await page.locator("#panel .actions").getByRole("button", { name: "lock" }).click();
      await seeFigure(page, "locked", "2");
      await page.locator("#panel .actions [data-left]").waitFor();
      await typeLine(page, `lock ${third}`);
      await seeInLog(page, "Cannot lock");
      await typeLine(page, "receive");
      await seeFigure(page, "ready", "0");
      await seeFigure(page, "locked", "2");
    },
  );

  await t.step(
    "the inspector shows a message as text, tree, hex and base64, and copies",
    async () => {
      await using browser = await TerminalBrowser.start({}, { chromium });
      const page = await browser.open();
      await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
      const copied = () => page.evaluate<string>("navigator.clipboard.readText()");
      const body = '{"id": 12345678901234567890, "list": [1, {"a": null}]}';
      await typeLine(page, `send --type order --property k=v ${body}`);
      await page.locator(".message.arrived summary").click();
      await page.locator(".message.arrived").getByRole("link", { name: "inspect" }).click();
      await page.locator("#panel .tree", { hasText: "12345678901234567890" }).waitFor();
      assert.equal(await page.locator(":focus").textContent(), "order");
      for (const [view, text] of [["text", body], ["hex", "0000  7b 22"], ["base64", btoa(body)]]) {
        await page.locator(".views").getByRole("link", { name: view, exact: true }).click();
        await page.locator("#panel pre", { hasText: text }).waitFor();
      }
      for (const [part, text] of [["text", body], ["base64", btoa(body)]]) {
        await page.locator(".copies").getByRole("link", { name: part, exact: true }).click();
        await page.locator(".copies [data-copied]", { hasText: part }).waitFor();
        assert.equal(await copied(), text);
      }
      await page.getByRole("button", { name: "copy type" }).click();
      await page.locator(".facts [data-copied]").waitFor();
      assert.equal(await copied(), "order");
      await page.locator(".copies").getByRole("link", { name: "command" }).click();
      await page.locator(".copies [data-copied]", { hasText: "command" }).waitFor();
      await typeLine(page, await copied());
      await seeFigure(page, "ready", "2");
      assert.deepEqual(browser.complaints, []);
    },
  );

  await t.step("a large message is loaded when it is asked for", async () => {
    await using browser = await TerminalBrowser.start({}, { chromium });
    const page = await browser.open();
    const other = await mqtt.connectAsync(browser.server.broker.url);
    await other.publishAsync("mytopic", "x".repeat(200_000) + "end", { qos: 1 });
    await other.endAsync();
    await page.locator(".message.arrived", { hasText: "195 KiB" }).waitFor();
    assert.ok((await page.content()).length < 60_000);
    await typeLine(page, `inspect ${await page.locator(".arrived").getAttribute("data-id")}`);
    await page.locator("#panel .rest", { hasText: "The first 16 KiB of 195 KiB" }).waitFor();
    await page.getByRole("link", { name: "show more" }).click();
    await page.locator("#panel .rest", { hasText: "The first 128 KiB" }).waitFor();
    await page.getByRole("link", { name: "show more" }).click();
    await page.locator("#panel pre", { hasText: "end" }).waitFor();
  });

  await t.step("what was received here can still be looked at", async () => {
    await using browser = await TerminalBrowser.start({}, { chromium });
    const page = await browser.open();
    await typeLine(page, "send remember me");
    await typeLine(page, "receive");
    const received = page.locator(".message.received");
    await received.waitFor();
    await typeLine(page, `inspect ${(await received.getAttribute("data-id"))?.slice(0, 8)}`);
    await page.locator("#panel", { hasText: "no longer in the queue" }).waitFor();
    await page.locator("#panel pre", { hasText: "remember me" }).waitFor();
    await typeLine(page, "inspect nothing-such");
    await page.locator("#panel", { hasText: "The message is no longer here" }).waitFor();
  });

  for (
    const [name, start] of [["Mosquitto", () => Mosquitto.start()], [
      "the embedded broker",
      null,
    ]] as const
  ) {
    await t.step(
      `dead letters are shown, redriven, and purged by name only (${name})`,
      async () => {
        await using broker = await start?.() ?? null;
        const parts = broker === null ? { chromium } : { chromium, broker };
        await using browser = await TerminalBrowser.start({}, parts);
        const page = await browser.open();
        await seeInLog(page, "connected");
        for (const text of ["one", "two"]) {
          await typeLine(page, `send ${text}`);
          await typeLine(page, "receive --lock");
          const locked = page.locator(".message.locked", { hasText: text });
          await locked.waitFor();
          const id = (await locked.getAttribute("data-id"))?.slice(0, 8);
          await typeLine(page, `dead --reason unpaid --description "no money" ${id}`);
        }
        await seeFigure(page, "dead", "2");
        await typeLine(page, "dead");
        const rows = page.locator("#panel tbody");
        await rows.filter({ hasText: "unpaid" }).filter({ hasText: "no money" }).first().waitFor();
        await rows.first().getByRole("link").click();
        await page.locator("#panel .facts", { hasText: "unpaid" }).waitFor();
        await page.locator("#panel").getByRole("button", { name: "redrive" }).click();
        await seeFigure(page, "dead", "1");
        await seeFigure(page, "ready", "1");

        await typeLine(page, "purge");
        await page.locator("#panel [name=confirm]").fill("wrong");
        await page.keyboard.press("Enter");
        await seeInLog(page, "Cannot purge: the queue's name is needed");
        await seeFigure(page, "dead", "1");
        await page.locator("#panel [name=confirm]").fill("mytopic");
        await page.locator("#panel").getByRole("button", { name: "purge" }).click();
        await seeInLog(page, "purged 1 dead letter");
        await seeFigure(page, "dead", "0");
        assert.deepEqual(browser.complaints, []);
      },
    );
  }

  await t.step("what others do to the queue shows without being asked for", async () => {
    await using browser = await TerminalBrowser.start({}, { chromium });
    const page = await browser.open();
    await typeLine(page, "peek 10");
    await page.locator("#panel .empty").waitFor();
    await using other = new MqttMessageQueue("mytopic", { url: browser.server.broker.url });
    await other.open();
    await other.send(null, new MessageEnvelope("7", "note", "from elsewhere"));
    await page.locator("#panel tbody", { hasText: "from elsewhere" }).waitFor();
  });

  await t.step("what comes late of the place before changes nothing", async () => {
    await using browser = await TerminalBrowser.start({}, { chromium });
    const page = await browser.open();
    await typeLine(page, "send first");
    const arrived = page.locator(".message.arrived");
    await arrived.waitFor();
    await typeLine(page, "peek 10");
    await page.locator("#panel tbody").waitFor();
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    await page.route(/\/panel\?.*panel=messages/, async (route) => {
      await released;
      await route.continue();
    });
    const asked = page.waitForRequest(/\/panel\?.*panel=messages/);
    await typeLine(page, "send second"); // The list is asked for again.
    await asked;
    await typeLine(page, `inspect ${await arrived.first().getAttribute("data-id")}`);
    await page.locator("#panel .copies").waitFor();
    const answered = page.waitForResponse(/\/panel\?.*panel=messages/);
    release();
    await (await answered).finished();
    await page.evaluate("new Promise((resolve) => setTimeout(resolve, 100))"); // It would be swapped in by now.
    assert.equal(await page.locator("#panel .copies").count(), 1);
    assert.equal(await page.locator("#panel tbody").count(), 0);
  });
});
