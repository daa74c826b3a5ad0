import { brokers } from "./brokers.ts";
import { raceContract } from "./race_contract.ts";

for (const setting of brokers) raceContract(setting);
