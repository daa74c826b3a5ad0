/** Makes the pictures of the README: `deno task screenshots`. */

import { setTimeout as sleep } from "node:timers/promises";
import { mqtt } from "../deps.ts";
import { seeInLog, TerminalBrowser, typeLine } from "./terminal_page.ts";

const FOLDER = new URL("../../docs/screenshots/", import.meta.url);
const THEMES = ["light", "dark"] as const;
/** Messages in each second, time and again for as long as the chart shows. */
const WAVES = [2, 3, 6, 4, 2, 1, 2, 5, 8, 6, 3, 1, 2, 4, 3, 2, 1, 3, 7, 9, 5, 2, 1, 2, 4, 6, 3, 1];
const TIMES = 6;

if (import.meta.main) {
  await Deno.mkdir(FOLDER, { recursive: true });
  await using browser = await TerminalBrowser.start({ topic: "orders" });
  const page = await browser.open({ width: 1280, height: 800 });
  await makeTraffic(browser.server.broker.url);
  await typeLine(page, "receive --lock");
  await page.locator(".message.locked").waitFor();
  await typeLine(page, "count");
  await seeInLog(page, "messages ready");
  await typeLine(page, "peek 10");
  await page.locator("#panel tbody.locked a").click();
  await page.locator("#panel .tree").waitFor();
  await page.locator("#line").focus();
  for (const theme of THEMES) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
    await Deno.writeFile(new URL(`${theme}.png`, FOLDER), await page.screenshot());
    console.log(`docs/screenshots/${theme}.png`);
  }
}

async function makeTraffic(url: string): Promise<void> {
  const other = await mqtt.connectAsync(url);
  let sent = 0;
  for (const wave of Array.from({ length: TIMES }, () => WAVES).flat()) {
    for (let i = 0; i < wave; i++, sent++) {
      const order = { id: 7000 + sent, customer: "Ada", total: 12.5 * (sent + 1), items: [1, 2] };
      const json = {
        message_id: crypto.randomUUID(),
        correlation_id: `cart-${40 + sent}`,
        message_type: sent % 4 === 3 ? "payment" : "order",
        sent_time: new Date().toISOString(),
        message: btoa(JSON.stringify(order)),
        content_type: "application/json",
      };
      await other.publishAsync("orders", JSON.stringify(json), { qos: 1 });
    }
    await sleep(1000);
  }
  await other.endAsync();
}
