import type { QoS } from "./connection.ts";
import { NotSupportedError, toError } from "./errors.ts";
import type { MqttLink } from "./mqtt_link.ts";
import { answeredWithin } from "./within.ts";

/** What a queue subscribes to, and who is told of it. */
export interface SubscriptionTerms {
  readonly filter: string;
  readonly qos: QoS;
  /** Milliseconds that the broker may take to answer. */
  readonly timeout: number;
  /** Resolves when reading stops, and with it the broker's answer. */
  stalled(): Promise<void>;
  /** Something failed that no caller waits for. */
  onError(error: Error): void;
  /** Asking again has ended, however it went. */
  onRenewed(): void;
}

/** What a queue is subscribed to over its receiving link, across lost links and lost sessions. */
export class QueueSubscription {
  readonly #terms: SubscriptionTerms;
  #isMade = false;
  /** Whether the broker has answered. */
  #confirmed = false;
  #isComingBack = false;

  constructor(terms: SubscriptionTerms) {
    this.#terms = terms;
  }

  /** Whether it was made, and not ended. */
  get isMade(): boolean {
    return this.#isMade;
  }

  /** Whether the broker is being asked again, and may have nobody to give a message to. */
  get isComingBack(): boolean {
    return this.#isComingBack;
  }

  /**
   * Subscribes for the first time.
   *
   * @throws {ConnectionError} where the broker refuses
   * @throws {NotSupportedError} where it grants less
   * @throws {TimeoutError} where it does not answer
   */
  async make(link: MqttLink): Promise<void> {
    await this.#ask(link);
    this.#isMade = true;
  }

  /** The link is made again: asks again where the broker has forgotten, or never answered. */
  renew(link: MqttLink, sessionPresent: boolean): void {
    if (!this.#isMade || sessionPresent && this.#confirmed) return;
    this.#isComingBack = true;
    this.#ask(link).catch((error) => this.#lose(link, error)).finally(() => {
      this.#isComingBack = false;
      this.#terms.onRenewed();
    });
  }

  /** It is not asked for again. */
  end(): void {
    this.#isMade = false;
  }

  /**
   * Asks, or finds that reading has stopped meanwhile: a session that is resumed may bring more than
   * can be held before it brings the answer. That is read, and told where it is bad, later.
   */
  async #ask(link: MqttLink): Promise<void> {
    const { filter, qos, timeout } = this.#terms;
    this.#confirmed = false;
    let awaited = true;
    const asked = link.subscriptions.subscribe(filter, qos, "once");
    const granted = asked.then((qos) => this.#accept(link, qos));
    granted.catch((error) => {
      if (!awaited) this.#lose(link, error);
    });
    const answered = Promise.race([granted, this.#terms.stalled()]);
    await answeredWithin(timeout, answered, `Cannot subscribe to "${filter}"`);
    awaited = false;
  }

  /** Less than was asked for is refused at first, and told where the broker takes less than before. */
  #accept(link: MqttLink, granted: QoS): void {
    const { filter, qos } = this.#terms;
    this.#confirmed = true;
    if (granted >= qos) return;
    const error = new NotSupportedError(
      `Cannot subscribe to "${filter}" at QoS ${qos}: the broker grants QoS ${granted} at most`,
    );
    if (this.#isMade) return this.#terms.onError(error);
    link.subscriptions.end(filter).catch(() => {}); // It is left over, and ended later.
    throw error;
  }

  /** A queue that is not subscribed is deaf, and its link must not count as up: it is tried again. */
  #lose(link: MqttLink, thrown: unknown): void {
    if (link.state !== "connected") return; // The link was lost: it is asked again on the next one.
    const error = toError(thrown);
    this.#terms.onError(error);
    link.drop(error);
  }
}
