// What every contestant of the benches is put through: plain JavaScript, so that Deno and Node run the
// very same loops. A contestant gives a link, and gets its figures.
import { readFileSync } from "node:fs";
import process from "node:process";

/**
 * How a contestant moves messages. All of them go to one topic.
 *
 * @typedef {object} Link
 * @property {() => Promise<unknown>} open Connects a sending and a receiving side; the latter is subscribed.
 * @property {() => Promise<unknown>} close Ends both.
 * @property {(done: (error?: unknown) => void) => void} send Hands over a message; `done` once the broker has it.
 * @property {(count: number, progress?: (received: number) => void) => Promise<unknown>} take Takes so many messages.
 * @property {() => Promise<number>} left How many messages came that nobody took.
 * @property {() => Promise<number>} trip Sends a message to who waits for it; milliseconds from publish to message.
 * @property {(count: number, concurrency: number) => Promise<unknown>} [listen] Has so many messages handled.
 * @property {() => Promise<unknown>} flush Resolves when all that was sent at QoS 0 is at the broker.
 * @property {() => Promise<unknown>} [leave] The receiving side goes, its session stays.
 * @property {() => Promise<unknown>} [comeBack] The receiving side takes its session up again.
 * @property {() => Promise<unknown>} [openReplies] Makes two queues, and answers what comes on the first.
 * @property {() => Promise<number>} [exchange] Milliseconds from a request to its reply.
 * @property {() => Promise<unknown>} [closeReplies] Ends both queues.
 */

/**
 * What is measured, in which quantity.
 *
 * @typedef {object} Task
 * @property {string[]} modes Of `both`, `listen`, `wait`, `reply`, `send`, `receive`.
 * @property {0 | 1 | 2} qos
 * @property {number} count Messages per mode.
 * @property {number} warmUp Messages before the first mode: the first of everything is slow and says nothing.
 * @property {number} window Messages in flight at most.
 * @property {number} trips Single messages for a latency.
 * @property {number} broker The broker's process id.
 */

const CONCURRENCIES = [1, 32];

/**
 * Measures each mode: messages a second under the mode's name, processor time per message in microseconds under
 * `<mode> cpu` and, the broker's, `<mode> broker`; how much of a core the broker was busy under `<mode> load`;
 * milliseconds under `<mode> p50` and `<mode> p99`.
 *
 * @param {Link} link
 * @param {Task} task
 * @returns {Promise<Record<string, number>>}
 */
export async function drive(link, { modes, qos, count, warmUp, window, trips, broker }) {
  const figures = {};
  const note = (mode, { rate, cpu, brokerCpu, load }) => {
    figures[mode] = rate;
    figures[`${mode} cpu`] = cpu;
    figures[`${mode} broker`] = brokerCpu;
    figures[`${mode} load`] = load;
  };
  const timed = (messages, work) => timedOn(broker, messages, work);
  const both = (messages, take) =>
    timed(messages, () => sendAndTake(link, messages, { qos, window, take }));
  await link.open();
  await both(warmUp, link.take);
  if (modes.includes("both")) note("both", await both(count, link.take));
  if (modes.includes("listen")) {
    for (const concurrency of CONCURRENCIES) {
      const listened = await both(count, (messages) => link.listen(messages, concurrency));
      note(`listen ${concurrency}`, listened);
    }
  }
  if (modes.includes("wait")) await latency(figures, "wait", trips, link.trip);
  if (modes.includes("reply")) {
    await link.openReplies();
    await latency(figures, "reply", trips, link.exchange);
    await link.closeReplies();
  }
  await assertNoneLeft(link);
  if (modes.includes("send")) {
    await link.leave();
    note(
      "send",
      await timed(count, async () => {
        await sendAll(link, count, window);
        if (qos === 0) await link.flush();
      }),
    );
    if (modes.includes("receive")) {
      const comeBackAndTake = async () => {
        await link.comeBack();
        await link.take(count);
      };
      note("receive", await timed(count, comeBackAndTake));
      await assertNoneLeft(link);
    }
  }
  await link.close();
  return figures;
}

async function assertNoneLeft(link) {
  const left = await link.left();
  if (left !== 0) throw new Error(`Cannot trust the figures: ${left} messages too many came`);
}

/** The median and the ninety-ninth percentile of single messages, one after the other. */
async function latency(figures, mode, trips, trip) {
  const warm = Math.ceil(trips / 4);
  const took = [];
  for (let number = -warm; number < trips; number++) {
    const milliseconds = await trip();
    if (number >= 0) took.push(milliseconds);
  }
  took.sort((a, b) => a - b);
  figures[`${mode} p50`] = took[Math.floor(0.5 * (trips - 1))];
  figures[`${mode} p99`] = took[Math.floor(0.99 * (trips - 1))];
}

/** Runs it; tells the messages a second, and the processor time of each here and at the broker, in microseconds. */
async function timedOn(broker, count, work) {
  const cpuBefore = process.cpuUsage();
  const brokerBefore = busyTime(broker);
  const start = performance.now();
  await work();
  const milliseconds = performance.now() - start;
  const brokerBusy = busyTime(broker) - brokerBefore;
  const { user, system } = process.cpuUsage(cpuBefore);
  return {
    rate: count / milliseconds * 1000,
    cpu: (user + system) / count,
    brokerCpu: brokerBusy * 1000 / count,
    load: brokerBusy / milliseconds,
  };
}

/** How long a process of one thread has been busy, in milliseconds; `NaN` where the system does not count it. */
function busyTime(pid) {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ")[0]) / 1e6;
  } catch {
    return NaN; // Not Linux: its rows stay out of the tables.
  }
}

/** At QoS 0 nothing but the arrival tells that there is room again: what arrived counts as landed. */
async function sendAndTake(link, count, { qos, window, take }) {
  if (qos > 0 || take !== link.take) {
    await Promise.all([take(count), sendAll(link, count, window)]);
    return;
  }
  let received = () => {};
  const taken = link.take(count, (total) => received(total));
  await Promise.all([
    taken,
    sendAll(link, count, window, (listener) => received = listener),
  ]);
}

/**
 * Sends so many messages with a window in flight. Resolves when the last has landed.
 *
 * @param {Link} link
 * @param {number} count
 * @param {number} window
 * @param {(landed: (total: number) => void) => void} [onReceived] where arrival is what counts
 */
export function sendAll(link, count, window, onReceived) {
  return new Promise((resolve, reject) => {
    let sent = 0;
    let landed = 0;
    let filling = false;
    const fill = () => {
      if (filling) return; // Who calls back at once would call us within ourselves.
      filling = true;
      while (sent < count && sent - landed < window) {
        sent++;
        link.send(done);
      }
      filling = false;
      if (landed === count) resolve();
    };
    const done = (error) => {
      if (error) reject(error);
      else if (onReceived === undefined) {
        landed++;
        fill();
      }
    };
    onReceived?.((total) => {
      landed = total;
      fill();
    });
    fill();
  });
}
