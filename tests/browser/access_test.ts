import assert from "node:assert/strict";
import { mqtt } from "../deps.ts";
import { startChromium } from "../support/chromium.ts";
import { freePort } from "../support/free_port.ts";
import { Mosquitto } from "../support/mosquitto.ts";
import { axeScript, type Page } from "./deps.ts";
import { seeFigure, seeInLog, TerminalBrowser, typeLine } from "./terminal_page.ts";

/** What axe finds, as one line each. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axeScript);
  return await page.evaluate<string[]>(
    `axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) =>
      violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => id + ": " + target.join(" "))))`,
  );
}

// One browser for all steps: to start one takes longer than most of them.
Deno.test("the page for everyone, whatever happens to the broker", async (t) => {
  await using chromium = await startChromium();

  for (const theme of ["light", "dark"] as const) {
    await t.step(`axe finds nothing in any panel (${theme})`, async () => {
      await using browser = await TerminalBrowser.start({}, { chromium });
      const page = await browser.open({ theme });
      await typeLine(page, 'send --type order {"id": 7, "list": [1, 2]}');
      await typeLine(page, "send second");
      await typeLine(page, "receive --lock");
      await typeLine(page, "sned");
      await typeLine(page, "help");
      await seeInLog(page, "this list");
      assert.deepEqual(await violations(page), []);
      await typeLine(page, "peek 10");
      await page.locator("#panel tbody.locked").waitFor();
      assert.deepEqual(await violations(page), []);
      await page.locator("#panel tbody.locked a").click();
      await page.locator("#panel .tree").waitFor();
      assert.deepEqual(await violations(page), []);
      const id = await page.locator(".message.locked").getAttribute("data-id");
      await typeLine(page, `dead ${id}`);
      await seeFigure(page, "dead", "1");
      for (const line of ["dead", "purge"]) {
        await typeLine(page, line);
        await page.locator("#panel .danger").first().waitFor();
        assert.deepEqual(await violations(page), []);
      }
      await page.locator(".composer summary").click();
      assert.deepEqual(await violations(page), []);
    });
  }

  await t.step("the keyboard reaches everything and is caught nowhere", async () => {
    await using browser = await TerminalBrowser.start({}, { chromium });
    const page = await browser.open();
    await typeLine(page, "send hello");
    await typeLine(page, "peek 10");
    await page.locator("#panel tbody").waitFor();
    await page.locator(".skip").focus();
    const reached = new Set<string>();
    for (let i = 0; i < 40; i++) {
      await page.keyboard.press("Tab");
      const here = await page.evaluate<string>(
        `(({ id, className, textContent }) => id || className || textContent)(document.activeElement)`,
      );
      reached.add(here.trim().slice(0, 20));
    }
    for (const place of ["scroll", "close", "small", "line", "filter", "pause", "export"]) {
      assert.ok([...reached].some((each) => each.startsWith(place)), `${place}: ${[...reached]}`);
    }
  });

  await t.step(
    "nothing moves for who does not want it, nothing overflows at 200 % zoom",
    async () => {
      await using browser = await TerminalBrowser.start({}, { chromium });
      const page = await browser.open({ width: 640, height: 370 });
      await page.emulateMedia({ reducedMotion: "reduce" });
      await typeLine(page, `send ${"x".repeat(500)}`);
      await typeLine(page, "peek 10");
      await page.locator("#panel tbody").waitFor();
      assert.equal(await page.evaluate("document.getAnimations().length"), 0);
      assert.equal(await page.locator("html").evaluate((html) => html.scrollWidth), 640);
      assert.ok(await page.locator("#line").isVisible());
    },
  );

  await t.step("without JavaScript the forms, the panel and the queues work", async () => {
    await using browser = await TerminalBrowser.start({}, { chromium });
    const page = await browser.open({ javaScriptEnabled: false });
    await typeLine(page, "send hello");
    await typeLine(page, "peek 10");
    await page.locator("#panel tbody").getByRole("link").click();
    await page.locator("#panel pre", { hasText: "hello" }).waitFor();
    await page.locator("#panel").getByRole("button", { name: "dead-letter" }).click();
    await seeInLog(page, "moved to the dead letters");
    await page.locator(".toolbar [value=dead]").click();
    await page.locator("#panel").getByRole("button", { name: "purge all…" }).click();
    await page.locator("[name=confirm]").fill("mytopic");
    await page.locator("[name=confirm]").press("Enter");
    await seeInLog(page, "purged 1 dead letter");
    await page.locator(".view").getByRole("link", { name: "reload" }).click();
    await seeInLog(page, "purged 1 dead letter");
    await typeLine(page, "topic other/one");
    assert.equal(await page.locator("h1").textContent(), "other/one");
    assert.equal(await page.locator("#filter").isVisible(), false);
  });

  await t.step(
    "a broker that is down, comes, goes and comes back is told as it happens",
    async () => {
      const port = freePort();
      const broker = { url: `mqtt://127.0.0.1:${port}` };
      await using browser = await TerminalBrowser.start({}, { chromium, broker });
      const page = await browser.open();
      await page.locator(".between .state", { hasText: "cannot connect, next try in" })
        .waitFor();
      await typeLine(page, "send too early");
      await page.locator(".bad", { hasText: "Cannot send" }).waitFor();
      await using mosquitto = await Mosquitto.start({ port });
      await page.locator(".up .state", { hasText: "connected" }).waitFor();
      await mosquitto.stop();
      await page.locator(".between .state", { hasText: "link lost" }).waitFor();
      await mosquitto.restart();
      await page.locator(".up .state", { hasText: "connected" }).waitFor();
      const other = await mqtt.connectAsync(broker.url);
      await other.publishAsync("mytopic", "back again", { qos: 1 });
      await other.endAsync();
      await page.locator(".message.arrived", { hasText: "back again" }).waitFor();
      assert.deepEqual(browser.complaints, []);
    },
  );
});
