// The component of the same name that ours takes the place of; loaded by the peer's process only.

export { default as pipMqtt } from "npm:pip-services3-mqtt-node@3.1.6";
export { default as pipCommons } from "npm:pip-services3-commons-node@3.0.8";
export { default as pipMessaging } from "npm:pip-services3-messaging-node@3.3.1";
