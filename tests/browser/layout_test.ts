import assert from "node:assert/strict";
import { MessageEnvelope, MqttMessageQueue } from "../../mod.ts";
import { startChromium } from "../support/chromium.ts";
import type { Page } from "./deps.ts";
import { seeFigure, seeInLog, TerminalBrowser, typeLine } from "./terminal_page.ts";

/** A phone, one that lies on its side or a window at 200 % zoom, tablets, a laptop, a wall. */
const SIZES = [
  [320, 640],
  [360, 740],
  [640, 370],
  [768, 1024],
  [1000, 700],
  [1100, 700],
  [1280, 800],
  [2000, 1200],
  [3840, 2160],
] as const;
const LONG = "a.type.that.is/longer-than_any.column-is-wide";

/** What is wider than its place, or cut off by it, as one line each. */
async function overflows(page: Page): Promise<string[]> {
  return await page.evaluate<string[]>(`(() => {
    const found = [];
    const { scrollWidth, scrollHeight } = document.documentElement;
    if (scrollWidth > innerWidth || scrollHeight > innerHeight) found.push("page " + scrollWidth + " " + scrollHeight);
    for (const each of document.querySelectorAll("#panel, .rows, header, footer, main, .numbers, .panel header")) {
      if (each.scrollWidth > each.clientWidth) found.push(each.className || each.id || each.localName);
    }
    const panel = document.getElementById("panel").getBoundingClientRect();
    for (const each of document.querySelectorAll("#panel :is(button, input:not([type=hidden]))")) {
      const { left, right } = each.getBoundingClientRect();
      if (left < panel.left || right > panel.right) found.push(each.textContent.trim());
    }
    if (panel.width > 0 && document.querySelector(".panel").getBoundingClientRect().width < 280) found.push("narrow panel");
    return found;
  })()`);
}

// One browser for all steps: to start one takes longer than most of them.
Deno.test("the page fits", async (t) => {
  await using chromium = await startChromium();

  await t.step("every panel at every size, whatever the messages are called", async () => {
    await using browser = await TerminalBrowser.start({}, { chromium });
    const page = await browser.open();
    await using other = new MqttMessageQueue("mytopic", { url: browser.server.broker.url });
    await other.open();
    for (let i = 0; i < 4; i++) {
      await other.send(null, new MessageEnvelope(LONG, LONG, { i, text: "x".repeat(300) }));
    }
    await seeFigure(page, "ready", "4");
    await typeLine(page, "receive --lock");
    const locked = page.locator(".message.locked");
    await locked.waitFor();
    await typeLine(page, `dead --reason "${LONG}" --description "${LONG} ${LONG}"`);
    await typeLine(page, `dead --reason "${LONG}" ${await locked.getAttribute("data-id")}`);
    await seeFigure(page, "dead", "1");
    await typeLine(page, "receive --lock");
    const panels = [
      ["peek 10", "tbody.locked"],
      ["dead", "tbody .bad"],
      [`inspect ${await page.locator(".arrived").last().getAttribute("data-id")}`, ".copies"],
      ["purge", "[name=confirm]"],
    ];
    for (const [line, shown] of panels) {
      await typeLine(page, line);
      await page.locator(`#panel ${shown}`).first().waitFor();
      for (const [width, height] of SIZES) {
        await page.setViewportSize({ width, height });
        assert.deepEqual(await overflows(page), [], `${line} at ${width} × ${height}`);
      }
    }
  });

  await t.step("the form for a message leaves the prompt where it is", async () => {
    await using browser = await TerminalBrowser.start({}, { chromium });
    const page = await browser.open();
    await page.locator(".composer summary").click();
    for (const [width, height] of SIZES) {
      await page.setViewportSize({ width, height });
      assert.deepEqual(await overflows(page), [], `${width} × ${height}`);
    }
    await page.setViewportSize({ width: 360, height: 740 });
    const button = (await page.locator(".composer .primary").boundingBox())!;
    const toolbar = (await page.locator(".toolbar").boundingBox())!;
    assert.ok(button.y + button.height <= toolbar.y, "the button is hidden on a phone");
  });

  await t.step("on a phone what a command says is seen beside a panel too", async () => {
    await using browser = await TerminalBrowser.start({}, { chromium });
    const page = await browser.open({ width: 360, height: 740 });
    await typeLine(page, "send hello");
    await typeLine(page, "peek 10");
    await page.locator("#panel tbody").waitFor();
    await typeLine(page, "abandon");
    await seeInLog(page, "Cannot abandon a message: none is locked here");
    const box = await page.locator("#log > .bad").last().boundingBox();
    const footer = await page.locator("footer").boundingBox();
    assert.ok(box !== null && footer !== null && box.y + box.height <= footer.y + 1);
    assert.ok((await page.locator("#panel tbody").boundingBox())!.height > 0);
  });

  await t.step("large figures stand apart on a phone", async () => {
    await using browser = await TerminalBrowser.start({}, { chromium });
    const page = await browser.open({ width: 360 });
    await page.locator(".numbers dd").evaluateAll((all) => {
      for (const each of all) {
        each.textContent = "71,200";
        each.className = "long";
      }
    });
    const boxes = await page.evaluate<[number, number][]>(
      `Array.from(document.querySelectorAll(".numbers dd"), (each) => {
        const range = document.createRange();
        range.selectNodeContents(each);
        const { left, right } = range.getBoundingClientRect();
        return [left, right];
      })`,
    );
    for (let i = 1; i < boxes.length; i++) {
      assert.ok(boxes[i][0] - boxes[i - 1][1] >= 3, `${boxes}`);
    }
    assert.deepEqual(await overflows(page), []);
  });

  await t.step("on a phone a message whose type says nothing takes one line", async () => {
    await using browser = await TerminalBrowser.start({}, { chromium });
    const page = await browser.open({ width: 360 });
    await typeLine(page, "send --type order typed");
    await typeLine(page, "send plain");
    const heightOf = async (text: string) => {
      const line = page.locator(".message.arrived summary", { hasText: text });
      return (await line.boundingBox())!.height;
    };
    assert.ok(await heightOf("typed") > 40);
    assert.ok(await heightOf("plain") < 40);
  });
});
