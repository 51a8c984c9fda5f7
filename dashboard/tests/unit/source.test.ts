/** The adapters over stand-ins of what is behind them. tests/emulator holds Firestore's to the same over the real thing. */

import { keepsItsPromises } from "../contract/source";
import { apiStage } from "../fakes/api";
import { firestoreStage } from "../fakes/firestore";

keepsItsPromises("the local api", apiStage);
keepsItsPromises("Firestore (stand-in)", firestoreStage);
