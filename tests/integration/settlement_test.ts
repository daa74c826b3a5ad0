import { brokers } from "./brokers.ts";
import { settlementContract } from "./settlement_contract.ts";

for (const setting of brokers) settlementContract(setting);
