import { ChildProcess, type ProcessResult } from "../support/child_process.ts";
import { startDeno } from "../support/deno_process.ts";

/** The folder in which the tasks run. */
export const ROOT = new URL("../../", import.meta.url).pathname;

const { tasks } = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));
const NO_ENV = {
  MQTT_URL: "",
  MQTT_TOPIC: "",
  MQTT_QOS: "",
  MQTT_USERNAME: "",
  MQTT_PASSWORD: "",
  MQTT_QUEUE_TOKEN: "",
};

/** What a command of the shell is given beside its arguments. */
export interface ShellInput {
  stdin?: string | Uint8Array;
  env?: Record<string, string>;
}

/** What follows `deno` for a command: exactly the permissions of its task, and no question for more. */
export function shellArguments(args: readonly string[]): string[] {
  const task = (tasks[args[0]] ?? tasks.send).command.split(" ").slice(2, -1);
  return ["run", "--no-prompt", ...task, ...args];
}

/** Starts a command of the shell. */
export function startShell(args: readonly string[], { stdin, env }: ShellInput = {}): ChildProcess {
  return startDeno(shellArguments(args), { cwd: ROOT, stdin, env: { ...NO_ENV, ...env } });
}

/** Runs a command of the shell and returns what it did. */
export async function shell(
  args: readonly string[],
  input: ShellInput = {},
): Promise<ProcessResult> {
  await using child = startShell(args, input);
  return await child.result();
}

/** Runs a command whose output nobody reads. */
export async function shellWithoutReader(
  args: readonly string[],
  { stdin, env }: ShellInput = {},
): Promise<{ code: number; stderr: string }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: shellArguments(args),
    cwd: ROOT,
    env: { NO_COLOR: "1", ...NO_ENV, ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  await child.stdout.cancel();
  const input = child.stdin.getWriter();
  await input.write(new TextEncoder().encode(String(stdin ?? "")));
  await input.close();
  const [{ code }, stderr] = await Promise.all([
    child.status,
    new Response(child.stderr).text(),
  ]);
  return { code, stderr };
}

/** The bodies of the messages in an output of JSON Lines. */
export function bodies({ stdout }: { stdout: string }): unknown[] {
  return jsonLines(stdout).map(({ message }) => message);
}

/** The values in an output of JSON Lines. */
export function jsonLines(text: string): Record<string, unknown>[] {
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}
