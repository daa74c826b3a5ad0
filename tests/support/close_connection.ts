/** Closes a connection that may be closed already. */
export function closeConnection(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // It is closed already.
  }
}
