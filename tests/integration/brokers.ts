import { EmbeddedBroker } from "../../server/broker.ts";
import { Mosquitto } from "../support/mosquitto.ts";
import type { ContractSetting } from "./queue_contract.ts";

/** The brokers and versions of the protocol that every contract is run on. */
export const brokers: ContractSetting[] = [
  { name: "Mosquitto, 5", start: () => Mosquitto.start(), protocolVersion: 5 },
  { name: "Mosquitto, 3.1.1", start: () => Mosquitto.start(), protocolVersion: 4 },
  {
    name: "embedded broker",
    start: () => EmbeddedBroker.start({ port: 0 }),
    protocolVersion: 4,
  },
];
