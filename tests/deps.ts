// The packages that only the tests need; nothing else under tests/ names one.

export { type Browser, chromium, type Page } from "npm:playwright-core@1.65.1";
export { default as mqtt, type IClientOptions, type MqttClient } from "npm:mqtt@5.16.0";
// The packets themselves, for the fake broker.
export { default as mqttPacket } from "npm:mqtt-packet@9.0.2";
