/** A program that the tests run, and where it comes from. */
interface Tool {
  /** Names under which systems know it, the best first. */
  programs: readonly string[];
  /** Debian's package. */
  package: string;
}

/** The programs that the tests need beside Deno. */
export const TOOLS = {
  mosquitto: { programs: ["mosquitto"], package: "mosquitto" },
  mosquitto_pub: { programs: ["mosquitto_pub"], package: "mosquitto-clients" },
  mosquitto_sub: { programs: ["mosquitto_sub"], package: "mosquitto-clients" },
  script: { programs: ["script"], package: "bsdutils" },
  chromium: {
    programs: ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
    package: "chromium",
  },
} as const satisfies Record<string, Tool>;

/** The name of a program that the tests need. */
export type ToolName = keyof typeof TOOLS;

// Brokers are daemons, and an ordinary user's PATH often lacks the folders of daemons.
const DAEMON_FOLDERS = ["/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin", "/opt/homebrew/bin"];

/** The path of an installed program, or `null`. */
export async function findProgram(
  name: ToolName,
  path = Deno.env.get("PATH"),
): Promise<string | null> {
  for (const program of TOOLS[name].programs) {
    const found = await findExecutable(program, (path ?? "").split(":"));
    if (found !== null) return found;
  }
  return null;
}

/** The path of an executable file in one of the folders or in those of daemons, or `null`. */
export async function findExecutable(
  program: string,
  folders: readonly string[],
): Promise<string | null> {
  for (const folder of [...folders, ...DAEMON_FOLDERS]) {
    if (folder === "") continue;
    const path = `${folder}/${program}`;
    try {
      const { isFile, mode } = await Deno.stat(path);
      if (isFile && ((mode ?? 0o111) & 0o111) !== 0) return path;
    } catch (error) {
      // A folder of the PATH need not exist, and need not be ours to look into.
      if (
        !(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied ||
          error instanceof Deno.errors.NotADirectory)
      ) throw error;
    }
  }
  return null;
}
