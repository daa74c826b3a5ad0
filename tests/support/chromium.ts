import { type Browser, chromium } from "../browser/deps.ts";
import { findProgram } from "./tools.ts";

const ARGUMENTS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/**
 * Starts the installed Chromium with a fresh profile. Close it with `await browser.close()`; a `Browser` of Playwright
 * also is an `AsyncDisposable`, so `await using browser = await startChromium()` does.
 */
export async function startChromium(): Promise<Browser> {
  const executablePath = await findProgram("chromium");
  if (executablePath === null) {
    throw new Error("Cannot start Chromium: it is not installed, run `deno task test` once");
  }
  return await chromium.launch({ executablePath, args: ARGUMENTS });
}
