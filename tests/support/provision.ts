import { findExecutable, findProgram, type ToolName, TOOLS } from "./tools.ts";

/** What provisioning asks the machine, and does to it. */
export interface ProvisionHost {
  /** Whether the tests can run this tool already. */
  isInstalled(tool: ToolName): Promise<boolean>;
  /** Whether there is a program of this name. */
  hasProgram(program: string): Promise<boolean>;
  /** Whether there is a file at this path. */
  hasFile(path: string): Promise<boolean>;
  /** Whether this process may change the system itself. */
  readonly isRoot: boolean;
  /** Runs a command to its end, its output shown; tells whether it succeeded. */
  run(command: readonly string[]): Promise<boolean>;
}

const POLICY = "/usr/sbin/policy-rc.d";

/**
 * Makes sure that the brokers and the browser the tests run are there; installs what is missing from Debian's packages.
 * The installation starts no service: a broker on port 1883 that was not there before would change what people see.
 *
 * @throws {Error} When something is missing and cannot be installed; the sentence says what to do
 */
export async function provisionTools(host: ProvisionHost): Promise<void> {
  const missing = await missingTools(host);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((tool) => TOOLS[tool].package))];

  const asRoot = await rootPrefix(host);
  if (asRoot === null || !await host.hasProgram("apt-get")) {
    throw new Error(
      `Cannot run the tests: ${missing.join(", ")} not found. Install what your system calls ${
        packages.join(", ")
      } and make sure the programs are on the PATH`,
    );
  }

  const guard = packages.includes("mosquitto") && !await host.hasFile(POLICY);
  if (guard) {
    await host.run([...asRoot, "sh", "-c", `echo 'exit 101' >${POLICY}; chmod +x ${POLICY}`]);
  }
  try {
    // A list that cannot be refreshed may still do; the installation tells.
    await host.run([...asRoot, "apt-get", "update", "-q"]);
    await host.run([
      ...asRoot,
      "env",
      "DEBIAN_FRONTEND=noninteractive",
      ...["apt-get", "install", "-q", "-y", "--no-install-recommends", ...packages],
    ]);
  } finally {
    if (guard) await host.run([...asRoot, "rm", "-f", POLICY]);
  }

  const stillMissing = await missingTools(host);
  if (stillMissing.length > 0) {
    throw new Error(
      `Cannot run the tests: ${stillMissing.join(", ")} not found after installing ${
        packages.join(", ")
      }. The output above tells why`,
    );
  }
}

/** This machine. */
export function thisHost(): ProvisionHost {
  const folders = (Deno.env.get("PATH") ?? "").split(":");
  return {
    isInstalled: async (tool) => await findProgram(tool) !== null,
    hasProgram: async (program) => await findExecutable(program, folders) !== null,
    hasFile: async (path) => {
      try {
        await Deno.lstat(path);
        return true;
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return false;
        throw error;
      }
    },
    isRoot: Deno.uid() === 0,
    run: async ([program, ...args]) => {
      const { success } = await new Deno.Command(program, { args, stdin: "null" }).spawn().status;
      return success;
    },
  };
}

async function missingTools(host: ProvisionHost): Promise<ToolName[]> {
  const missing: ToolName[] = [];
  for (const tool of Object.keys(TOOLS) as ToolName[]) {
    if (!await host.isInstalled(tool)) missing.push(tool);
  }
  return missing;
}

/** What to put before a command that changes the system; `null` where this user may not. */
async function rootPrefix(host: ProvisionHost): Promise<string[] | null> {
  if (host.isRoot) return [];
  if (!await host.hasProgram("sudo")) return null;
  return await host.run(["sudo", "-n", "true"]) ? ["sudo", "-n"] : null;
}
