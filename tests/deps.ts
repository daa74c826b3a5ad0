// The packages that the tests need. The browser's stands in browser/deps.ts, because loading it takes
// a second and every permission.

export { default as mqtt, type IClientOptions, type MqttClient } from "npm:mqtt@5.16.0";
// The packets themselves, for the fake broker.
export { default as mqttPacket } from "npm:mqtt-packet@9.0.2";
