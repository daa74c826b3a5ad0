import { EmbeddedBroker } from "../../server/broker.ts";
import { Mosquitto } from "../support/mosquitto.ts";
import { queueContract } from "./queue_contract.ts";

queueContract({ name: "Mosquitto, 5", start: () => Mosquitto.start(), protocolVersion: 5 });
queueContract({ name: "Mosquitto, 3.1.1", start: () => Mosquitto.start(), protocolVersion: 4 });
queueContract({
  name: "embedded broker",
  start: () => EmbeddedBroker.start({ port: 0 }),
  protocolVersion: 4,
});
