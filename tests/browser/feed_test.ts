import assert from "node:assert/strict";
import { startChromium } from "../support/chromium.ts";
import { connectRaw, type RawClient } from "../support/raw_client.ts";
import { countListeners } from "../server/feed_reader.ts";
import type { Page } from "./deps.ts";
import { seeInLog, seeListeners, setHidden, TerminalBrowser, typeLine } from "./terminal_page.ts";

/** The bodies of the messages in the scrollback, from the top down. */
async function bodies(page: Page): Promise<string[]> {
  return await page.locator("#log .message.arrived .start").allTextContents();
}

async function publish({ client }: RawClient, ...texts: string[]): Promise<void> {
  for (const text of texts) await client.publishAsync("mytopic", text, { qos: 1 });
}

function numbered(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, i) => `number ${from + i}`);
}

// One browser for all steps: to start one takes longer than most of them.
Deno.test("a page that was away shows what it missed", async (t) => {
  await using chromium = await startChromium();

  await t.step("a hidden tab gets everything once and in order when it is shown", async () => {
    await using browser = await TerminalBrowser.start({}, { chromium });
    await using other = await connectRaw(browser.server.broker.url);
    const page = await browser.open();
    await publish(other, ...numbered(1, 3));
    await seeInLog(page, "number 3");
    for (const [from, to] of [[4, 30], [31, 90]]) {
      await setHidden(page, true);
      await seeListeners(browser, 0);
      await publish(other, ...numbered(from, to));
      assert.deepEqual(await bodies(page), numbered(1, from - 1));
      await setHidden(page, false);
      await seeInLog(page, `number ${to}`);
      assert.deepEqual(await bodies(page), numbered(1, to));
    }
    assert.equal(await page.locator("#log .gap").count(), 0);
    assert.deepEqual(browser.complaints, []);
  });

  await t.step("it is told how much it missed where that was more than anybody reads", async () => {
    await using browser = await TerminalBrowser.start({}, { chromium });
    await using other = await connectRaw(browser.server.broker.url);
    const page = await browser.open();
    await publish(other, "before");
    await seeInLog(page, "before");
    await setHidden(page, true);
    await seeListeners(browser, 0);
    await publish(other, ...numbered(1, 300));
    await setHidden(page, false);
    await seeInLog(page, "number 300");
    assert.deepEqual(await bodies(page), ["before", ...numbered(261, 300)]);
    await seeInLog(page, "260 not shown");
  });

  await t.step("it forgets what another tab cleared meanwhile", async () => {
    await using browser = await TerminalBrowser.start({}, { chromium });
    const [page, second] = [await browser.open(), await browser.open()];
    await typeLine(page, "send before");
    await seeInLog(second, "before");
    await setHidden(page, true);
    await seeListeners(browser, 1);
    await typeLine(second, "clear");
    await typeLine(second, "send after");
    await second.locator(".message.arrived", { hasText: "after" }).waitFor();
    await setHidden(page, false);
    await page.locator(".message.arrived", { hasText: "after" }).waitFor();
    assert.deepEqual(await bodies(page), ["after"]);
    assert.equal(await page.locator("h1").textContent(), "mytopic");
  });

  await t.step("a tab whose server was started anew shows that one's scrollback", async () => {
    await using browser = await TerminalBrowser.start({}, { chromium });
    const page = await browser.open();
    await typeLine(page, "send before");
    await page.locator(".message.arrived", { hasText: "before" }).waitFor();
    await browser.startAnew();
    await page.locator(".message.arrived").waitFor({ state: "detached" });
    await typeLine(page, "send after");
    await page.locator(".message.arrived", { hasText: "after" }).waitFor();
    assert.deepEqual(await bodies(page), ["after"]);
  });

  await t.step("a page that lost the server does not say that all is well", async () => {
    await using browser = await TerminalBrowser.start({}, { chromium });
    const page = await browser.open();
    const state = page.locator(".up .state");
    await state.filter({ hasText: "connected" }).waitFor();
    await page.context().setOffline(true);
    await browser.server.server.close(); // Ends the stream.
    await state.filter({ hasText: "no news from the server" }).waitFor();
    await browser.startAnew();
    await page.context().setOffline(false);
    await state.filter({ hasText: "connected" }).waitFor();
  });

  await t.step("a page for which there is no place says so, and not that all is well", async () => {
    await using browser = await TerminalBrowser.start({}, { chromium, limits: { maxStreams: 0 } });
    const page = await browser.open();
    await page.locator("#trouble", { hasText: "As many pages listen as may" }).waitFor();
    await page.locator(".state", { hasText: "no news from the server" }).waitFor();
  });

  await t.step("a tab that slept until the server let go of it comes back by itself", async () => {
    const limits = { stallMs: 500 };
    await using browser = await TerminalBrowser.start({}, { chromium, limits });
    await using other = await connectRaw(browser.server.broker.url);
    const page = await browser.open();
    await seeListeners(browser, 1);
    const session = await page.context().newCDPSession(page);
    await session.send("Debugger.enable");
    await session.send("Debugger.pause");
    let sent = 0;
    while (await countListeners(browser.url) > 0) {
      await publish(other, ...Array.from({ length: 100 }, () => `${++sent} ${"<".repeat(4096)}`));
      assert.ok(sent < 30_000, "the server still listens for a page that reads nothing");
    }
    await publish(other, "the last");
    await session.send("Debugger.disable");
    await seeInLog(page, "the last");
    assert.deepEqual(browser.complaints, []);
  });
});
