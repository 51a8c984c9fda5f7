/** Google's SDK, bound to this installation. Nothing imports this but on demand: it weighs more than the page. */

import { initializeApp, type FirebaseApp, type FirebaseOptions } from "@firebase/app";
import {
  browserLocalPersistence,
  browserPopupRedirectResolver,
  GoogleAuthProvider,
  indexedDBLocalPersistence,
  initializeAuth,
  onAuthStateChanged,
  signInWithPopup,
  signOut,
  type Auth,
} from "@firebase/auth";

export interface SignedIn {
  readonly email: string;
}

/** The accounts of one Firebase project. */
export class Accounts {
  readonly app: FirebaseApp;
  private readonly auth: Auth;

  constructor(options: FirebaseOptions) {
    this.app = initializeApp(options);
    this.auth = initializeAuth(this.app, {
      persistence: [indexedDBLocalPersistence, browserLocalPersistence],
      popupRedirectResolver: browserPopupRedirectResolver,
    });
  }

  /** Who was signed in when this browser was here last, null where nobody was. */
  present(): Promise<SignedIn | null> {
    return new Promise((resolve) => {
      const stop = onAuthStateChanged(this.auth, (user) => {
        stop();
        resolve(user?.email ? { email: user.email } : null);
      });
    });
  }

  /** Sign in with a Google account. Rejects when the window was closed or the account refused. */
  async signIn(): Promise<SignedIn> {
    const { user } = await signInWithPopup(this.auth, new GoogleAuthProvider());
    if (!user.email) throw new Error("this Google account has no address");
    return { email: user.email };
  }

  signOut(): Promise<void> {
    return signOut(this.auth);
  }
}
