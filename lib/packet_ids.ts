const MAX_PACKET_ID = 65_535;

/** Packet ids in turn ([MQTT-2.2.1-2]): one that was freed is not the next, as a late acknowledgement may be on its way. */
export class PacketIds {
  readonly #isTaken: (id: number) => boolean;
  /** Those of MQTT.js, for what is no PUBLISH. */
  readonly #lent = new Set<number>();
  #last = 0;

  /** @param isTaken whether somebody else, whom this need not know, uses an id */
  constructor(isTaken: (id: number) => boolean = () => false) {
    this.#isTaken = isTaken;
  }

  /** An id that is in use when its taker says so, or `null` without one. */
  next(): number | null {
    for (let tried = 0; tried < MAX_PACKET_ID; tried++) {
      this.#last = this.#last % MAX_PACKET_ID + 1;
      if (!this.#isTaken(this.#last) && !this.#lent.has(this.#last)) return this.#last;
    }
    return null;
  }

  /** An id for MQTT.js, which gives it back. What follows is how MQTT.js asks for its ids. */
  allocate(): number | null {
    const id = this.next();
    if (id !== null) this.#lent.add(id);
    return id;
  }

  getLastAllocated(): number | null {
    return this.#last === 0 ? null : this.#last;
  }

  /** Takes this very id; `false` where it is in use. */
  register(id: number): boolean {
    if (this.#isTaken(id) || this.#lent.has(id)) return false;
    this.#lent.add(id);
    return true;
  }

  deallocate(id: number): void {
    this.#lent.delete(id);
  }

  /** A new link: nothing of MQTT.js's is under way. */
  clear(): void {
    this.#lent.clear();
  }
}
