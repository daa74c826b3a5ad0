const MAX_PACKET_ID = 65_535;

/**
 * Packet ids in turn, none twice at a time. MQTT.js has providers of its own: one does not look
 * whether an id is in use, the other hands the one that was freed last out at once, so that a late
 * acknowledgement would count for the next message.
 */
export class PacketIds {
  readonly #used = new Set<number>();
  #last = 0;

  /** The next free id, or `null` without one. */
  allocate(): number | null {
    if (this.#used.size >= MAX_PACKET_ID) return null;
    do {
      this.#last = this.#last % MAX_PACKET_ID + 1;
    } while (this.#used.has(this.#last));
    this.#used.add(this.#last);
    return this.#last;
  }

  getLastAllocated(): number | null {
    return this.#last === 0 ? null : this.#last;
  }

  /** Takes this very id; `false` where it is in use. */
  register(id: number): boolean {
    if (this.#used.has(id)) return false;
    this.#used.add(id);
    return true;
  }

  deallocate(id: number): void {
    this.#used.delete(id);
  }

  /** A new link: MQTT.js registers what it sends again. */
  clear(): void {
    this.#used.clear();
  }
}
