/** What a queue has done since it was made, in messages; `reconnects` in links. */
export interface QueueCounters {
  /** Sent: the broker has them. */
  sent: number;
  /** Arrived from the broker. */
  arrived: number;
  /** Received and removed at once. */
  received: number;
  /** Completed under a lock. */
  completed: number;
  /** Abandoned, or locked for too long. */
  abandoned: number;
  /** Became dead letters. */
  deadLettered: number;
  /** Dropped: overflow at QoS 0, or expired. */
  dropped: number;
  /** Came again after a reconnect and were recognised. */
  redelivered: number;
  /** Links that were made again. */
  reconnects: number;
}

/** Counters at zero. */
export function createCounters(): QueueCounters {
  return {
    sent: 0,
    arrived: 0,
    received: 0,
    completed: 0,
    abandoned: 0,
    deadLettered: 0,
    dropped: 0,
    redelivered: 0,
    reconnects: 0,
  };
}
