import { brokers } from "./brokers.ts";
import { reconnectContract } from "./reconnect_contract.ts";

for (const setting of brokers) reconnectContract(setting);
