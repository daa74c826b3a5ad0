import assert from "node:assert/strict";
import { startChromium } from "../support/chromium.ts";
import type { Page } from "./deps.ts";
import { firstPaint, seeInLog, TerminalBrowser, typeLine } from "./terminal_page.ts";

/** How much what was painted has moved since, as the browser reckons it. */
async function layoutShift(page: Page): Promise<number> {
  return await page.evaluate<number>(
    `new Promise((resolve) => {
      let sum = 0;
      const add = (entries) => { for (const { value } of entries) sum += value; };
      const observer = new PerformanceObserver((list) => add(list.getEntries()));
      observer.observe({ type: "layout-shift", buffered: true });
      // What was moved in this frame is told in the next.
      requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => {
        add(observer.takeRecords());
        observer.disconnect();
        resolve(sum);
      })));
    })`,
  );
}

// One browser for all steps: to start one takes longer than most of them.
Deno.test("loading the page", async (t) => {
  await using chromium = await startChromium();

  await t.step("the first paint waits for nothing but HTML and CSS", async () => {
    await using browser = await TerminalBrowser.start({}, { chromium });
    // The CDN answers only when the page has painted: who waits for it waits for ever.
    const page = await browser.open({ cdn: "after paint" });
    assert.ok(browser.requests.some((url) => url.startsWith("https://cdn.jsdelivr.net/")));
    const painted = await firstPaint(page);
    const arrived = await page.evaluate<number>(
      `performance.getEntriesByType("resource").find(({ name }) => name.includes("htmx.min.js")).responseEnd`,
    );
    assert.ok(painted < arrived, `${painted} ${arrived}`);
    await typeLine(page, "count");
    await seeInLog(page, "0 messages ready");
    assert.deepEqual(browser.complaints, []);
  });

  for (const width of [1280, 360]) {
    await t.step(`nothing moves while it loads, empty or full, ${width} wide`, async () => {
      await using browser = await TerminalBrowser.start({}, { chromium });
      const page = await browser.open({ width });
      await seeInLog(page, "connected");
      assert.equal(await layoutShift(page), 0);
      await typeLine(page, 'send --type order {"id": 7, "list": [1, 2]}');
      await typeLine(page, "receive --lock");
      await typeLine(page, "peek 10");
      await page.locator("#panel tbody").waitFor();
      for (let i = 0; i < 30; i++) await typeLine(page, "count");
      await page.reload({ waitUntil: "domcontentloaded" });
      await page.waitForResponse((response) => response.url().includes("/events?"));
      await page.locator("#panel tbody").waitFor();
      assert.equal(await layoutShift(page), 0);
    });
  }
});
