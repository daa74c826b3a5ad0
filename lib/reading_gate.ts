/** Unacknowledged messages at which reading stops: what is read already may bring some thousands more. */
const MOST_HELD = 49_152;

/**
 * Whether what arrives is read: not while as many bytes are held as may be, nor while as many
 * messages are unacknowledged as packet ids tell apart.
 *
 * On 3.1.1 a broker may hand over more messages than there are packet ids, and gives ids out again
 * then. Two with one id are told apart where the first is acknowledged before the second is read.
 */
export class ReadingGate {
  readonly #onChange: (stops: boolean) => void;
  #full = false;
  #crowded = false;
  #stalled = Promise.withResolvers<void>();

  /** @param onChange told when reading is to stop, or to go on */
  constructor(onChange: (stops: boolean) => void) {
    this.#onChange = onChange;
  }

  /** Whether reading stands still. */
  get stops(): boolean {
    return this.#full || this.#crowded;
  }

  /** Resolves when reading stops, or at once where it stands still. */
  get stalled(): Promise<void> {
    return this.#stalled.promise;
  }

  /** Whether so many messages are held that one fewer may make a difference. */
  get isCrowded(): boolean {
    return this.#crowded;
  }

  /** As much is held as may be, or no more. */
  setFull(full: boolean): void {
    this.#set(full, this.#crowded);
  }

  /** So many messages are unacknowledged, of a broker that does not count them itself. */
  count(held: number): void {
    this.#set(this.#full, held >= (this.#crowded ? MOST_HELD / 2 : MOST_HELD));
  }

  /** Lets everything through. */
  open(): void {
    this.#set(false, false);
  }

  #set(full: boolean, crowded: boolean): void {
    const stopped = this.stops;
    this.#full = full;
    this.#crowded = crowded;
    if (this.stops === stopped) return;
    if (this.stops) this.#stalled.resolve();
    else this.#stalled = Promise.withResolvers();
    this.#onChange(this.stops);
  }
}
