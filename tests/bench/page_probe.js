// Runs in the page: how old each line is when it appears, and how long the main thread is busy.

const seen = { latencies: [], longestTask: 0, longestFrame: 0 };
globalThis.seen = seen;

new MutationObserver((changes) => {
  const now = Date.now();
  for (const { addedNodes } of changes) {
    for (const node of addedNodes) {
      const at = /at (\d{13}) number/.exec(node.textContent)?.[1];
      if (at !== undefined) seen.latencies.push(now - Number(at));
    }
  }
}).observe(document.getElementById("log"), { childList: true });

new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) {
    seen.longestTask = Math.max(seen.longestTask, duration);
  }
}).observe({ type: "longtask" });

document.addEventListener("keydown", ({ timeStamp }) => {
  requestAnimationFrame(() => {
    seen.longestFrame = Math.max(seen.longestFrame, performance.now() - timeStamp);
  });
}, true);
