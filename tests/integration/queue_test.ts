import { brokers } from "./brokers.ts";
import { queueContract } from "./queue_contract.ts";

for (const setting of brokers) queueContract(setting);
