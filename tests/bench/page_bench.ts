/**
 * How long a message takes from publish to its line in the DOM, and how long the page's main thread
 * is busy at a stretch: `deno task bench:page`. Server, broker, browser and publisher share the machine.
 */

import type { Page } from "../browser/deps.ts";
import { mqtt } from "../deps.ts";
import { startChromium } from "../support/chromium.ts";
import { startDeno } from "../support/deno_process.ts";
import { Mosquitto } from "../support/mosquitto.ts";
import probe from "./page_probe.js" with { type: "text" };

const ROOT = new URL("../../", import.meta.url);
const RATES = [10, 1000, 10_000];
const SECONDS = 5;
const BURST_MS = 10;
const WAIT_MS = 20_000;

interface Seen {
  latencies: number[];
  longestTask: number;
  longestFrame: number;
}

if (import.meta.main) {
  console.log("messages/s  lines seen  p50 ms  p95 ms  max ms  longest task ms  typing max ms");
  for (const rate of RATES) console.log(await measure(rate));
}

async function measure(rate: number): Promise<string> {
  await using broker = await Mosquitto.start();
  await using server = startDeno([
    "run",
    "--allow-env",
    "--allow-net",
    "--allow-read=mod.ts,lib",
    "server/main.ts",
    "--port",
    "0",
    "--broker",
    broker.url,
  ], { cwd: ROOT.pathname });
  const url = /http:\S+/.exec(await server.stdout.waitFor(/open http:/))?.[0] ?? "";
  await using browser = await startChromium();
  const page = await browser.newPage();
  page.setDefaultTimeout(WAIT_MS);
  await page.route("https://**", (route) => route.abort());
  await page.goto(url);
  await page.locator("#log", { hasText: "connected" }).waitFor();
  await page.locator("[data-htmx-powered]").first().waitFor({ state: "attached" });
  await warmUp(page, broker.url);
  await page.evaluate(`{${probe}}`);
  const typing = type(page);
  await publish(broker.url, rate);
  await page.locator(".arrived", { hasText: "the last" }).last().waitFor();
  await typing;
  return row(rate, await seen(page));
}

/** The first of everything is slow and says nothing. */
async function warmUp(page: Page, url: string): Promise<void> {
  const client = await mqtt.connectAsync(url);
  for (let i = 0; i < 100; i++) await client.publishAsync("mytopic", `warm ${i}`, { qos: 1 });
  await client.endAsync();
  await page.locator(".arrived", { hasText: "warm 99" }).waitFor();
}

async function publish(url: string, rate: number): Promise<void> {
  const client = await mqtt.connectAsync(url);
  const start = performance.now();
  const total = rate * SECONDS;
  for (let sent = 0; sent < total;) {
    const due = Math.min(total, Math.floor((performance.now() - start) / 1000 * rate) + 1);
    for (; sent < due; sent++) client.publish("mytopic", `at ${Date.now()} number ${sent}`);
    await new Promise((resolve) => setTimeout(resolve, BURST_MS));
  }
  await client.publishAsync("mytopic", "the last", { qos: 1 });
  await client.endAsync();
}

/** Keeps a person typing while the messages come. */
async function type(page: Page): Promise<void> {
  const end = performance.now() + SECONDS * 1000;
  while (performance.now() < end) await page.keyboard.type("typing ", { delay: 20 });
}

async function seen(page: Page): Promise<Seen> {
  return await page.evaluate<Seen>("globalThis.seen");
}

function row(rate: number, { latencies, longestTask, longestFrame }: Seen): string {
  latencies.sort((a, b) => a - b);
  const at = (part: number) => latencies[Math.floor(part * (latencies.length - 1))] ?? NaN;
  const task = longestTask === 0 ? "<50" : String(Math.round(longestTask));
  const columns: [string | number, number][] = [
    [rate, 10],
    [latencies.length, 12],
    [at(0.5), 8],
    [at(0.95), 8],
    [at(1), 8],
    [task, 17],
    [Math.round(longestFrame), 15],
  ];
  return columns.map(([value, width]) => String(value).padStart(width)).join("");
}
