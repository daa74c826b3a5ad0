import { brokers } from "./brokers.ts";
import { ledgerContract } from "./ledger_contract.ts";

for (const setting of brokers) ledgerContract(setting);
