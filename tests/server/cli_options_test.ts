import assert from "node:assert/strict";
import { type CliOptions, CliUsageError, readCliOptions } from "../../server/cli_options.ts";

function read(...args: string[]): CliOptions | null {
  return readCliOptions(args, () => undefined);
}

function assertRefused(args: string[], sentence: RegExp): void {
  assert.throws(() => read(...args), (error) => {
    assert.ok(error instanceof CliUsageError, `${error}`);
    assert.match(error.message, /^Cannot [^\n]+$/);
    assert.match(error.message, sentence);
    return true;
  }, args.join(" "));
}

const ADDRESSES = [
  ...["mqtt://bob:hunter2@h", "bob:hunter2@h", "hunter2:bob@h:1883", "mqtt//bob:hunter2@h"],
  ...["//bob:hunter2@h", "hunter2@h", "mqtt://bob:1. hunter2@h", "wss://h/mqtt?token=hunter2"],
  ...["h?token=hunter2", "token=hunter2", "mqtt%3A%2F%2Fbob%3Ahunter2%40h"],
];

for (const address of ADDRESSES) {
  Deno.test(`no usage error shows the password of ${address}`, () => {
    const attempts = [
      ...[[address], ["peek", address], ["dead", address], ["dead", "redrive", "1", address]],
      ...[["peek", "--qos", address], ["peek", "--count", address], ["count", "now", address]],
      ...[["receive", "--timeout", address], ["peek", `--${address}`], [`-${address}`, "peek"]],
      ...[["peek", `--json=${address}`], ["peek", "--topic", `--${address}`]],
      ...[["peek", "--server", `ftp://${address}`], ["peek", "--broker", `ftp://${address}`]],
      ...[["send", "--file", address, address], ["peek", "--token", address]],
    ];
    for (const args of attempts) {
      assert.throws(() => read(...args), (error) => {
        assert.ok(error instanceof CliUsageError, `${error}`);
        assert.match(error.message, /^Cannot [^\n]+$/);
        assert.doesNotMatch(error.message, /hunter2/);
        return true;
      }, args.join(" "));
    }
  });
}

Deno.test("what cannot be a password is shown as it was typed", () => {
  assertRefused(["sned"], /received "sned"$/);
  assertRefused(["peek", "a", "b\n"], /received "a b\\n"$/);
  assertRefused(["dead", "raise"], /received "raise"$/);
  assertRefused(["peek", "--qos", "3"], /received "3"$/);
  assertRefused(["peek", "--tpoic", "x"], /Unknown option '--tpoic'$/);
});

for (
  const [option, owners, others] of [
    ["--timeout", ["receive", "listen"], ["send", "peek", "count", "dead"]],
    ["--count", ["receive", "peek", "listen", "dead"], ["send", "count"]],
    ["--type", ["send"], ["receive", "peek", "count", "listen", "dead"]],
    ["--correlation-id", ["send"], ["receive", "peek", "count", "listen", "dead"]],
    ["--file", ["send"], ["receive", "peek", "count", "listen", "dead"]],
  ] as [string, string[], string[]][]
) {
  Deno.test(`${option} is for ${owners.join(", ")}, and refused elsewhere`, () => {
    for (const owner of owners) assert.equal(read(owner, option, "7")?.command, owner);
    for (const other of others) {
      assertRefused([other, option, "7"], new RegExp(`^Cannot ${other}: ${option} belongs to `));
    }
  });
}

Deno.test("--all is for redrive and purge, --count for browse", () => {
  assert.equal(read("dead", "purge", "--all")?.dead.id, null);
  assert.equal(read("dead", "browse", "--count", "7")?.count, 7);
  assertRefused(["peek", "--all"], /--all belongs to dead$/);
  assertRefused(["dead", "browse", "--all"], /neither an id nor --all/);
  for (const action of ["redrive", "purge"]) {
    assertRefused(["dead", action, "--all", "--count", "7"], /--count belongs to dead browse$/);
  }
});

Deno.test("what names the queue is for every command", () => {
  for (const command of ["send", "receive", "peek", "count", "listen", "dead"]) {
    const broker = ["--broker", "mqtt://h", "--username", "bob", "--password", "hunter2"];
    const queue = ["--topic", "t", "--qos", "2", "--client-id", "c", "--json"];
    assert.deepEqual(read(command, ...broker, ...queue)?.target, {
      broker: {
        url: "mqtt://h",
        username: "bob",
        password: "hunter2",
        topic: "t",
        qos: 2,
        clientId: "c",
      },
    });
  }
});
