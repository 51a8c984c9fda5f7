import tailwindcss from "@tailwindcss/vite";
import { defineConfig } from "vite";

// Relative addresses: the same build is served under /dashboard/ by a local run and at / by Firebase Hosting.
export default defineConfig({
  base: "./",
  plugins: [tailwindcss()],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  // The one large chunk is Firestore itself, which is fetched after sign-in.
  build: {
    chunkSizeWarningLimit: 600,
    target: "es2022",
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});
