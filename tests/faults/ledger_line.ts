/** What a process writes down: one line each, at once, so that a SIGKILL takes none of it. */
export interface LedgerLine {
  /**
   * - `sending`, `sent`, `failed`: before a send, after it resolved, after it was rejected.
   * - `received`: a message was handed out.
   * - `settling`: its settlement is asked for; `completed`, `abandoned`, `buried`: it resolved.
   * - `state`: the link changed.
   * - `stuck`: a wait did not end within its bound.
   * - `error`: something was told that nothing in the campaign explains.
   * - `opened`, `ended`: the queue is open; the process has nothing left to do.
   */
  kind:
    | "opened"
    | "sending"
    | "sent"
    | "failed"
    | "received"
    | "settling"
    | "completed"
    | "abandoned"
    | "buried"
    | "state"
    | "stuck"
    | "error"
    | "ended";
  /** Milliseconds since 1970. */
  at: number;
  /** The message. */
  id?: string;
  /** Words: the state of the link, the wait that is stuck, the error. */
  what?: string;
  /** Milliseconds to the next attempt. */
  retryInMs?: number;
}
