/** The records of one Firebase project, once somebody has signed in. */

import type { FirebaseApp } from "@firebase/app";
import * as sdk from "@firebase/firestore";
import { firestoreSource } from "./firestore";
import type { Source } from "./source";

export function recordsOf(app: FirebaseApp, who: string): Source {
  return firestoreSource({ sdk, db: sdk.getFirestore(app), who, project: app.options.projectId ?? "" });
}
