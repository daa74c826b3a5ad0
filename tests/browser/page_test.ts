import assert from "node:assert/strict";
import { mqtt } from "../deps.ts";
import { seeFigure, seeInLog, TerminalBrowser, typeLine } from "./terminal_page.ts";

Deno.test("a person types send, peek, count and receive, and the page moves by itself", async () => {
  await using browser = await TerminalBrowser.start();
  const page = await browser.open();

  await typeLine(page, "send --type greeting good morning");
  await seeInLog(page, "sent 12 B");
  await seeFigure(page, "ready", "1");
  await typeLine(page, "peek");
  await page.locator(".message.peeked", { hasText: "good morning" }).waitFor();
  await typeLine(page, "count");
  await seeInLog(page, "1 message ready");
  await typeLine(page, "receive");
  await page.locator(".message.received", { hasText: "greeting" }).waitFor();
  await seeFigure(page, "ready", "0");

  const other = await mqtt.connectAsync(browser.server.broker.url);
  await other.publishAsync("mytopic", "from another client", { qos: 1 });
  await page.locator(".message.arrived", { hasText: "from another client" }).waitFor();
  await seeFigure(page, "ready", "1");
  await other.endAsync();
  assert.deepEqual(browser.complaints, []);
});

Deno.test("every button runs the command that it prints", async () => {
  await using browser = await TerminalBrowser.start();
  const page = await browser.open();
  const lines = ["receive", "receive --lock", "peek 10", "count", "dead", "status", "help"];
  for (const line of [...lines, "listen on", "listen off"]) {
    await page.locator(".toolbar").getByRole("button", { name: line, exact: true }).click();
    await page.locator(".entry.command", { hasText: line }).last().waitFor();
  }
  await seeInLog(page, "MQTT 3.1.1");
  await seeInLog(page, "not listening");
  await page.locator(".toolbar").getByRole("button", { name: "clear" }).click();
  await page.locator("#log:empty").waitFor({ state: "attached" });
});

Deno.test("the form sends everything that send takes, and prints the command", async () => {
  await using browser = await TerminalBrowser.start();
  const page = await browser.open();
  await page.locator(".composer summary").click();
  await page.locator("[name=type]").fill("note");
  await page.locator("[name=message]").fill("first line\nsecond line");
  await page.locator("[name=properties]").fill("a=1\nb=two words");
  await page.locator("[name=qos]").selectOption("2");
  await page.locator("[name=retain]").check();
  await page.locator(".composer .primary").click();
  await seeInLog(
    page,
    `send --type note --qos 2 --retain --property a=1 --property "b=two words" first line⏎second line`,
  );
  await seeInLog(page, "sent 22 B");
});

Deno.test("htmx comes from the CDN where it can be reached", async () => {
  await using browser = await TerminalBrowser.start();
  const page = await browser.open({ cdn: "played" });
  await typeLine(page, "count");
  await seeInLog(page, "0 messages ready");
  assert.ok(browser.requests.some((url) => url.startsWith("https://cdn.jsdelivr.net/")));
  assert.ok(!browser.requests.some((url) => url.startsWith("/static/htmx.min.js")));
  assert.deepEqual(browser.complaints, []);
});

Deno.test("htmx comes from the server itself where the CDN cannot be reached", async () => {
  await using browser = await TerminalBrowser.start();
  const page = await browser.open({ cdn: "unreachable" });
  await typeLine(page, "count");
  await seeInLog(page, "0 messages ready");
  assert.ok(browser.requests.some((url) => url.startsWith("/static/htmx.min.js")));
  assert.ok(browser.requests.some((url) => url.startsWith("/static/hx-sse.min.js")));
  assert.deepEqual(browser.complaints, []);
});

Deno.test("the page listens however late the CDN brings the extension", async () => {
  await using browser = await TerminalBrowser.start();
  const page = await browser.open({ cdn: "extension late" });
  await typeLine(page, "count");
  await seeInLog(page, "0 messages ready");
});

Deno.test("what the CDN brings when it is too late changes nothing", async () => {
  await using browser = await TerminalBrowser.start();
  const page = await browser.open({ cdn: "too late" });
  assert.ok(browser.requests.some((url) => url.startsWith("/static/htmx.min.js")));
  await page.waitForLoadState("load");
  await typeLine(page, "send once");
  await seeInLog(page, "sent 4 B");
  await seeFigure(page, "ready", "1");
  assert.equal(await page.locator(".entry.command").count(), 1);
  assert.deepEqual(browser.complaints, []);
});

Deno.test("the page works without JavaScript", async () => {
  await using browser = await TerminalBrowser.start();
  const page = await browser.open({ javaScriptEnabled: false });
  await typeLine(page, "send hello");
  await seeInLog(page, "sent 5 B");
  await page.locator(".toolbar [value=receive]").click();
  await page.locator(".message.received", { hasText: "hello" }).waitFor();
  await page.locator(".composer summary").click();
  await page.locator("[name=message]").fill("by form");
  await page.locator(".composer .primary").click();
  await page.locator(".message.arrived", { hasText: "by form" }).first().waitFor();
});

Deno.test("all open tabs show the same", async () => {
  await using browser = await TerminalBrowser.start();
  const [first, second] = [await browser.open(), await browser.open({ width: 360 })];
  await typeLine(first, "send to all");
  await seeInLog(second, "send to all");
  await seeInLog(second, "sent 6 B");
  await seeFigure(second, "ready", "1");
  await typeLine(second, "clear");
  await first.locator("#log:empty").waitFor({ state: "attached" });
});

