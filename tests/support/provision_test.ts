import assert from "node:assert/strict";
import { type ProvisionHost, provisionTools, thisHost } from "./provision.ts";
import { findProgram, type ToolName, TOOLS } from "./tools.ts";

const ALL = Object.keys(TOOLS) as ToolName[];

interface FakeHost extends ProvisionHost {
  readonly commands: string[];
}

/** A machine without the given tools, where an installation brings them and a command can be made to fail. */
function hostWithout(
  missing: ToolName[],
  { isRoot = true, programs = ["apt-get", "sudo"], files = [] as string[], fails = /^never$/ } = {},
): FakeHost {
  const absent = new Set(missing);
  const commands: string[] = [];
  return {
    commands,
    isRoot,
    isInstalled: (tool) => Promise.resolve(!absent.has(tool)),
    hasProgram: (program) => Promise.resolve(programs.includes(program)),
    hasFile: (path) => Promise.resolve(files.includes(path)),
    run: (command) => {
      const line = command.join(" ");
      commands.push(line);
      const success = !fails.test(line);
      if (success && line.includes("apt-get install")) absent.clear();
      return Promise.resolve(success);
    },
  };
}

Deno.test("provisionTools() runs nothing where everything is there", async () => {
  const host = hostWithout([]);
  await provisionTools(host);
  assert.deepEqual(host.commands, []);
});

Deno.test("provisionTools() installs what is missing and lets no service start", async () => {
  const host = hostWithout(ALL);
  await provisionTools(host);
  assert.deepEqual(host.commands, [
    "sh -c echo 'exit 101' >/usr/sbin/policy-rc.d; chmod +x /usr/sbin/policy-rc.d",
    "apt-get update -q",
    "env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends " +
    "mosquitto mosquitto-clients bsdutils chromium",
    "rm -f /usr/sbin/policy-rc.d",
  ]);
});

Deno.test("provisionTools() leaves a service policy alone that was there before", async () => {
  const host = hostWithout(["mosquitto"], { files: ["/usr/sbin/policy-rc.d"] });
  await provisionTools(host);
  assert.ok(host.commands.every((command) => !command.includes("policy-rc.d")));
});

Deno.test("provisionTools() needs no service policy to install a browser", async () => {
  const host = hostWithout(["chromium"]);
  await provisionTools(host);
  assert.equal(host.commands.length, 2);
  assert.match(host.commands[1], /install .* chromium$/);
});

Deno.test("provisionTools() installs through sudo where it asks for no password", async () => {
  const host = hostWithout(["mosquitto_pub"], { isRoot: false });
  await provisionTools(host);
  assert.deepEqual(host.commands.slice(0, 2), ["sudo -n true", "sudo -n apt-get update -q"]);
});

Deno.test("provisionTools() says what to install where sudo asks for a password", async () => {
  const host = hostWithout(["mosquitto", "chromium"], { isRoot: false, fails: /^sudo/ });
  await assert.rejects(
    provisionTools(host),
    /^Error: Cannot run the tests: mosquitto, chromium not found\. Install .* mosquitto, chromium/,
  );
  assert.deepEqual(host.commands, ["sudo -n true"]);
});

Deno.test("provisionTools() says what to install where there is no apt-get", async () => {
  const host = hostWithout(["mosquitto_sub"], { programs: [] });
  await assert.rejects(
    provisionTools(host),
    /mosquitto_sub not found\. Install .* mosquitto-clients/,
  );
  assert.deepEqual(host.commands, []);
});

Deno.test("provisionTools() goes on when the package lists cannot be refreshed", async () => {
  const host = hostWithout(["chromium"], { fails: /update/ });
  await provisionTools(host);
  assert.match(host.commands[1], /install/);
});

Deno.test("provisionTools() fails, and takes its service policy back, when the installation fails", async () => {
  const host = hostWithout(["mosquitto"], { fails: /install/ });
  await assert.rejects(provisionTools(host), /mosquitto not found after installing mosquitto/);
  assert.equal(host.commands.at(-1), "rm -f /usr/sbin/policy-rc.d");
});

Deno.test("findProgram() finds nothing in folders that lack the program", async () => {
  assert.equal(await findProgram("chromium", "/nowhere:/etc/hostname"), null);
});

Deno.test("findProgram() passes over a file that may not be executed", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/chromium`, "", { mode: 0o644 });
    assert.equal(await findProgram("chromium", folder), null);
    await Deno.writeTextFile(`${folder}/chromium-browser`, "", { mode: 0o755 });
    assert.equal(await findProgram("chromium", folder), `${folder}/chromium-browser`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("thisHost() has every tool once the runner has provisioned it", async () => {
  const host = thisHost();
  for (const tool of ALL) assert.ok(await host.isInstalled(tool), tool);
});
