import assert from "node:assert/strict";
import { startChromium } from "../support/chromium.ts";
import type { Page } from "./deps.ts";
import { firstPaint, seeInLog, TerminalBrowser, typeLine } from "./terminal_page.ts";

/** What was painted and has moved since, as the browser reckons it: how much, what, from where to where. */
async function layoutShifts(page: Page): Promise<string[]> {
  return await page.evaluate<string[]>(
    `new Promise((resolve) => {
      const shifts = [];
      const place = ({ x, y, width, height }) => [x, y, width, height].map(Math.round).join(" ");
      const moved = ({ node, previousRect, currentRect }) =>
        (node?.id || node?.className || node?.nodeName) + " from " + place(previousRect) + " to " +
        place(currentRect);
      const add = (entries) => {
        for (const { value, sources } of entries) {
          shifts.push(value + ": " + sources.map(moved).join(", "));
        }
      };
      const observer = new PerformanceObserver((list) => add(list.getEntries()));
      observer.observe({ type: "layout-shift", buffered: true });
      // What was moved in this frame is told in the next.
      requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => {
        add(observer.takeRecords());
        observer.disconnect();
        resolve(shifts);
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
      assert.deepEqual(await layoutShifts(page), []);
      await typeLine(page, 'send --type order {"id": 7, "list": [1, 2]}');
      await typeLine(page, "receive --lock");
      await typeLine(page, "peek 10");
      await page.locator("#panel tbody").waitFor();
      for (let i = 0; i < 30; i++) await typeLine(page, "count");
      await page.reload({ waitUntil: "domcontentloaded" });
      await page.waitForResponse((response) => response.url().includes("/events?"));
      await page.locator("#panel tbody").waitFor();
      assert.deepEqual(await layoutShifts(page), []);
    });
  }
});