Deno.test("what an attacker publishes stays text", async () => {
  await using browser = await TerminalBrowser.start();
  const page = await browser.open();
  const attack =
    `<img src=x onerror="document.title='pwned'"><script>document.title='pwned'</script>` +
    `<hx-partial hx-target="#status" hx-swap="innerHTML">pwned</hx-partial>` +
    `<b hx-get="/api/count" hx-trigger="load">x</b>\r\rdata: <i>y</i>`;
  const other = await mqtt.connectAsync(browser.server.broker.url);
  await other.publishAsync("mytopic", attack, { qos: 1 });
  await other.publishAsync(
    "mytopic",
    JSON.stringify({ message_id: attack, message_type: attack, message: btoa(attack) }),
    { qos: 1 },
  );
  await other.publishAsync("mytopic", "the last", { qos: 1 });
  await other.endAsync();
  await page.locator(".message.arrived", { hasText: "the last" }).waitFor();
  assert.equal(await page.title(), "mytopic – MQTT terminal");
  assert.equal(await page.locator("#log img, #log script, #log b, #log i").count(), 0);
  assert.equal(await page.locator("h1").textContent(), "mytopic");
  assert.ok(!browser.requests.includes("/api/count"));
  assert.deepEqual(browser.complaints, []);
});

Deno.test("a flood neither freezes the page nor grows it", async () => {
  await using browser = await TerminalBrowser.start();
  const page = await browser.open();
  const other = await mqtt.connectAsync(browser.server.broker.url);
  await Promise.all(
    Array.from(
      { length: 5000 },
      (_, i) => other.publishAsync("mytopic", `message ${i}`, { qos: 1 }),
    ),
  );
  await page.locator(".message.arrived", { hasText: "message 4999" }).waitFor();
  await seeFigure(page, "ready", "5,000");
  assert.ok(await page.locator("#log > *").count() <= 500);
  await typeLine(page, "count");
  await seeInLog(page, "5000 messages ready");
  await other.endAsync();
});

Deno.test("who reads further up is not moved, and is told how much is new", async () => {
  await using browser = await TerminalBrowser.start();
  const page = await browser.open();
  const other = await mqtt.connectAsync(browser.server.broker.url);
  for (let i = 0; i < 60; i++) await other.publishAsync("mytopic", `old ${i}`, { qos: 1 });
  await page.locator(".message.arrived", { hasText: "old 59" }).waitFor();
  await page.locator("#scroll").evaluate((scroller) => {
    const scrolled = new Promise((resolve) =>
      scroller.addEventListener("scroll", resolve, { once: true })
    );
    scroller.scrollTop = -400;
    return scrolled;
  });
  const line = page.locator(".message.arrived", { hasText: "old 30" });
  const before = (await line.boundingBox())?.y ?? NaN;
  for (let i = 0; i < 3; i++) await other.publishAsync("mytopic", `new ${i}`, { qos: 1 });
  await page.locator("#newer", { hasText: "3 new" }).waitFor();
  const moved = (await line.boundingBox())?.y ?? NaN;
  assert.ok(Math.abs(moved - before) <= 1, `${before} ${moved}`);
  await page.locator("#newer").click();
  await page.locator("#newer").waitFor({ state: "hidden" });
  assert.equal(await page.locator("#scroll").evaluate(({ scrollTop }) => scrollTop), 0);
  await other.endAsync();
});

Deno.test("arrow keys go through the history, Tab completes and otherwise moves on", async () => {
  await using browser = await TerminalBrowser.start();
  const page = await browser.open();
  const line = page.locator("#line");
  await typeLine(page, "count");
  await typeLine(page, "peek 3");
  await line.fill("draft");
  for (
    const [key, value] of [["ArrowUp", "peek 3"], ["ArrowUp", "count"], ["ArrowUp", "count"], [
      "ArrowDown",
      "peek 3",
    ], ["ArrowDown", "draft"]]
  ) {
    await line.press(key);
    assert.equal(await line.inputValue(), value);
  }
  for (
    const [typed, completed] of [["rec", "receive "], ["send --ty", "send --type "], ["c", "c"], [
      "send x",
      "send x",
    ]]
  ) {
    await line.fill(typed);
    await line.press("Tab");
    assert.equal(await line.inputValue(), completed);
    await line.focus();
  }
  await line.fill("");
  await line.press("Tab");
  assert.equal(await page.locator(":focus").textContent(), "run");
});

Deno.test("the page fits a phone", async () => {
  await using browser = await TerminalBrowser.start();
  const page = await browser.open({ width: 360 });
  await typeLine(page, `send ${"x".repeat(500)}`);
  await typeLine(page, "help");
  await seeInLog(page, "receive [--lock] [--timeout ms]");
  const width = await page.locator("html").evaluate((html) => html.scrollWidth);
  assert.equal(width, 360);
});

Deno.test("a token in the URL opens the page once, and the address bar forgets it", async () => {
  await using browser = await TerminalBrowser.start({ token: "correct-horse" });
  const page = await browser.open({ path: "?token=correct-horse" });
  await page.waitForURL(browser.url);
  await typeLine(page, "count");
  await seeInLog(page, "0 messages ready");
  await page.reload();
  await seeInLog(page, "0 messages ready");
  assert.deepEqual(browser.complaints, []);
});
