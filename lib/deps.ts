// The only file of the library that names packages, with inline specifiers: who imports the module
// by URL has no import map of ours.

// The MQTT client: transports, the session, subscriptions, the keepalive.
export { connect, MqttClient, ReasonCodes } from "npm:mqtt@5.16.0";
export type { IClientOptions, IConnackPacket, IStream } from "npm:mqtt@5.16.0";

// Spans and trace context; does nothing unless the application brings an SDK.
export {
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "npm:@opentelemetry/api@1.10.0";
