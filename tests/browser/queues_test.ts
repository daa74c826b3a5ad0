import assert from "node:assert/strict";
import { mqtt } from "../deps.ts";
import { startChromium } from "../support/chromium.ts";
import { seeFigure, seeInLog, seeListeners, TerminalBrowser, typeLine } from "./terminal_page.ts";

// One browser for all steps: to start one takes longer than most of them.
Deno.test("commands, tabs and queues", async (t) => {
  await using chromium = await startChromium();

  await t.step("the prompt takes lines, the history survives a reload", async () => {
    await using browser = await TerminalBrowser.start({}, { chromium });
    const page = await browser.open();
    const line = page.locator("#line");
    await line.fill("send first");
    await line.press("Shift+Enter");
    await line.pressSequentially("second");
    await line.press("Enter");
    await seeInLog(page, "send first⏎second");
    await seeInLog(page, "sent 12 B");
    await page.reload();
    await line.press("ArrowUp");
    assert.equal(await line.inputValue(), "send first\nsecond");
  });

  await t.step("Tab completes ids, topics and saved messages", async () => {
    await using browser = await TerminalBrowser.start({}, { chromium });
    const page = await browser.open();
    const line = page.locator("#line");
    await typeLine(page, 'save hello-order --type order {"id": 1}');
    await seeInLog(page, "saved: send @hello-order sends it");
    await page.locator("#words[data-saved=hello-order]").waitFor({ state: "attached" });
    await line.fill("send @hel");
    await line.press("Tab");
    assert.equal(await line.inputValue(), "send @hello-order ");
    await line.press("Enter");
    const arrived = page.locator(".message.arrived", { hasText: "order" });
    await arrived.waitFor();
    const id = await arrived.getAttribute("data-id") ?? "";
    await line.fill(`complete ${id.slice(0, 3)}`);
    await line.press("Tab");
    assert.equal(await line.inputValue(), `complete ${id} `);
    await line.press("Enter");
    await seeFigure(page, "ready", "0");
    await page.locator(".toolbar [value=help]").click();
    await page.locator("[data-fill='listen ']").click();
    assert.equal(await line.inputValue(), "listen ");
  });

  await t.step("Tab goes through the values that are known, and then moves on", async () => {
    await using browser = await TerminalBrowser.start({}, { chromium });
    const page = await browser.open();
    const line = page.locator("#line");
    const cases = [
      ["listen ", "listen on", "listen off", null],
      ["listen of", "listen off ", null],
      ["send --qos ", "send --qos 0", "send --qos 1", "send --qos 2", null],
      ["send --retain --q", "send --retain --qos ", "send --retain --qos 0"],
      ["send --to my", "send --to mytopic "],
      ["send --type ", null],
      ["send --property a=1 --prop", "send --property a=1 --property "],
      ["send --retain --ret", null],
    ];
    for (const [typed, ...completions] of cases) {
      await line.fill(typed ?? "");
      for (const completed of completions) {
        const before = await line.inputValue();
        await line.press("Tab");
        assert.equal(await line.inputValue(), completed ?? before);
        assert.equal(await page.locator("#line:focus").count(), completed === null ? 0 : 1);
      }
    }
  });

  await t.step(
    "what is saved is the same in every tab, and outlives the server and the page",
    async () => {
      await using browser = await TerminalBrowser.start({}, { chromium });
      const page = await browser.open();
      const isKept = (text: string) => page.evaluate(waitForKept, text);
      await typeLine(page, "save order --type order --qos 0 first");
      await typeLine(page, 'save note "two\\nlines"');
      await typeLine(page, "save gone anything");
      await isKept('"gone":');
      await typeLine(page, "save order --type order --qos 0 second");
      await isKept("second");
      await typeLine(page, "forget gone");
      await page.locator('#words[data-saved="note order"]').waitFor({ state: "attached" });
      const second = await browser.openBeside(page);
      await second.locator('#words[data-saved="note order"]').waitFor({ state: "attached" });

      const before = await page.locator("#words").getAttribute("data-kept");
      await browser.startAnew();
      for (const tab of [page, second]) {
        const restored = `#words[data-saved="note order"]:not([data-kept="${before}"])`;
        await tab.locator(restored).waitFor({ state: "attached" });
      }
      await typeLine(page, "send @order");
      await page.locator(".message.arrived", { hasText: "second" }).waitFor();
      await typeLine(second, "save");
      await seeInLog(page, "send two⏎lines");
      assert.deepEqual(browser.complaints, []);
    },
  );

  await t.step("listen takes every message until it is off", async () => {
    await using browser = await TerminalBrowser.start({}, { chromium });
    const page = await browser.open();
    await typeLine(page, "send before");
    await typeLine(page, "listen on");
    await page.locator(".listening", { hasText: "listening" }).waitFor();
    await page.locator(".message.received", { hasText: "before" }).waitFor();
    await typeLine(page, "send meanwhile");
    await page.locator(".message.received", { hasText: "meanwhile" }).waitFor();
    await page.locator(".toolbar [value='listen off']").click();
    await seeInLog(page, "not listening");
    await typeLine(page, "send after");
    await seeFigure(page, "ready", "1");
  });

  await t.step(
    "a topic opens beside the first, each tab keeps its own, the last to leave closes it",
    async () => {
      const limits = { reloadMs: 50 };
      await using browser = await TerminalBrowser.start({}, { chromium, limits });
      const [first, second] = [await browser.open(), await browser.open()];
      await typeLine(second, "topic a/+/#");
      await second.waitForURL(/topic=a/);
      await seeInLog(second, `Queue "a/+/#"`);
      await first.locator(".queues a", { hasText: "a/+/#" }).waitFor();
      const other = await mqtt.connectAsync(browser.server.broker.url);
      await seeInLog(second, "connected");
      await other.publishAsync("a/b/c", "for the second", { qos: 1 });
      await other.publishAsync("mytopic", "for the first", { qos: 1 });
      await other.endAsync();
      await second.locator(".message.arrived", { hasText: "for the second" }).waitFor();
      await first.locator(".message.arrived", { hasText: "for the first" }).waitFor();
      assert.equal(await second.locator(".message", { hasText: "for the first" }).count(), 0);
      await second.reload();
      assert.equal(await second.locator("h1").textContent(), "a/+/#");
      await second.locator(".message.arrived", { hasText: "for the second" }).waitFor();
      assert.match(await (await browser.server.get("/metrics")).text(), /queue="a\/\+\/#"/);

      await typeLine(second, "topic a/#/b");
      await seeInLog(second, "Cannot open a queue");
      await second.locator(".queues a", { hasText: "mytopic" }).click();
      await second.waitForURL(browser.url);
      await first.locator(".queues").waitFor({ state: "detached" });
      assert.doesNotMatch(await (await browser.server.get("/metrics")).text(), /queue="a\/\+\/#"/);
      assert.deepEqual(browser.complaints, []);
    },
  );

  await t.step("what another tab does is marked as such", async () => {
    await using browser = await TerminalBrowser.start({}, { chromium });
    const [first, second] = [await browser.open(), await browser.open()];
    await typeLine(first, "count");
    await second.locator(".command.elsewhere", { hasText: "count" }).waitFor();
    await seeInLog(first, "0 messages ready");
    assert.equal(await first.locator(".elsewhere").count(), 0);
  });

  await t.step("a tab that is closed leaves nothing running for it", async () => {
    await using browser = await TerminalBrowser.start({}, { chromium });
    const page = await browser.open();
    await seeListeners(browser, 1);
    await page.close();
    await seeListeners(browser, 0);
  });

  await t.step("pause holds still, filter hides, export gives JSON Lines", async () => {
    await using browser = await TerminalBrowser.start({}, { chromium });
    const page = await browser.open();
    await seeInLog(page, "connected");
    await page.locator("#pause").click();
    const other = await mqtt.connectAsync(browser.server.broker.url);
    for (let i = 0; i < 40; i++) await other.publishAsync("mytopic", `number ${i}`, { qos: 1 });
    await other.endAsync();
    await page.locator("#newer", { hasText: "40 new" }).waitFor();
    await page.locator("#newer").click();
    await page.locator("#newer").waitFor({ state: "hidden" });
    assert.equal(await page.locator("#pause").getAttribute("aria-pressed"), "false");
    await page.locator("#filter").fill("number 3");
    await page.locator(".message", { hasText: "number 4" }).first().waitFor({ state: "hidden" });
    assert.equal(await page.locator("#log > :not([hidden])").count(), 11);
    const href = await page.locator("#export").getAttribute("href") ?? "";
    const lines = (await (await browser.server.get(href)).text()).trim().split("\n");
    assert.deepEqual(lines.map((line) => JSON.parse(line).message).slice(0, 2), [
      "number 3",
      "number 30",
    ]);
  });
});

/** Runs in the page: resolves when the browser's copy of what is saved has the text in it. */
async function waitForKept(text: string): Promise<void> {
  while (!localStorage.getItem("mqtt-terminal-saved")?.includes(text)) {
    await new Promise((resolve) => setTimeout(resolve, 10)); // Storage tells only other tabs.
  }
}
