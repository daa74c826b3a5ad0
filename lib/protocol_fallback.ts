import { ConnectionError } from "./errors.ts";

/** CONNACK of a broker that knows 3.1.1 only, in its own words and in those of MQTT 5. */
const UNACCEPTABLE_PROTOCOL_VERSION = [1, 132];

/**
 * Connects with MQTT 5 and, where the broker refuses that or just drops the connection, with 3.1.1.
 *
 * @param version `auto`, or the only one to try
 * @param connect makes the link with one version
 * @throws what the last attempt threw
 */
export async function connectWithFallback<T>(
  version: "auto" | 4 | 5,
  connect: (version: 4 | 5) => Promise<T>,
): Promise<T> {
  if (version !== "auto") return await connect(version);
  try {
    return await connect(5);
  } catch (error) {
    if (!refusesVersion(error)) throw error;
    return await connect(4);
  }
}

function refusesVersion(error: unknown): boolean {
  if (!(error instanceof ConnectionError)) return false;
  if (error.reasonCode !== null) return UNACCEPTABLE_PROTOCOL_VERSION.includes(error.reasonCode);
  if (error.cause === undefined) return true; // Closed without a word.
  const code = (error.cause as { code?: unknown }).code;
  return code === "ECONNRESET" || code === "EPIPE";
}
