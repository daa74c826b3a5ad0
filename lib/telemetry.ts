import {
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "./deps.ts";
import { toError } from "./errors.ts";
import type { MessageEnvelope } from "./message_envelope.ts";

const TRACER = "mqtt-message-queue";

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
  /** Came again, from the broker or their sender, after a link was lost, and were recognised. */
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

/** Where trace context travels: `traceparent` and `tracestate`, as user properties. */
export type TraceCarrier = Record<string, string>;

/**
 * Runs a send within a span of its own, whose context `work` gets to send along
 * (OpenTelemetry semantic conventions, messaging). Without an SDK it is just the work.
 */
export function traceSend(
  topic: string,
  envelope: MessageEnvelope,
  work: (carrier?: TraceCarrier) => Promise<void>,
): Promise<void> {
  if (!hasSdk()) return work();
  const span = startSpan("send", topic, envelope, SpanKind.PRODUCER);
  const carrier: TraceCarrier = {};
  propagation.inject(trace.setSpan(context.active(), span), carrier);
  return inSpan(span, () => work(carrier));
}

/** Runs the handling of a message within a span that continues what the sender began. */
export async function traceProcess(
  envelope: MessageEnvelope,
  work: () => unknown,
): Promise<void> {
  if (!hasSdk()) {
    await work();
    return;
  }
  const parent = propagation.extract(ROOT_CONTEXT, envelope.userProperties);
  const span = startSpan("process", envelope.topic ?? "", envelope, SpanKind.CONSUMER, parent);
  await context.with(trace.setSpan(parent, span), () => inSpan(span, work));
}

/** Notes that a message was received, with a link to where it was sent. */
export function traceReceive(envelope: MessageEnvelope): void {
  if (!hasSdk()) return;
  const sent = trace.getSpanContext(propagation.extract(ROOT_CONTEXT, envelope.userProperties));
  const span = startSpan("receive", envelope.topic ?? "", envelope, SpanKind.CONSUMER);
  if (sent !== undefined) span.addLink({ context: sent });
  span.end();
}

/** An SDK brings a propagator; without one there is nobody to tell. */
function hasSdk(): boolean {
  return propagation.fields().length > 0;
}

function startSpan(
  operation: "send" | "receive" | "process",
  topic: string,
  envelope: MessageEnvelope,
  kind: SpanKind,
  parent = context.active(),
): Span {
  return trace.getTracer(TRACER).startSpan(`${operation} ${topic}`, {
    kind,
    attributes: {
      "messaging.system": "mqtt",
      "messaging.operation.name": operation,
      "messaging.operation.type": operation,
      "messaging.destination.name": topic,
      "messaging.message.id": envelope.messageId,
      "messaging.message.conversation_id": envelope.correlationId ?? undefined,
      "messaging.message.body.size": envelope.message?.byteLength ?? 0,
    },
  }, parent);
}

async function inSpan(span: Span, work: () => unknown): Promise<void> {
  try {
    await work();
  } catch (thrown) {
    const error = toError(thrown);
    span.recordException(error);
    span.setAttribute("error.type", error.name);
    span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
    throw thrown;
  } finally {
    span.end();
  }
}
