// The only file of the library that names packages, with inline specifiers: who imports the module
// by URL has no import map of ours.

// The MQTT client: transports, packets, QoS handshakes.
export { connect } from "npm:mqtt@5.16.0";
export type {
  IClientOptions,
  IConnackPacket,
  IPublishPacket,
  MqttClient,
  Packet,
} from "npm:mqtt@5.16.0";
